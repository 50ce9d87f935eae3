"""The magazine in the probe's world: head office has a publication, an edition and an issue; in
each store a member has chosen how they get it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from highstreet.sdk import ctx_of, new_id
from highstreet_magazine import forms, issues, publications
from highstreet_magazine.forms import Wish
from highstreet_magazine.models import Copy, Returned, Run, Share

NAME = "magazine"
TODAY = date(2026, 11, 20)
#: For the bait.
KINDS = {
    "publication_id": "publication",
    "edition_id": "edition",
    "issue_id": "issue",
    "run_id": "issue",
}
PLAIN = {
    "copies": 2,
    "cutoff_at": datetime(2026, 11, 20, 12, tzinfo=UTC),
    "default_form": "print",
    "form": "print",
    "in_home_on": TODAY,
    "minor": 100,
    "seen": "0" * 64,
    "wrapper": "",
}
FORM = {
    "copies": "2",
    "cost": "12.50",
    "cutoff_at": "2036-05-04T12:00",
    "default_form": "print",
    "edition": "North",
    "form": "print",
    "in_home_on": "2036-05-10",
    "part": "1",
    "publication": "1",
    "purpose": "marketing",
    "regions": "",
    "start": "1",
    "step": "pause",
    "stores": "",
    "title": "Spring",
    "undo": "1",
    "wrapper": "",
}
EXACT = {
    ("highstreet_magazine.issues.write", "content"): {"design": "", "subject": "", "text": ""},
    ("highstreet_magazine.issues.plan", "number"): 7,
    ("highstreet_magazine.publications.numbered", "number"): 1,
    ("highstreet_magazine.copies.of_places", "first"): 0,
    ("highstreet_magazine.copies.of_places", "last"): 9,
}


def begin(s: Any, site: Any, firm: str) -> None:
    """What head office has."""
    ctx = ctx_of(s, NAME)
    made = publications.create(ctx, f"{firm} Gear", "marketing", "print")
    site.keep("publication", made.id)
    edition = publications.add_edition(ctx, made.id, f"{firm} North", language="zh")
    site.keep("edition", edition.id)
    at = ctx.now() + timedelta(days=30)
    row = issues.plan(ctx, made.id, title=f"{firm} Spring", cutoff_at=at, in_home_on=at.date())
    site.keep("issue", row.id)
    run = Run(
        brand_id=s.brand_id, id=new_id(), issue_id=row.id, place=0, form="print",
        edition_id=edition.id, edition=edition.name, mailing_id=new_id(),
    )  # fmt: skip
    s.add(run)
    s.flush()
    s.add(Copy(brand_id=s.brand_id, run_id=run.id, place=0))
    s.add(Returned(brand_id=s.brand_id, run_id=run.id, code=f"{row.id.hex[:10]}", by=f"{firm} Bo"))
    s.add(Share(brand_id=s.brand_id, issue_id=row.id, copies=1, minor=100))


def choose(s: Any, site: Any) -> None:
    """What a member of a store chose; of head office's it sees everything but people."""
    ctx = ctx_of(s, NAME)
    made = publications.numbered(ctx, 1)
    site.keep("publication", made.id)
    site.keep("edition", publications.editions(ctx, made.id)[0].id)
    row = issues.listed(ctx)[0]
    site.keep("issue", row.id)
    s.add(Share(brand_id=s.brand_id, store_id=s.store_id, issue_id=row.id, copies=1, minor=100))
    forms.choose(ctx, site.ids["customer"][0], made.id, "print", 3)


__all__ = ["EXACT", "FORM", "KINDS", "NAME", "PLAIN", "Wish", "begin", "choose"]
