"""Webhooks in both consoles: the secret once, what was answered, the way out of each trouble."""

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from highstreet.customers import service as customers
from highstreet.webhooks import again, subscriptions
from highstreet.webhooks.models import Webhook, WebhookDelivery
from highstreet_tenants import clock

GIVEN = {"name": "CRM", "url": "https://crm.example/in", "events": ["customer.enrolled"]}


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


@pytest.fixture(params=["store", "office"])
def place(request: Any, front: Any, owner: Any) -> Any:
    """(browser, address of the list, session of the place)."""
    if request.param == "store":
        return owner, f"{front.store(0)}/webhooks", front.session
    boss = front.person("boss", "head_office_manager", 0, None)
    return boss, f"{front.head(0)}/webhooks", front.office


def made(place: Any) -> Any:
    browser, root, _session = place
    return browser.post(root, root, GIVEN)


def test_the_secret_is_shown_once_and_the_webhook_is_listed(place: Any) -> None:
    browser, root, _session = place
    empty = words(browser.get(root))
    assert "No webhook yet" in empty
    assert "Tools A tool went on or off" in empty
    assert "points_club" not in empty, "a tool that is off tells nothing"
    answer = made(place)
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", answer.text)
    listed = browser.get(root)
    assert "crm.example" in words(listed)
    assert secret not in listed.text
    page = browser.get(re.search(rf'href="({root}/[0-9a-f-]+)"', listed.text)[1])
    assert secret not in page.text
    assert "Nothing was sent yet" in words(page)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "https://169.254.169.254/latest"}, "not public"),
        ({"url": "http://crm.example/"}, "https only"),
        ({"name": " "}, "who listens"),
        ({"events": []}, "at least one kind"),
        ({"events": ["no.such"]}, "There is no event"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(place: Any, wrong: Any, said: str) -> None:
    browser, root, session = place
    answer = browser.post(root, root, GIVEN | wrong)
    assert answer.status_code == 422
    assert said in words(answer)
    assert 'value="CRM"' in answer.text or "name" in wrong
    with session(0) as s:
        assert s.scalars(sa.select(Webhook)).all() == []


def test_a_message_its_answer_and_sending_it_again(place: Any, front: Any, house: Any) -> None:
    browser, root, session = place
    made(place)
    with front.session(0, write=True) as s:
        customers.enrol(s, name="Anna")
    house.runner.run_one()  # makes the delivery; nobody carries it
    with session(0, write=True) as s:
        [hook] = s.scalars(sa.select(Webhook))
        s.execute(
            sa.update(WebhookDelivery)
            .where(WebhookDelivery.webhook_id == hook.id)
            .values(status="failed", attempts=10, answer_status=500, answer="<b>no</b>")
        )
    page = browser.get(f"{root}/{hook.id}")
    assert "A customer joined" in words(page)
    assert "&lt;b&gt;no&lt;/b&gt;" in page.text
    assert "Given up" in words(page)
    path = re.search(rf'action="({root}/{hook.id}/deliveries/[0-9a-f-]+/resend)"', page.text)[1]
    browser.post(f"{root}/{hook.id}", path)
    assert "It is sent again, with the same id." in words(browser.get(f"{root}/{hook.id}"))
    with session(0) as s:
        [one] = s.scalars(sa.select(WebhookDelivery))
        assert (one.status, one.attempts) == ("pending", 0)


def test_pausing_rotating_and_deleting(place: Any) -> None:
    browser, root, session = place
    made(place)
    with session(0) as s:
        [hook] = s.scalars(sa.select(Webhook))
    page = f"{root}/{hook.id}"
    browser.post(page, f"{page}/pause")
    assert "Paused since" in words(browser.get(page))
    browser.post(page, f"{page}/enable")
    assert "whsec_" in browser.post(page, f"{page}/rotate").text
    assert "The old one signs until" in words(browser.get(page))
    asked = browser.get(f"{page}/delete")
    assert "can’t be undone" in words(asked)
    browser.post(f"{page}/delete", f"{page}/delete")
    assert browser.get(page).status_code == 404


def test_the_old_secret_signs_for_as_long_as_is_chosen(place: Any) -> None:
    browser, root, session = place
    made(place)
    with session(0) as s:
        [hook] = s.scalars(sa.select(Webhook))
    page = f"{root}/{hook.id}"
    shown = browser.get(page).text
    assert re.search(r'<option value="24" selected>for a day</option>', shown)
    assert "whsec_" in browser.post(page, f"{page}/rotate", {"old_secret_hours": "168"}).text
    with session(0) as s:
        ends = s.get_one(Webhook, (hook.brand_id, hook.id)).old_until
    assert timedelta(days=6, hours=23) < ends - clock.now() < timedelta(days=7, minutes=1)
    for wrong in ("169", "-1", "leaked"):
        refused = browser.post(page, f"{page}/rotate", {"old_secret_hours": wrong})
        assert refused.status_code == 422 and "0 to 168 hours" in refused.text
        assert hook.url in refused.text, "the other form is as it was"
    assert "whsec_" in browser.post(page, f"{page}/rotate", {"old_secret_hours": "0"}).text
    assert "The old one signs until" not in words(browser.get(page))


@pytest.mark.parametrize("reason", ["failing", "gone", "secret"])
def test_the_first_page_says_that_a_webhook_was_switched_off_and_brings_it_back(
    place: Any, front: Any, house: Any, reason: str
) -> None:
    browser, root, session = place
    made(place)
    with front.session(0, write=True) as s:
        for number in range(3):
            customers.enrol(s, name=f"Member {number}")
    house.runner.run_one()  # makes the deliveries; nobody carries them
    with session(0, write=True) as s:
        [hook] = s.scalars(sa.select(Webhook))
        s.execute(
            sa.update(WebhookDelivery)
            .where(WebhookDelivery.webhook_id == hook.id)
            .values(status="failed", attempts=10)
        )
        subscriptions.disable(s, hook, reason)
    first = f"{root.removesuffix('/webhooks')}/"
    page = browser.get(first)
    assert "The webhook “CRM” is switched off" in words(page)
    assert "3 messages did not get there." in words(page)
    assert "was not written down for it" in words(page)
    resume = f"{root}/{hook.id}/resume"
    assert (f'action="{resume}"' in page.text) is (reason != "secret")
    assert f'href="{root}/{hook.id}"' in page.text
    if reason == "secret":
        assert "Make a new one" in words(page)
        return
    browser.post(first, resume)
    page = browser.get(f"{root}/{hook.id}")
    assert "On again. 3 messages are sent now." in words(page)
    with session(0) as s:
        assert subscriptions.get(s, hook.id).status == "active"
        assert {(one.status, one.attempts) for one in s.scalars(sa.select(WebhookDelivery))} == {
            ("pending", 0)
        }
    assert "switched off" not in words(browser.get(first))


def test_whoever_may_not_set_up_webhooks_is_not_told(front: Any, owner: Any, clerk: Any) -> None:
    root = f"{front.store(0)}/webhooks"
    owner.post(root, root, GIVEN)
    with front.session(0, write=True) as s:
        subscriptions.disable(s, s.scalars(sa.select(Webhook)).one(), "failing")
    assert "is switched off" in words(owner.get(f"{front.store(0)}/"))
    assert "is switched off" not in clerk.get(f"{front.store(0)}/").text


def test_what_failed_lately_is_sent_again_and_what_is_older_is_not(place: Any, house: Any) -> None:
    browser, root, session = place
    made(place)
    with session(0, write=True) as s:
        [hook] = s.scalars(sa.select(Webhook))
        for days in (0, 2, 8):
            with time_machine.travel(clock.now() - timedelta(days=days), tick=True):
                again.test(s, hook.id)
        s.execute(
            sa.update(WebhookDelivery)
            .where(WebhookDelivery.webhook_id == hook.id)
            .values(status="failed", attempts=10)
        )
    page = f"{root}/{hook.id}"
    assert "Of the last 7 days" in words(browser.get(page))
    for days, many in (("3", "2 messages are"), ("30", "1 message is")):
        browser.post(page, f"{page}/resend", {"days": days})
        assert f"{many} sent again" in words(browser.get(page))


def test_another_stores_webhook_is_not_found_and_till_staff_see_none(
    front: Any, owner: Any, clerk: Any
) -> None:
    root = f"{front.store(0)}/webhooks"
    assert clerk.get(root).status_code == 403
    with front.session(0, 1, write=True) as s:
        other = subscriptions.subscribe(
            s, name="Other", url="https://other.example/", events=["customer.enrolled"]
        ).webhook.id
    assert owner.get(f"{root}/{other}").status_code == 404
    assert "other.example" not in owner.get(root).text
