"""The link in each message: looking changes nothing, one press stops, nobody else's is touched."""

import re
from uuid import uuid4

import pytest

from highstreet.consent import queries as consent
from highstreet.consent import service
from highstreet.consent.models import ConsentEvent
from highstreet.email.tokens import Stop, Tokens
from highstreet_tenants.clock import now

CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture(params=[0, 1])
def at(front, request):
    """A member who agreed to three things, in each kind of brand, and their link."""
    front.number = request.param
    front.who = front.enrol(front.number, name="Maren", email="maren@example.org")
    for purpose, channel in (("marketing", "email"), ("marketing", "post"), ("survey", "email")):
        _agree(front, front.who, purpose, channel)
    front.link = _link(front, front.who)
    return front


def _agree(front, who, purpose="marketing", channel="email"):
    with front.session(front.number, write=True) as s:
        service.record(
            s, who, purpose=purpose, channel=channel, status="given", wording="Yes", method="till"
        )


def _link(front, who, number=None, purpose="marketing"):
    brand = front.brands[front.number if number is None else number]
    owner = None if brand.slug == "harbour" else brand.stores[0].id
    tokens = front.site.house.mail.tokens
    return f"/u/{tokens.stop(Stop(brand.id, owner, who, uuid4(), purpose))}"


def allowed(front, who=None) -> set[str]:
    found = set()
    with front.session(front.number) as s:
        for purpose, channel in (
            ("marketing", "email"),
            ("marketing", "post"),
            ("survey", "email"),
        ):
            if consent.may_contact(s, who or front.who, purpose, channel):
                found.add(f"{purpose}:{channel}")
    return found


ALL = {"marketing:email", "marketing:post", "survey:email"}


def test_looking_changes_nothing(at):
    """Mail scanners open every link of a message, and some ask for its head first."""
    browser = at.site.browser()
    page = browser.get(at.link)
    assert page.status_code == 200
    assert "Set-Cookie" not in page.headers
    for address in re.findall(r'(?:href|action)="(/u/[^"]*)"', page.text):
        browser.get(address)
    browser.client.head(at.link)
    browser.client.options(at.link)
    browser.client.put(at.link, data=CLICK)
    browser.client.delete(at.link)
    assert allowed(at) == ALL


@pytest.mark.parametrize("kind", ["form", "multipart"])
def test_one_click_stops_at_once(at, kind):
    """As a mail service does it: no cookie, no sign-in, no token of a form."""
    more = {"content_type": "multipart/form-data"} if kind == "multipart" else {}
    answer = at.site.browser().client.post(at.link, data=CLICK, **more)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert allowed(at) == ALL - {"marketing:email"}
    with at.session(at.number) as s:
        [said] = [one for one in consent.state(s, at.who) if one.status == "withdrawn"]
    assert (said.purpose, said.channel, said.method) == ("marketing", "email", "one-click")


def test_pressing_twice_is_one_word(at):
    for _time in range(3):
        at.site.browser().client.post(at.link, data=CLICK)
    with at.session(at.number) as s:
        events = list(s.query(ConsentEvent).filter(ConsentEvent.status == "withdrawn"))
    assert len(events) == 1


def test_a_post_that_does_not_say_so_stops_nothing(at):
    for data in ({}, {"List-Unsubscribe": "x"}, {"list-unsubscribe": "One-Click "}):
        assert at.site.browser().client.post(at.link, data=data).status_code == 400
    assert allowed(at) == ALL


def test_the_page_lets_keep_some_and_stop_all(at):
    client = at.site.browser().client
    assert client.post(f"{at.link}/choices", data={"keep": "survey:email"}).status_code == 303
    assert allowed(at) == {"survey:email"}
    client.post(f"{at.link}/choices", data={"all": "1"})
    assert allowed(at) == set()
    with at.session(at.number) as s:
        last = max(consent.state(s, at.who), key=lambda one: one.at)
    assert (last.purpose, last.channel, last.status) == ("*", "*", "withdrawn")


def test_nobody_agrees_by_this_link(at):
    """A message that is forwarded lets a stranger stop, never agree."""
    client = at.site.browser().client
    client.post(f"{at.link}/choices", data={"all": "1"})
    client.post(f"{at.link}/choices", data={"keep": sorted(ALL)})
    assert allowed(at) == set()


def test_who_agrees_again_can_stop_again(at):
    client = at.site.browser().client
    client.post(at.link, data=CLICK)
    _agree(at, at.who)
    assert "marketing:email" in allowed(at)
    client.post(at.link, data=CLICK)
    assert "marketing:email" not in allowed(at)


def test_tokens_that_are_not_ours_open_nothing(at):
    token = at.link.removeprefix("/u/")
    middle = len(token) // 2
    other = Tokens("another secret").stop(Stop(at.brands[0].id, None, at.who, uuid4(), "marketing"))
    wrong = [
        "x", "", "a" * 500, token[:-1], token + "A", "/" + token, token.swapcase(), other,
        token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :],
        token.replace("-", "+").replace("_", "/") + "=", "é" * 40,
    ]  # fmt: skip
    for one in wrong:
        if one in (token,):
            continue
        for method in ("get", "post"):
            answer = getattr(at.site.browser().client, method)(f"/u/{one}", data=CLICK)
            assert answer.status_code in (404, 405, 308), one
    assert allowed(at) == ALL


def test_another_brands_link_touches_nobody_here(at):
    """The same customer's id, in a link of the other brand."""
    other = 1 - at.number
    for link in (_link(at, at.who, other),):
        answer = at.site.browser().client.post(link, data=CLICK)
        assert answer.status_code == 200
        assert "We hold no address of yours" in answer.text
    assert allowed(at) == ALL


def test_another_stores_link_touches_nobody_here(front):
    front.number = 1
    who = front.enrol(1, name="Maren", email="maren@example.org")
    _agree(front, who)
    brand = front.brands[1]
    tokens = front.site.house.mail.tokens
    for owner in (brand.stores[1].id, None, uuid4()):
        token = tokens.stop(Stop(brand.id, owner, who, uuid4(), "marketing"))
        front.site.browser().client.post(f"/u/{token}", data=CLICK)
    assert "marketing:email" in allowed(front, who)


def test_it_works_after_two_months_and_after_the_person_is_gone(at):
    from datetime import timedelta

    import time_machine

    from highstreet.customers import service as customers

    with time_machine.travel(now() + timedelta(days=90), tick=True):
        assert at.site.browser().client.post(at.link, data=CLICK).status_code == 200
        assert "marketing:email" not in allowed(at)
    if at.number == 0:
        with at.office(0, write=True) as s:
            customers.erase(s, at.who, reason="asked")
        answer = at.site.browser().client.post(at.link, data=CLICK)
        assert answer.status_code == 200 and "nothing is sent" in answer.text


def test_a_merged_members_old_link_stops_for_the_one_they_became(at):
    from highstreet.customers import service as customers

    other = at.enrol(at.number, name="Maren Again", email="maren.two@example.org")
    _agree(at, other)
    session = at.office(0, write=True) if at.number == 0 else at.session(1, write=True)
    with session as s:
        customers.merge(s, other, at.who)
    at.site.browser().client.post(at.link, data=CLICK)
    assert "marketing:email" not in allowed(at, other)


def test_it_speaks_the_members_language(front):
    front.number = 0
    who = front.enrol(0, name="小梅", email="mei@example.org", language="zh-Hans")
    assert "停止" in front.site.browser().get(_link(front, who)).text
