"""What the installation has for mail: the way out, its own address for links, its keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from highstreet.email.tokens import Tokens

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask

    from highstreet.email.skeleton import Skeleton
    from highstreet.email.transports import Transport
    from highstreet_tenants.sessions import ScopedSession


class Mail:
    """Made at the start; connects to nobody before a message goes out."""

    def __init__(self, app: Flask, config: Mapping[str, Any]) -> None:
        self._app = app
        self._url = str(config["smtp_url"])
        self._testing = bool(config["testing"])
        if self._url:
            assert self.transport is not None  # a setting that can't work ends the start
        self.base_url = str(config["base_url"]).rstrip("/")
        self.tokens = Tokens(config["secret_key"])
        #: Skeletons by piece, and by what else goes into them.
        self.skeletons: dict[tuple[UUID, object], Skeleton] = {}

    @property
    def ready(self) -> bool:
        """Whether mail leaves at all."""
        return bool(self._url)

    @property
    def shown(self) -> str:
        """Where mail goes, for people: without the password."""
        from highstreet.email import setting

        return setting.shown(self._url)

    @contextmanager
    def speaking(self, language: str) -> Iterator[None]:
        """Within it words are in the language of whom a message is for, not of who causes it."""
        from flask import g

        with self._app.app_context():
            g.language = language
            yield

    @cached_property
    def transport(self) -> Transport | None:
        """The way out; None where the operator set none up. In tests to this machine alone.

        Raises Invalid for a setting that can't work.
        """
        if not self._url:
            return None
        from highstreet.email import setting  # most installations start without

        return setting.read(self._url, only_here=self._testing)


def known(s: ScopedSession) -> Mail | None:
    """The installation's; None in a session that no installation opened."""
    return cast("Mail | None", s.info.get("mail"))


def of(s: ScopedSession) -> Mail:
    """The installation's."""
    return cast(Mail, s.info["mail"])
