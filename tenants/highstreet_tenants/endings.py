"""A session's transaction ends once, by its opener's hand; after that nothing of it works."""

from typing import Any, NoReturn

import sqlalchemy as sa

from highstreet_tenants.errors import WallBreach


class Gone:
    """In place of the driver's connection, and of what sends there, once they are given back."""

    def __getattr__(self, name: str) -> Any:
        raise WallBreach("the session is closed: nothing of it may be used again")

    def __call__(self, *_sent: Any) -> Any:
        raise WallBreach("the session is closed: nothing of it may be used again")


GONE = Gone()


class View(sa.Connection):
    """The ORM's view of a session's connection. Its end is the session's to say."""

    def commit(self) -> None:
        """Raise RuntimeError."""
        refuse_to_end("commit")

    def rollback(self) -> None:
        """Raise RuntimeError."""
        refuse_to_end("rollback")

    def close(self) -> None:
        """Raise RuntimeError."""
        refuse_to_end("close")


def refuse_to_end(what: str) -> NoReturn:
    """Raise RuntimeError: `what` would end what others have begun."""
    raise RuntimeError(
        f"{what}(): the transaction is its opener's, who commits it or takes it back. To undo a"
        " part of your own, use begin_nested()"
    )
