"""Fields that a till's JSON needs and marshmallow lacks."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields

from highstreet.i18n import gettext as _

_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_MOMENT = (
    r"(199[0-9]|20[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    rf"T{_CLOCK}(:[0-5][0-9](\.[0-9]{{1,6}})?)?(Z|[+-]{_CLOCK})?"
)
_SHAPE = re.compile(_MOMENT)


class Moment(fields.Field[datetime]):
    """A moment: RFC 3339, or without a zone in the store's wall time. Dumped in UTC with a Z."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> datetime:
        if isinstance(value, str) and _SHAPE.fullmatch(value):
            try:
                return datetime.fromisoformat(value)
            except ValueError:
                raise ValidationError(_("There is no such day.")) from None
        raise ValidationError(
            _(
                "Not a moment of 1990–2099. Send it as 2026-11-23T14:05:00Z, with an offset such as"
                " +01:00 in place of the Z, or without either for the store's own time."
            )
        )

    def _serialize(
        self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any
    ) -> str | None:
        return None if value is None else zulu(value)


def zulu(moment: datetime) -> str:
    """An aware moment as text in UTC, e.g. 2026-11-23T14:05:00Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment_to_openapi(
    _converter: object, field: fields.Field[Any], **_context: Any
) -> dict[str, Any]:
    """How a Moment is published: what it takes, local times included."""
    if isinstance(field, Moment):
        text: Any = ["string", "null"] if field.allow_none else "string"
        return {"type": text, "pattern": f"^{_MOMENT}$"}
    return {}


class _Checked:
    """A field whose validators run as they stand; marshmallow wraps them anew for each value."""

    validators: list[Callable[[Any], Any]]

    def _validate(self, value: Any) -> None:
        for validator in self.validators:
            validator(value)


class Int64(_Checked, fields.Integer):
    """An integer of 64 bits; JSON true, "5" and 5.5 are not integers."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strict=True, **kwargs)

    def _validated(self, value: Any) -> int:
        if type(value) is int:
            return value
        if isinstance(value, bool | str):
            raise self.make_error("invalid", input=value)
        number = super()._validated(value)
        return int(number)


class YesNo(fields.Boolean):
    """JSON true or false; 1, 0 and "yes" are neither."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> bool:
        if type(value) is not bool:
            raise self.make_error("invalid", input=value)
        return value


class Text(_Checked, fields.String):
    """Text without blanks around it. Which characters may stand in it, the rooms decide."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        if type(value) is str:
            return value.strip()
        text = super()._deserialize(value, attr, data, **kwargs)
        return text.strip() if isinstance(text, str) else text
