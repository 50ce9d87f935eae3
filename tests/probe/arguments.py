"""What the probe knows of names: which kind of thing an argument of an address, a form or a body
means. A name that is not here makes the walk fail, so that nothing is left out in silence.
"""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from werkzeug.routing import Rule

from probe import magazine
from probe.world import TOOLS, Site

#: Kinds that belong to whoever owns the people met in a store; all others are the store's.
FOLK = frozenset(
    "customer merged card phone email name words note reward account household mail_code".split()
)

#: Kinds that are head office's, and stand in every store of the brand.
BRANDS = frozenset({"design", "version", "contact_rule", "publication", "edition", "issue"})

#: Arguments of addresses → the kind of id (a key of Site.ids).
ADDRESS = {
    "campaign_id": "campaign",
    "customer_id": "customer",
    "other_id": "customer",
    "purchase_id": "purchase",
    "reward_id": "reward",
    "job_id": "job",
    "user_id": "user",
    "grant_id": "grant",
    "link_id": "link",
    "key_id": "key",
    "session_id": "session",
    "till_id": "till",
    "suppression_id": "suppression",
    "rule_id": "contact_rule",
    "segment_id": "segment",
    "mailing_id": "mailing",
    "code": "piece_code",
    "posting_id": "posting",
    "trigger_id": "trigger",
    "scan_id": "scan",
    "response_id": "scan",
    "webhook_id": "webhook",
    "design_id": "design",
    "publication_id": "publication",
    "edition_id": "edition",
    "issue_id": "issue",
    "delivery_id": "delivery",
    "number": "card",
    "pos_ref": "pos_ref",
}
#: Arguments that name nobody's property; each value is tried.
FREE: dict[str, tuple[Any, ...]] = {
    "sender": ("harbour", "no-such-sender"),
    "shop": ("harbour-1", "no-such-store"),
    "ready": ("lapsed", "no-such-segment"),
    "tool": (*TOOLS, "no-such-tool"),
    "tag": ("en", "xx"),
    "side": (0, 99),
    "file": (1, 99),
    "name": ("dark", "no-such-theme"),
    "filename": ("highstreet.css", "../../../etc/passwd", "no-such-file"),
}
#: Where a request stands; filled from the place, never from ids.
PLACE = ("brand", "store")

#: Names in forms and queries → kinds whose foreign values are tried there.
OWNED: dict[str, tuple[str, ...]] = {
    "q": ("name", "words", "card", "phone", "email"),
    "given": ("name",),
    "card": ("card",),
    "number": ("card",),
    "lost": ("card",),
    "replaces": ("card",),
    "phone": ("phone",),
    "email": ("email",),
    "name": ("name",),
    "regions": ("region",),
    "stores": (),
    "receipt": ("pos_ref",),
    "pos_ref": ("pos_ref",),
    "purchase_pos_ref": ("pos_ref",),
    "customer": ("customer",),
    "segment": ("segment",),
    "segment_id": ("segment",),
    "code": ("piece_code", "mail_code"),
    "design": ("design",),
    "of": ("segment",),
    "customer_id": ("customer",),
    "purchase_id": ("purchase",),
    "entered": ("purchase",),
    "reward": ("reward_button",),
    "where": ("slug",),
    "actor": ("user",),
    "object": ("till", "key", "customer"),
    "who": ("email",),
    "region": ("region",),
    "text": ("name",),
    "tool": ("slug",),
    "note": ("note",),
    "suppression": ("suppression",),
    "after": ("cursor",),
    "before": ("cursor",),
    "cursor": ("cursor",),
    "ref": ("ref",),
    # Nobody's, but new each time: no two people of a store share a PIN.
    "again": (),
    "pin": (),
}
_pins = [506_172]
#: Forms that name something of the very customer in their address → the name.
THEIRS = {
    "customers.remove_contact": "phone",
    "customers.remove_note": "note",
    "customers.lift": "suppression",
}
#: Names in forms and queries that can name nobody's property, with a value that is likely to pass
#: (bytes for a file that is sent).
PLAIN: dict[str, str | bytes] = {
    **dict.fromkeys(
        ("area-headline", "area-text", "area-small", "area-sender", "area-postage", "area-price"),
        "Probe",
    ),
    "area-code": "https://example.com/",
    "area-code_text": "Scan me",
    "area-picture": "",
    "by_household": "1",
    "channel": "post",
    "cost": "12.00",
    "holdout": "0",
    "html": "",
    "last_time": "18:00",
    "manifest": "0" * 64,
    "purpose": "marketing",
    "subject": "Probe",
    "undo": "",
    "sheet": "L7160",
    "start": "1",
    "verified": "",
    "kind": "window_poster",
    "shop": "",
    "most": "4",
    "starts": "21:00",
    "ends": "08:00",
    "percent": "5",
    "bought_days": "90",
    "deed": "pause",
    "due": "birthday",
    "departments": "Tea",
    "not_seen": "60",
    "offer": "A free coffee",
    "per_day": "5",
    "per_month": "50",
    "postcodes": "LS1",
    "response_days": "28",
    "upload": b"",
    "size": "a4",
    "window": "",
    "marks": "1",
    "store_areas": "headline",
    "about": "For the autumn",
    "address": "shop@probe.example",
    "plain": "Probe {{ content }}",
    "postal": "1 Probe Lane, Leeds",
    "reply_to": "shop@probe.example",
    "return_path": "back@probe.example",
    "source": "<mjml><mj-body></mj-body></mjml>",
    "action": "key.created",
    "area": "",
    "because": "moved",
    "city": "Leeds",
    "country": "GB",
    "dependent_locality": "",
    "postal_code": "LS1 4DY",
    "recipient": "",
    "sorting_code": "",
    "street": "1 Probe Lane",
    "count": "1",
    "do": "save",
    "json": '{"is": "bought"}',
    "ready": "lapsed",
    "shape": "text",
    "roles": "till_staff",
    "data": "bnVtYmVyLG5hbWUKNzcxLFByb2JlCg==",
    "digest": "cc4671b0cf712d9b1f0170af6e97e12c4931280e6468515398216a910b0b9dac",
    "file": b"number,name\n771,Probe\n",
    "link": "http://localhost/link/probe",
    "make": "1",
    "store": "Probe",
    "codes": "abcd-efgh-jkmn-pqrs",
    "does": "points_club.multiply",
    "amount": "12.34",
    "answer": "approve",
    "birthday": "1980-05-17",
    "current": "not the password",
    "day": "2026-05-14",
    "days": "7",
    "events": "purchase.recorded",
    "url": "https://example.com/hook",
    "description": "Posters come on Friday",
    "done": "1",
    "expires": "",
    "field-hat": "felt",
    "first_day": "2036-05-04",
    "joins": "1",
    "keep": "1",
    "language": "en",
    "last_day": "2036-05-10",
    "level": "required",
    "limit": "50",
    "lock": "120",
    "names": "customer.name,points_club.balance",
    "locale": "en",
    "month": "2026-11",
    "narrow": "1",
    "next": "/",
    "old_secret_hours": "24",
    "on": "1",
    "page": "0",
    "participation": "opt_out",
    "password": "not the password",
    "points": "3",
    "reach": "brand",
    "reason": "do_not_mail",
    "role": "till_staff@store",
    "reset": "1",
    "s-motto": "x",
    "save": "1",
    "scopes": "till.read",
    "seen": "",
    "since": "2026-01-01T00:00:00Z",
    "state": "queued",
    "status": "lost",
    "steps": "1",
    "from_month": "2026-11",
    **magazine.FORM,
    "to_month": "2026-11",
    "theme": "dark",
    "time": "10:41",
    "try": "",  # nothing to try in most tools; `trial.run` is asked among functions
    "to": "2026-05-14",
    "weeks": "12",
    "until": "2036-01-01T00:00:00Z",
    "sure": "1",
    "csrf_token": "",
}
#: Names in bodies that can name nobody's property; the API's own document says what fits there.
BODY = frozenset(
    {
        "copies", "items", "publication",
        "again_after", "by_household", "content", "cost_minor", "holdout", "leave_out", "manifest",
        "most", "not_after", "series", "verified", "words",
        "amount_minor", "at", "channel", "currency", "department", "enabled", "evidence", "fields",
        "at_least_minor", "departments", "first", "id", "ids", "in_last_days", "is", "last", "of",
        "op", "products", "rule", "times", "value",
        "hold", "joined_at", "line_no", "lines", "method", "occurred_at", "old_secret_hours",
        "product", "purpose", "quantity", "total_minor", "version", "wording",
    }
)  # fmt: skip
#: Values in bodies without which the API's own rules let nothing in.
SOUND: dict[str, Any] = {
    "city": "Leeds", "country": "GB", "postal_code": "LS1 4DY", "street": ["1 Probe Lane"],
}  # fmt: skip
#: Prefixes of names that a page makes from a tool's settings or a person's wishes.
MADE = ("bound-", "s-", "lock-", "reset-", "marketing-", "magazine-", "drop-s-")


def usual(name: str, site: Site) -> str:
    """A value of one's own for a name in OWNED, with which a form is likely to pass."""
    number = uuid4().int % 10**9
    if name == "again":  # asked for before "pin", by the alphabet
        _pins.append(_pins[-1] + 7_919)
    return {
        "card": str(site.ids.get("card", [""])[0]),
        "code": str(site.ids.get("piece_code", ["000000"])[0]),
        "segment_id": str(site.ids.get("segment", [""])[0]),
        "name": "Probe Person",
        "email": f"probe.{number}@people.example",
        "note": "why not",
        "number": f"N{number}",
        "pin": str(_pins[-1]),
        "again": str(_pins[-1]),
        "receipt": f"P{number}",
        "ref": f"probe-{number}",
        "reward": "lunch",
        "segment": str(site.ids.get("segment", [""])[0]),
        "text": "a note",
    }.get(name, "")


TEACH = (
    "in tests/probe/arguments.py, put an argument of an address into ADDRESS with the kind of id"
    " that it names, or into FREE with values to try if it names nobody's property; a name in a"
    " form, query or body into OWNED with the kinds whose foreign values are to be tried there, or"
    " into PLAIN with a value that is likely to pass (BODY if the API's document says what fits)"
)


class Untaught(AssertionError):
    """The probe does not know a name. how: what its author is to do about that."""

    def __init__(self, name: str, where: str, how: str = TEACH) -> None:
        super().__init__(f"teach the probe about <{name}> ({where}): {how}")


@dataclass(frozen=True)
class Value:
    """A value for an argument and whose it is (an owner's key; "" for nobody's)."""

    value: Any
    owner: str = ""


def in_body(path: tuple[str, ...], rule: Rule) -> tuple[str, ...]:
    """Kinds whose foreign values are tried at a place in a body. Raises Untaught."""
    name = path[-1] or path[-2]
    if name not in OWNED and name not in PLAIN and name not in BODY:
        raise Untaught(name, f"body of {rule.rule}")
    return OWNED.get(name, ())


def owner_of(kind: str, site: Site) -> str:
    """Whose an id of a kind is that is known at a site."""
    if kind in BRANDS:
        return str(site.brand.slug)
    return site.people if kind in FOLK else site.owner


def kind_of(rule: Rule, argument: str) -> str | None:
    """The kind that an argument of an address means; None for one that names nobody's property."""
    if argument == "user_id" and "grant_id" in rule.arguments:
        return "leaver"  # whose role is the last of a site's grants
    if argument == "other_id" and "/unmerge/" in rule.rule:
        return "merged"
    if argument in ADDRESS and argument not in PLACE:
        return ADDRESS[argument]
    if argument == "token":
        return "token" if rule.rule.startswith("/m/") else "link_token"
    if argument == "slug":
        # Head office names its stores by it; elsewhere it is a page's name.
        return "slug" if rule.rule.startswith("/office/") else None
    if argument in FREE:
        return None
    raise Untaught(argument, rule.rule)


def free(rule: Rule, argument: str) -> list[Value]:
    """Values of an argument that names nobody's property."""
    converter = rule._converters[argument]
    items = getattr(converter, "items", None)
    if items is not None:
        return [Value(item) for item in sorted(items)]
    return [Value(value) for value in FREE.get(argument, ("no-such-page",))]


def known(kind: str, site: Site) -> list[Value]:
    """Ids of a kind at a site."""
    if kind == "reward_button":
        return [Value(f"waiting-{one}", site.people) for one in site.ids.get("reward", ())]
    if kind == "ref":
        return [Value(f"till-{uuid4().hex}")]
    if kind == "cursor":
        return [Value("x")]
    return [Value(one, owner_of(kind, site)) for one in site.ids.get(kind, ())]


def missing(kind: str) -> Any:
    """An id of a kind that nobody has."""
    return {
        "card": "C0000000001",
        "pos_ref": "R-none",
        "slug": "no-such-store",
        "token": "no-such-token",
        "link_token": "no-such-token",
    }.get(kind) or uuid4()
