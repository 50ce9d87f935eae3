"""E-mail in the probe's world: who signs, in which frame, what went out and what came back."""

from typing import Any

from highstreet.email import frames, layouts, pieces, senders
from highstreet.email.models import EmailMessage, EmailReport
from highstreet.email.pieces import PieceIn
from highstreet.kit import marks
from highstreet_tenants import clock
from highstreet_tenants.ids import new_id


def sign(s: Any, firm: str) -> None:
    """Head office says in whose name it writes, and draws a frame."""
    domain = f"{firm.lower()}.example"
    senders.choose(
        s,
        name=f"{firm} Club",
        address=f"club@{domain}",
        reply_to=f"ask@{domain}",
        return_path=f"back@{domain}",
        postal=f"{firm} Ltd, Quay Street",
    )
    layouts.choose(s, frames.plain("#aa0000").replace("{{ brand }}", f"{firm} news"))


def write(s: Any, site: Any, firm: str) -> None:
    """A message of the store's to one of its people, which came back."""
    folk = marks.word(site.people, "folk")
    made = pieces.keep(s, PieceIn("mailing", "marketing", f"{firm} offers", text=f"{firm} says"))
    row = EmailMessage(
        brand_id=s.brand_id,
        id=new_id(),
        store_id=s.owner_store_id,
        place_id=s.store_id,
        customer_id=site.ids["customer"][0],
        piece_id=made,
        kind="mailing",
        purpose="marketing",
        address=site.ids["email"][0],
        called=site.ids["name"][0],
        fills={"said": f"{folk} said"},
        state="sent",
        not_after=clock.now(),
        answer=f"{folk} took it",
    )
    s.add(row)
    s.flush()
    s.add(
        EmailReport(
            brand_id=s.brand_id,
            store_id=s.owner_store_id,
            message_id=row.id,
            kind="soft",
            digest=row.id.hex,
        )
    )
    s.flush()
    site.keep("piece", made)
    site.keep("message", row.id)
