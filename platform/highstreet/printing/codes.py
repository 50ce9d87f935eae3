"""QR codes as dots, for the typesetter."""

from functools import lru_cache
from typing import Any

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid

LONGEST = 300
"""Bytes: more make dots too fine for a telephone's camera at 20 mm."""


@lru_cache(maxsize=64)  # a poster's, and a mailing whose code is the same for all
def qr(text: str) -> dict[str, Any]:
    """A QR code (ISO/IEC 18004, level M: up to 15 % of it may be damaged): how many dots wide, and
    a byte per dot. Raises Invalid for too long a text."""
    import zxingcpp  # a seventh of what a maker in Python takes, which counts for 100,000 pieces

    if len(text.encode()) > LONGEST:
        raise Invalid(_("A code holds at most %(most)s characters.", most=LONGEST))
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    image: Any = made.to_image(scale=1, add_quiet_zones=False)
    dots = memoryview(image)
    assert dots.shape is not None
    return {"w": dots.shape[0], "bits": bytes(dots)}
