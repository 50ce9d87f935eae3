"""What can go wrong, each with a stable `type`, an HTTP status, and words that say what to do."""

from collections.abc import Mapping, Sequence


class HighstreetError(Exception):
    """Base of every error that a person or a till may read.

    `type` is a stable slug, `status` the HTTP status, `detail` translated words that say what to
    do next, `fields` the messages per input field.
    """

    type = "error"
    status = 500

    def __init__(self, detail: str, *, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = {name: list(messages) for name, messages in (fields or {}).items()}


class Invalid(HighstreetError):
    """The input breaks a rule."""

    type, status = "invalid", 422


class NotFound(HighstreetError):
    """No such thing within reach of the asker (which hides whether it exists elsewhere)."""

    type, status = "not-found", 404


class Conflict(HighstreetError):
    """The input contradicts what is already recorded."""

    type, status = "conflict", 409


class Forbidden(HighstreetError):
    """The asker is known but may not do this."""

    type, status = "forbidden", 403


class Unauthenticated(HighstreetError):
    """The asker is unknown."""

    type, status = "unauthenticated", 401


class TooMany(HighstreetError):
    """Too many tries; wait."""

    type, status = "too-many", 429


class Unavailable(HighstreetError):
    """Something outside is down; trying again later may work."""

    type, status = "unavailable", 503


class ToolOff(HighstreetError):
    """The tool is off in this store; the detail says why."""

    type, status = "tool-off", 404


class WallBreach(HighstreetError):
    """A statement or a row reached for another tenant. Always a defect, never a user's mistake."""

    type, status = "wall-breach", 500
