"""Imports every module that declares tables, as the application does at its start."""

import highstreet_points_club.models  # noqa: F401 - declares the bundled tool's
from highstreet import rooms

rooms.load()
