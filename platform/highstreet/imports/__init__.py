"""Files of purchases and customers from elsewhere, read in a stream and written in sets."""

from highstreet.customers import parts
from highstreet.imports.people import RefPart

parts.register(RefPart())
