"""What the installation has for print: where its pictures and files lie, and its fonts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from msgspec import Struct

from highstreet_tenants.sessions import ScopedSession


class Shop(Struct, frozen=True):
    """files: a folder outside of what the web shows. fonts: further folders of fonts."""

    files: Path
    fonts: tuple[str, ...] = ()


def of_config(config: Mapping[str, Any]) -> Shop:
    """As the settings have it."""
    fonts = tuple(one for one in config["font_folders"].split(os.pathsep) if one)
    return Shop(Path(config["instance"]) / "files", fonts)


def of(s: ScopedSession) -> Shop:
    """The installation's that opened the session."""
    return cast(Shop, s.info["print"])
