"""What an action may be told: the terms that head office gives it, and what stores change of them.

The action's marshmallow schema is the one place that says what is valid; bounds only narrow it.
"""

from collections.abc import Collection, Mapping
from typing import Any

from marshmallow import EXCLUDE, ValidationError, fields

from highstreet import host as hosts
from highstreet.host import refusals
from highstreet.host.campaign_actions import CampaignAction
from highstreet.host.registry import Host
from highstreet.i18n import gettext as _
from highstreet_tenants.cards import refuse_payment_cards
from highstreet_tenants.errors import Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession

#: Where the fields of terms stand in a form, and in the errors of `check`.
TERMS = "terms"
BOUNDS = "bounds"


def every(host: Host) -> dict[str, tuple[str, CampaignAction]]:
    """Every action by name, with its tool, in the order the tools depend."""
    return {
        action.name: (tool, action)
        for tool, loaded in host.plugins.items()
        for action in loaded.plugin.campaigns
    }


def tool_of(action: str) -> str:
    """The tool that an action belongs to, loaded or not."""
    return action.partition(".")[0]


def find(s: ScopedSession, name: str) -> CampaignAction:
    """An action. Raises NotFound that lists those there are."""
    there = every(hosts.of(s))
    if name not in there:
        raise NotFound(
            _(
                "No tool offers the action “%(name)s”; there are: %(known)s.",
                name=name,
                known=", ".join(there) or "—",
            )
        )
    return there[name][1]


def check(action: CampaignAction, given: Mapping[str, Any]) -> dict[str, Any]:
    """Terms as JSON keeps them. Raises Invalid, naming "terms.…"."""
    refuse_payment_cards(given, TERMS)
    schema = action.terms()
    try:
        loaded = schema.load(dict(given))
    except ValidationError as error:
        raise Invalid(_("The terms can’t be so."), fields=_told(error)) from error
    dumped: dict[str, Any] = schema.dump(loaded)
    return dumped


def load(action: CampaignAction, stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Terms as the tool gets them; what an earlier version of it stored and this one has no field
    for is left out. Raises ValidationError for what it no longer accepts."""
    loaded: Mapping[str, Any] = action.terms(unknown=EXCLUDE).load(dict(stored))
    return loaded


def check_bounds(
    action: CampaignAction, terms: Mapping[str, Any], given: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, int]]:
    """Fields that stores may change, with their bounds, as JSON keeps them. Whole numbers need
    both; head office's own value is within. Raises Invalid, naming "bounds.…"."""
    found: dict[str, dict[str, int]] = {}
    errors: dict[str, list[str]] = {}
    for name, bounds in given.items():
        place = f"{BOUNDS}.{name}"
        if name not in action.store_may:
            errors[place] = [_("Stores can't change this.")]
        elif not isinstance(action.terms._declared_fields[name], fields.Integer):
            found[name] = {}
        else:
            wrong = _wrong_bounds(action, terms, name, bounds)
            if wrong:
                errors[place] = [wrong]
            else:
                found[name] = {"min": int(bounds["min"]), "max": int(bounds["max"])}
    if errors:
        raise Invalid(_("The bounds for the stores can't be so."), fields=errors)
    return found


def _wrong_bounds(
    action: CampaignAction, terms: Mapping[str, Any], name: str, bounds: Mapping[str, Any]
) -> str:
    low, high = bounds.get("min"), bounds.get("max")
    if type(low) is not int or type(high) is not int:
        return _("Say from which to which whole number a store may go.")
    if low > high:
        return _("The smaller bound comes first.")
    value = terms.get(name)
    if value is not None and not low <= value <= high:
        return _("Your own value must lie within what stores may choose.")
    for bound in (low, high):
        try:
            action.terms().load({**terms, name: bound})
        except ValidationError as error:
            return " ".join(_told(error).get(f"{TERMS}.{name}", ())) or str(error)
    return ""


def check_own(
    action: CampaignAction,
    terms: Mapping[str, Any],
    bounds: Mapping[str, Mapping[str, int]],
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """What a store changes, as JSON keeps it: what equals head office's value is left out. Raises
    Invalid, naming "terms.…"."""
    errors: dict[str, list[str]] = {}
    for name, value in given.items():
        place = f"{TERMS}.{name}"
        if name not in bounds:
            errors[place] = [_("Head office does not let stores change this.")]
            continue
        low, high = bounds[name].get("min"), bounds[name].get("max")
        if low is None or high is None:
            continue
        if type(value) is not int or not low <= value <= high:
            errors[place] = [_("Stay from %(low)s to %(high)s.", low=low, high=high)]
    if errors:
        raise Invalid(_("Head office has set bounds. Nothing was changed."), fields=errors)
    whole = check(action, {**terms, **given})
    return {name: whole[name] for name in given if whole[name] != terms.get(name)}


def money_in(action: CampaignAction, terms: Mapping[str, Any]) -> bool:
    """Whether terms name an amount of money, which means another thing in another currency."""
    return any(
        one.metadata.get("money") and terms.get(name)
        for name, one in action.terms._declared_fields.items()
        if isinstance(one, fields.Field)
    )


def _told(error: ValidationError) -> dict[str, list[str]]:
    return _named(error.normalized_messages())  # type: ignore[no-untyped-call]


def _named(messages: Mapping[Any, Any], within: str = TERMS) -> dict[str, list[str]]:
    """marshmallow's messages by dotted name, in the reader's language."""
    found: dict[str, list[str]] = {}
    for key, inner in messages.items():
        name = f"{within}.{key}"
        if isinstance(inner, Mapping):
            found |= _named(inner, name)
        else:
            texts: Collection[Any] = inner if isinstance(inner, list) else [inner]
            found[name] = [refusals.translated(str(one)) for one in texts]
    return found
