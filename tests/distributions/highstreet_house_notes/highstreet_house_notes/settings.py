"""What a store may set."""

from marshmallow import Schema, fields, validate

from highstreet.sdk import lazy_gettext as _l


class HouseNotesSchema(Schema):
    """One setting."""

    welcome = fields.String(
        load_default="Somebody joined the club: say hello.",
        validate=validate.Length(max=200),
        metadata={"label": _l("Note for each new member (empty: none)")},
    )
