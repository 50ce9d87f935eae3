"""What head office lays down for the magazine, and how many copies a store may promise."""

from marshmallow import RAISE, Schema, fields, validate

from highstreet.sdk import lazy_gettext as _l
from highstreet_magazine.names import MOST_COPIES


class MagazineSchema(Schema):
    """The settings of the magazine."""

    class Meta:
        """For marshmallow."""

        unknown = RAISE

    most_copies = fields.Integer(
        load_default=5,
        strict=True,
        validate=validate.Range(1, MOST_COPIES),
        metadata={
            "label": _l("Copies for one member at most"),
            "help": _l("A garage or a club may want several of the printed magazine."),
        },
    )
    lapse_months = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, 120),
        metadata={
            "label": _l("Months without a purchase after which it is sent no more"),
            "help": _l("0: never. Head office's setting holds for an issue, whatever stores set."),
        },
    )
    keep_months = fields.Integer(
        load_default=12,
        strict=True,
        validate=validate.Range(0, 120),
        metadata={
            "label": _l("Months for which it is sent on to whoever says “keep me”"),
            "help": _l("Also to whoever chose its form within these months."),
        },
    )
    wrapper = fields.String(
        load_default="",
        validate=validate.Length(max=300),
        metadata={
            "label": _l("A line for each member on the wrapper"),
            "help": _l(
                "With merge fields, such as: You have {{ points_club.balance }} points. Whoever has"
                " no value gets no line. New issues begin with it."
            ),
        },
    )
    story = fields.Boolean(
        load_default=True,
        metadata={"label": _l("Write each issue that went out into the members’ stories")},
    )
