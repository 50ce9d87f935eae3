"""The marshmallow schema of a blueprint: which keys there are and what each may hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any, cast

from babel import Locale, UnknownLocaleError
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from highstreet.host.lattice import Level
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet_tenants import clock, money
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.people.permissions import ROLES

LEVELS = tuple(level.value for level in Level)
FIELD_KINDS = ("text", "choice", "date", "number", "yes-no")

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def _checked(check: Callable[[str], object]) -> Callable[[str], None]:
    """A marshmallow validator out of a function that raises our own errors."""

    def validator(value: str) -> None:
        try:
            check(value)
        except HighstreetError as error:
            raise ValidationError(error.detail) from error

    return validator


def _locale(value: str) -> None:
    try:
        Locale.parse(value.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as error:
        raise ValidationError(
            _("“%(name)s” is not a locale. Use one such as en_GB.", name=value)
        ) from error


def _day(value: object) -> None:
    if type(value) is not date:  # TOML has days of its own
        raise ValidationError(_("write the day like 2015-06-01, without quotes"))


class _String(fields.String):
    default_error_messages = {  # noqa: RUF012 - marshmallow's own way of naming messages
        "invalid": cast(str, _l("write it as text, in quotes"))
    }


class _List(fields.List[Any]):
    default_error_messages = {  # noqa: RUF012 - marshmallow's own way of naming messages
        "invalid": cast(str, _l("write a list, in square brackets"))
    }


class _Strict(Schema):
    class Meta:
        unknown = RAISE

    error_messages = {  # noqa: RUF012 - marshmallow's own way of naming messages
        "unknown": cast(str, _l("unknown key; check its spelling"))
    }


def _slug_field() -> fields.String:
    return _String(
        required=True,
        validate=[
            validate.Length(max=60),
            validate.Regexp(
                re.compile(rf"{_SLUG.pattern}\Z"),
                error=str(_l("write it in small letters, digits and dashes, like high-street")),
            ),
        ],
    )


def _text(most: int, *, required: bool = True) -> fields.String:
    return _String(required=required, validate=validate.Length(min=1, max=most))


def _zone(*, required: bool) -> fields.String:
    return _String(required=required, validate=_checked(clock.zone))


def _currency(*, required: bool) -> fields.String:
    return _String(required=required, validate=_checked(money.check_currency))


class _BrandSchema(_Strict):
    slug = _slug_field()
    name = _text(120)
    currency = _currency(required=True)
    locale = _String(required=True, validate=_locale)
    zone = _zone(required=True)
    customers = _String(required=True, validate=validate.OneOf(["brand", "store"]))
    accent = _String(
        validate=validate.Regexp(r"#[0-9a-fA-F]{6}\Z", error=str(_l("write it like #1f6f4a")))
    )


class _RegionSchema(_Strict):
    slug = _slug_field()
    name = _text(120)


class _OwnerSchema(_Strict):
    slug = _slug_field()
    name = _text(120)
    legal_name = _text(200, required=False)


class _AddressSchema(_Strict):
    street = _text(120)
    city = _text(120)
    postcode = _text(20, required=False)
    state = _text(60, required=False)
    country = _String(validate=validate.Regexp(r"[A-Z]{2}\Z"))


class _StoreSchema(_Strict):
    slug = _slug_field()
    code = _text(40)
    name = _text(120)
    region = _String()
    owner = _String()
    zone = _zone(required=False)
    currency = _currency(required=False)
    locale = _String(validate=_locale)
    address = fields.Nested(_AddressSchema)
    opened_on = fields.Raw(validate=_day)
    status = _String(validate=validate.OneOf(["open", "closed"]))


class _RoleSchema(_Strict):
    role = _String(required=True, validate=validate.OneOf(list(ROLES)))
    region = _String()
    owner = _String()
    store = _String()


class _UserSchema(_Strict):
    email = fields.Email(required=True)
    name = _text(120)
    locale = _String(validate=_locale)
    roles = _List(fields.Nested(_RoleSchema), load_default=list)


class _FieldSchema(_Strict):
    key = _String(required=True, validate=validate.Regexp(r"[a-z][a-z0-9_]{0,39}\Z"))
    label = _text(80)
    kind = _String(load_default="text", validate=validate.OneOf(FIELD_KINDS))
    choices = _List(_text(80), load_default=list)
    required = fields.Boolean(load_default=False)


class _SettingsSchema(_Strict):
    region = _String()
    store = _String()
    settings = fields.Dict(keys=_String(), load_default=dict)
    lock = _List(_String(), load_default=list)

    @validates_schema
    def check_level(self, data: dict[str, Any], **_kw: object) -> None:
        """Exactly one of region and store."""
        if ("region" in data) == ("store" in data):
            raise ValidationError(_("name either a region or a store"))


class _ToolSchema(_Strict):
    policy = _String(validate=validate.OneOf(LEVELS))
    regions = fields.Dict(keys=_String(), values=_String(validate=validate.OneOf(LEVELS)))
    on = _List(_String(), load_default=list)
    off = _List(_String(), load_default=list)
    approved = _List(_String(), load_default=list)
    settings = fields.Dict(keys=_String(), load_default=dict)
    lock = _List(_String(), load_default=list)
    overrides = _List(fields.Nested(_SettingsSchema), load_default=list)
    since = fields.Raw(validate=_day)


class BlueprintSchema(_Strict):
    """A whole blueprint. Every key is known; everything but ``brand`` may be left out."""

    brand = fields.Nested(_BrandSchema, required=True)
    regions = _List(fields.Nested(_RegionSchema), load_default=list)
    owners = _List(fields.Nested(_OwnerSchema), load_default=list)
    stores = _List(fields.Nested(_StoreSchema), load_default=list)
    users = _List(fields.Nested(_UserSchema), load_default=list)
    fields_ = _List(
        fields.Nested(_FieldSchema), load_default=list, data_key="fields", attribute="fields"
    )
    tools = fields.Dict(keys=_String(), values=fields.Nested(_ToolSchema), load_default=dict)
