"""“Why did I get this?”: on the member's own page, in the store, and by the code on the piece."""

import re
from typing import Any
from uuid import UUID

from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn
from highstreet.consent import service as consent
from highstreet.mailings import drafting, meant, releasing
from highstreet.mailings.facts import MailingIn
from highstreet.members import links
from highstreet.segments import service as segments
from highstreet.segments.rules import All

WORDING = "Larks may write to me"


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


def person(front: Any, name: str, card: str, street: str, store: int = 0, brand: int = 0) -> UUID:
    who: UUID = front.enrol(brand, store, name=name, card=card)
    with front.session(brand, store, write=True) as s:
        addresses.put(s, who, AddressIn("GB", street, "Leeds", "LS1 4DY"))
        for purpose in ("marketing", "news"):
            consent.record(
                s, who, purpose=purpose, channel="post", status="given", wording=WORDING,
                method="till",
            )  # fmt: skip
    return who


def mail(s: Any, name: str) -> None:
    """Everybody in reach gets a piece, as far as they may."""
    segment = segments.save(s, name=f"{name} all", rule=All()).id
    made = drafting.draft(s, MailingIn(name, "news", "post", segment))
    drafting.approve(s, made, drafting.select(s, made).manifest)
    releasing.release(s, made)
    releasing.go_on(s, made)


def refuse(s: Any, who: UUID) -> None:
    consent.record(
        s, who, purpose="news", channel="post", status="withdrawn", wording="", method="till"
    )


def code_of(s: Any, who: UUID) -> str:
    found: str = next(one.piece.code for one in meant.listed(s, who) if one.piece.code)
    return found


def test_the_chain_is_told_to_the_member_the_store_and_whoever_holds_the_piece(
    front: Any, clerk: Any
) -> None:
    ann = person(front, "Ann Lee", "40712286", "15 High St")
    bo = person(front, "Bo Shaw", "40712287", "2 Low Rd", store=1)
    with front.session(0, write=True) as s:
        refuse(s, bo)
    with front.office(0, write=True) as s:
        mail(s, "Spring greetings")
        code = code_of(s, ann)
        held = segments.save(s, name="Later", rule=All()).id
        planned = drafting.draft(s, MailingIn("Not yet", "news", "post", held))
        drafting.select(s, planned)
    with front.session(0, 1, write=True) as s:
        mail(s, "Shop news")
    with front.session(0, write=True) as s:
        # What they say afterwards does not change why they got it.
        refuse(s, ann)
    with front.session(0) as s:
        tokens = [links.make_link(front.site.tenancy, s, who) for who in (ann, bo)]

    own = words(front.site.browser().get(f"/m/{tokens[0]}/pieces"))
    assert "Spring greetings" in own and f"Code {code}" in own and "Not yet" not in own
    assert f"“{WORDING}”" in own and "15 High St" in own and "Bo" not in own
    other = words(front.site.browser().get(f"/m/{tokens[1]}/pieces"))
    assert "Not sent: You had refused it." in other and code not in other
    # A store sees head office's and its own; the member's page has those of all stores.
    assert "Shop news" in other
    assert "Shop news" not in words(clerk.get(f"{front.store(0)}/customers/{bo}/pieces"))
    there = words(clerk.get(f"{front.store(0)}/customers/{ann}/pieces"))
    assert "Spring greetings" in there and f"“{WORDING}”" in there

    stranger = front.site.browser()
    form = stranger.get("/why/harbour")
    assert "Code on the piece" in words(form)
    told = stranger.get(f"/why/harbour?code={code[:5].lower()}-{code[5:]}")
    assert f"They had agreed to these words: “{WORDING}”" in words(told)
    assert "Spring greetings" in words(told) and "It went to:" in words(told)
    for secret in ("Ann", "15 High St", "Leeds", str(ann)):
        assert secret not in told.text
    wrong = stranger.get("/why/harbour?code=0123456789")
    assert wrong.status_code == 404 and "No piece of ours bears this code." in words(wrong)
    assert stranger.get("/why/quarry?code=" + code).status_code == 404
    assert stranger.get("/why/nowhere").status_code == 404


def test_where_stores_own_their_customers_each_tells_of_its_own_pieces(front: Any) -> None:
    cat = person(front, "Cat Moss", "50712286", "3 Quarry Rd", brand=1)
    with front.session(1, write=True) as s:
        mail(s, "Stone news")
        code = code_of(s, cat)
    stores = [one.slug for one in front.brands[1].stores]
    stranger = front.site.browser()
    told = stranger.get(f"/why/quarry/{stores[0]}?code={code}")
    assert told.status_code == 200 and "Stone news" in words(told) and "Cat" not in told.text
    for elsewhere in (f"quarry/{stores[1]}", "quarry", "harbour"):
        assert stranger.get(f"/why/{elsewhere}?code={code}").status_code == 404
