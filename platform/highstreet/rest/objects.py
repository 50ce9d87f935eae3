"""Loading the JSON objects that tills send all day.

marshmallow keeps books of faults at every level, which takes longer than reading what is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, missing, validates_schema


class Object(Schema):
    """A schema whose right input is loaded straight, field by field by marshmallow's own fields.

    At the first fault everything is done again marshmallow's way, which finds them all and says
    where they are. Its fields bear their own names, and it has no hooks but `check`.
    """

    def load(self, data: Any, **options: Any) -> Any:
        """See marshmallow.Schema.load."""
        if type(data) is dict and not self.many and not any(options.values()):
            try:
                return self._straight(data)
            except ValidationError:
                pass
        return super().load(data, **options)

    def _straight(self, data: Mapping[str, Any]) -> dict[str, Any]:
        fields = self.load_fields
        if not data.keys() <= fields.keys():
            raise ValidationError("a key that is not known")
        loaded: dict[str, Any] = {}
        for name, field in fields.items():
            value = field.deserialize(data.get(name, missing), name, data)
            if value is not missing:
                loaded[name] = value
        self.check(loaded)
        return loaded

    def check(self, loaded: dict[str, Any]) -> None:
        """What no field can see alone. Raises ValidationError, naming the field."""

    @validates_schema
    def _check(self, loaded: dict[str, Any], **_options: Any) -> None:
        self.check(loaded)
