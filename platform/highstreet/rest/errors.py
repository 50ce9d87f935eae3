"""Errors that only a machine's caller can make, beside those of the kernel."""

from types import MappingProxyType

from highstreet_tenants.errors import Conflict, HighstreetError, Invalid


class Malformed(HighstreetError):
    """The body is not JSON."""

    type, status = "malformed", 400


class KeyMissing(HighstreetError):
    """A POST that creates something came without an Idempotency-Key."""

    type, status = "idempotency-key-missing", 400


class KeyReused(Invalid):
    """The same Idempotency-Key came with another request."""

    type = "idempotency-key-reused"


class KeyInFlight(Conflict):
    """The first request with this Idempotency-Key is still being worked on."""

    type = "idempotency-key-in-flight"


class TooLarge(HighstreetError):
    """The body is larger than any real basket."""

    type, status = "too-large", 413


class WrongMediaType(HighstreetError):
    """The body is not declared to be JSON."""

    type, status = "media-type", 415


class Compressed(WrongMediaType):
    """The body is compressed. `headers` name what is read instead (RFC 9110 §15.5.16)."""

    headers = MappingProxyType({"Accept-Encoding": "identity"})
