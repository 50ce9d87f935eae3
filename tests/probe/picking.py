"""Segments in the probe's world: each place has a rule, a list of its people and a snapshot; and
somebody whom it must not contact, and did; and a mailing."""

from typing import Any

from highstreet.consent import contacts, laying_down, suppressions
from highstreet.consent import service as consent
from highstreet.mailings import drafting, queries
from highstreet.mailings.facts import MailingIn
from highstreet.segments import service
from highstreet.segments.rules import Bought
from highstreet_tenants import clock


def fill(s: Any, site: Any, firm: str) -> None:
    """Make them, as whoever the people here belong to."""
    rule = service.save(s, name=f"{firm} buyers", about=f"{firm} knows them", rule=Bought())
    site.keep("segment", rule.id)
    if s.store_id is None:
        cap = laying_down.lay_down(s, "cap", "post", most=400, days=30)
        site.keep("contact_rule", cap.id)
    if s.store_id is None and s.customers == "store":
        return
    site.keep("snapshot", service.take(s, rule.id, used_for="probe:").id)
    kept = service.make_list(s, name=f"{firm} guests", people=site.ids["customer"])
    site.keep("segment", kept.id)
    who = site.ids["customer"][1]
    stop = suppressions.suppress(
        s, who, reason="bounced", source="console", address=site.ids["email"][0]
    )
    site.keep("suppression", stop.id)
    contacts.note(s, [who], channel="post", purpose="marketing", used_for="probe:", at=clock.now())
    for one in site.ids["customer"]:
        consent.record(
            s, one, purpose="marketing", channel="post", status="given", wording="Yes", method="x"
        )
    plan = MailingIn(f"{firm} spring", "marketing", "post", rule.id, {"text": f"{firm} greets"})
    mailing_id = drafting.draft(s, plan)
    drafting.select(s, mailing_id)
    site.keep("mailing", mailing_id)
    for piece in queries.pieces(s, mailing_id, state="ready"):
        site.keep("piece_code", piece.code)
    assert site.ids["piece_code"], "a piece that somebody gets"
