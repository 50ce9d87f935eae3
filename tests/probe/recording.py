"""An application that remembers which names its views ask forms and queries for."""

from typing import Any

from flask import Flask
from werkzeug.datastructures import ImmutableMultiDict

asked: set[str] = set()


class Recording(ImmutableMultiDict[str, str]):
    """Form and query values that remember which names were asked for."""

    def get(self, key: str, *rest: Any, **more: Any) -> Any:
        asked.add(key)
        return super().get(key, *rest, **more)

    def getlist(self, key: str, *rest: Any, **more: Any) -> Any:
        asked.add(key)
        return super().getlist(key, *rest, **more)

    def __getitem__(self, key: str) -> Any:
        asked.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        asked.add(str(key))
        return super().__contains__(key)


def record_names(app: Flask) -> None:
    """Let `app` remember the names that its views ask for, and post without CSRF tokens."""
    app.config["WTF_CSRF_ENABLED"] = False
    if app.request_class.parameter_storage_class is not Recording:
        made = type("Recorded", (app.request_class,), {"parameter_storage_class": Recording})
        app.request_class = made
