"""Webhooks in both consoles: the secret once, what was answered, the way out of each trouble."""

import re
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.customers import service as customers
from highstreet.webhooks import subscriptions
from highstreet.webhooks.models import Webhook, WebhookDelivery

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
    assert "No webhook yet" in words(browser.get(root))
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


def test_today_says_that_a_webhook_was_switched_off(front: Any, owner: Any) -> None:
    root = f"{front.store(0)}/webhooks"
    owner.post(root, root, GIVEN)
    with front.session(0, write=True) as s:
        subscriptions.disable(s, s.scalars(sa.select(Webhook)).one(), "failing")
    day = owner.get(f"{front.store(0)}/")
    assert "The webhook “CRM” is switched off" in words(day)
    assert "took nothing for three days" in words(day)


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
