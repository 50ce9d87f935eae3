"""Imports every module that declares tables, as the application does at its start."""

import highstreet_direct_mail.models  # noqa: F401 - declares the bundled tools
import highstreet_magazine.models  # noqa: F401 - declares the bundled tools
import highstreet_points_club.models  # noqa: F401
from highstreet import rooms

rooms.load()
