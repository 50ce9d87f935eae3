"""What an operator may ask of the magazine on the command line."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from highstreet.sdk import Ctx, Invalid, Verb
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_magazine import counting, issues, listing, running
from highstreet_magazine.names import NAME

_ISSUE = {"issue": _l("its id, as magazine.issues lists it")}
Rows = Sequence[Mapping[str, Any]]


def listed(ctx: Ctx, _options: Mapping[str, str]) -> Rows:
    """The latest issues."""
    return [
        {
            "issue": str(row.id),
            "name": issues.named(ctx, row),
            "cut-off": row.cutoff_at.isoformat(),
            "in the homes": row.in_home_on.isoformat(),
            "state": issues.standing(ctx, row),
        }
        for row in issues.listed(ctx)
    ]


def select(ctx: Ctx, options: Mapping[str, str]) -> Rows:
    """Work out at once who gets it; gives where everybody went."""
    row = running.select(ctx, _id(options))
    if row.problem:
        return [{"problem": row.problem}]
    return [{"manifest": running.manifest(ctx, row.id)}, *_went(ctx, row.id)]


def waterfall(ctx: Ctx, options: Mapping[str, str]) -> Rows:
    """Where everybody went."""
    return _went(ctx, issues.get(ctx, _id(options)).id)


def approve(ctx: Ctx, options: Mapping[str, str]) -> Rows:
    """Approve what was worked out."""
    return _state(ctx, running.approve(ctx, _id(options), options.get("manifest", "")).id)


def release(ctx: Ctx, options: Mapping[str, str]) -> Rows:
    """Let it go out."""
    return _state(ctx, running.release(ctx, _id(options)).id)


def stop(ctx: Ctx, options: Mapping[str, str]) -> Rows:
    """Stop it for good."""
    running.stop(ctx, _id(options))
    return _state(ctx, _id(options))


def editions(ctx: Ctx, options: Mapping[str, str]) -> Rows:
    """What the printer prints."""
    return [
        {
            "edition": one.run.edition,
            "form": one.run.form,
            "pieces": one.pieces,
            "copies": one.copies,
        }
        for one in counting.parts(ctx, _id(options))
    ]


def postcodes(ctx: Ctx, options: Mapping[str, str]) -> Rows:
    """What the post office counts."""
    return [
        {"country": country, "postal code": code, "pieces": pieces}
        for country, code, pieces in counting.postcodes(ctx, _id(options))
    ]


def mailing_list(ctx: Ctx, options: Mapping[str, str]) -> Rows:
    """What the mail house gets."""
    return [
        {
            "code": one.code,
            "copies": one.copies,
            "edition": one.edition,
            "wrapper": one.wrapper,
            "name": one.name,
            "address": "\n".join(one.lines),
            "postal code": one.postal_code,
        }
        for one in listing.lines(ctx, _id(options))
    ]


def shares(ctx: Ctx, options: Mapping[str, str]) -> Rows:
    """What each store bears."""
    return [
        {"number": one.code, "store": one.name, "copies": one.copies, "minor": one.minor}
        for one in counting.by_store(ctx, _id(options))
    ]


def came_back(ctx: Ctx, options: Mapping[str, str]) -> Rows:
    """The post brought a copy back."""
    if not options.get("code"):
        raise Invalid(_("Say the code on the wrapper: code=…"))
    done = listing.came_back(ctx, options.get("code", ""))
    return [{"code": done.code, "edition": done.edition, "at": done.at.isoformat()}]


def _went(ctx: Ctx, issue_id: UUID) -> Rows:
    told = counting.totals(ctx, issue_id)
    out = [{"what": one.reason, "members": one.people, "late": one.late} for one in told.reasons]
    figures = {name: getattr(told, name) for name in ("ready", "sent", "failed", "returned")}
    return [
        {"what": "selected", "members": told.selected, "late": False},
        *out,
        *({"what": name, "members": n, "late": False} for name, n in figures.items()),
    ]


def _state(ctx: Ctx, issue_id: UUID) -> Rows:
    row = issues.get(ctx, issue_id)
    return [{"issue": str(row.id), "state": issues.standing(ctx, row)}]


def _id(options: Mapping[str, str]) -> UUID:
    try:
        return UUID(options.get("issue", ""))
    except ValueError:
        raise Invalid("say which issue: issue=ID") from None


VERBS = (
    Verb(f"{NAME}.issues", _l("The latest issues"), listed),
    Verb(f"{NAME}.select", _l("Work out who gets an issue"), select, _ISSUE, writes=True),
    Verb(f"{NAME}.waterfall", _l("Where everybody of an issue went"), waterfall, _ISSUE),
    Verb(
        f"{NAME}.approve",
        _l("Approve an issue as it was worked out"),
        approve,
        {**_ISSUE, "manifest": _l("the digest that magazine.select gave")},
        writes=True,
    ),
    Verb(f"{NAME}.release", _l("Let an approved issue go out"), release, _ISSUE, writes=True),
    Verb(f"{NAME}.stop", _l("Stop an issue for good"), stop, _ISSUE, writes=True),
    Verb(f"{NAME}.editions", _l("Pieces and copies of each edition"), editions, _ISSUE),
    Verb(f"{NAME}.postcodes", _l("Pieces by postal code"), postcodes, _ISSUE),
    Verb(f"{NAME}.list", _l("The mailing list of an issue"), mailing_list, _ISSUE),
    Verb(f"{NAME}.shares", _l("Copies and cost of an issue by store"), shares, _ISSUE),
    Verb(
        f"{NAME}.came_back",
        _l("A copy that the post brought back"),
        came_back,
        {"code": _l("on the wrapper")},
        writes=True,
    ),
)
