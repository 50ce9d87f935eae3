"""What is known of where customers live, as fields by name."""

from typing import Any

import sqlalchemy as sa

from highstreet.addresses.models import Address
from highstreet.host.customer_fields import CustomerField
from highstreet.i18n import lazy_gettext as _l


def _current(column: Any) -> Any:
    return lambda _place: sa.select(Address.customer_id, column).where(Address.valid_to.is_(None))


FIELDS = (
    CustomerField("customer.postcode", _l("Postal code"), "text", _current(Address.postal_code)),
    CustomerField("customer.city", _l("City"), "text", _current(Address.city)),
    CustomerField(
        "customer.country",
        _l("Country"),
        "text",
        _current(Address.country),
        help=_l("Two letters of ISO 3166, such as GB."),
    ),
)
