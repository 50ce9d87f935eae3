"""Whom a job goes to: a segment and filters, all of which hold, as a form says them and as a rule.

As they are kept: {"segment": id, "not_seen": days, "postcodes": […], "departments": […],
"bought_days": days}; what is not asked is left out.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from highstreet.sdk import Invalid
from highstreet.sdk import gettext as _

Filters = Mapping[str, Any]
_MOST_DAYS = 3650
_MOST_WORDS = 20


def read(form: Mapping[str, str]) -> dict[str, Any]:
    """Filters of a form's texts. Raises Invalid with a message for each field."""
    errors: dict[str, list[str]] = {}
    found: dict[str, Any] = {}
    if segment := form.get("segment", "").strip():
        try:
            found["segment"] = str(UUID(segment))
        except ValueError:
            errors["segment"] = [_("Choose one of the list.")]
    for name in ("not_seen", "bought_days"):
        text = form.get(name, "").strip()
        if not text:
            continue
        if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= _MOST_DAYS:
            found[name] = int(text)
        else:
            errors[name] = [_("Say a number of days, from 1 to 3,650.")]
    for name in ("postcodes", "departments"):
        words = [one.strip() for one in form.get(name, "").replace("，", ",").split(",")]
        words = [one for one in words if one]
        if len(words) > _MOST_WORDS or any(len(one) > 80 for one in words):
            errors[name] = [_("Name 20 at most, with commas between them.")]
        elif words:
            found[name] = words
    if "departments" in found and "bought_days" not in found and "bought_days" not in errors:
        errors["bought_days"] = [_("Say within how many days they bought there.")]
    if "bought_days" in found and "departments" not in found and "departments" not in errors:
        errors["departments"] = [_("Say from which department.")]
    if errors:
        raise Invalid(_("Some of it can’t be taken as it is."), fields=errors)
    return found


def rule(filters: Filters) -> dict[str, Any]:
    """The filters as a rule: all of them hold; of none, everybody."""
    parts: list[dict[str, Any]] = []
    if segment := filters.get("segment"):
        parts.append({"is": "segment", "id": segment})
    if days := filters.get("not_seen"):
        parts.append(
            {"is": "field", "name": "customer.last_purchase_at", "op": "not_in_last_days",
             "value": days}
        )  # fmt: skip
    if codes := filters.get("postcodes"):
        begins = [
            {"is": "field", "name": "customer.postcode", "op": "begins", "value": one}
            for one in codes
        ]
        parts.append({"is": "any", "of": begins} if len(begins) > 1 else begins[0])
    if names := filters.get("departments"):
        parts.append(
            {"is": "bought", "departments": list(names), "in_last_days": filters["bought_days"]}
        )
    return {"is": "all", "of": parts}


def audience(filters: Filters) -> dict[str, Any]:
    """The same as a mailing takes it: a segment alone is named, so that it says what uses it."""
    if set(filters) == {"segment"}:
        return {"segment_id": UUID(filters["segment"])}
    return {"rule": rule(filters)}
