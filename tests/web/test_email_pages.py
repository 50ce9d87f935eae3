"""Head office's e-mail page: who writes, in which frame, a test to oneself, what became of it."""

import re

import pytest

from highstreet.email import setting
from smtp_sink import Sink

SENDER = {
    "name": "Harbour Club",
    "address": "club@harbour.example",
    "reply_to": "",
    "return_path": "back@bounce.example",
    "postal": "1 Quay Street\nBristol",
}


@pytest.fixture
def sink(front, monkeypatch):
    found = Sink().start()
    mail = front.site.house.mail
    monkeypatch.setattr(mail, "_url", found.url)
    monkeypatch.setitem(mail.__dict__, "transport", setting.read(found.url, only_here=True))
    yield found
    mail.transport.close()
    found.stop()


@pytest.fixture
def head(front):
    return front.person("hilda", "head_office_manager", 0, None)


def words(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


def test_without_a_server_the_page_says_so(front, head):
    page = head.get(f"{front.head(0)}/email")
    assert page.status_code == 200
    assert "No mail server is set up, so no mail leaves" in words(page)


def test_a_sender_is_set_and_shown(front, head, sink):
    page = f"{front.head(0)}/email"
    assert "Head office has not said yet" in words(head.get(page))
    assert head.post(page, f"{page}/sender", SENDER).status_code == 303
    shown = head.get(page)
    assert 'value="club@harbour.example"' in shown.text
    assert "Head office has not said yet" not in words(shown)
    assert "Bristol" in head.get(f"{page}/preview").text


def test_a_wrong_sender_comes_back_as_it_was_typed(front, head):
    page = f"{front.head(0)}/email"
    answer = head.post(page, f"{page}/sender", {**SENDER, "address": "club"})
    assert answer.status_code == 422
    assert 'value="club"' in answer.text and "This is no address" in words(answer)


def test_the_preview_does_nothing_but_show(front, head):
    answer = head.get(f"{front.head(0)}/email/preview")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox;" in policy and "script" not in policy
    assert "frame-ancestors 'self'" in policy
    page = head.get(f"{front.head(0)}/email")
    assert re.search(r"<iframe [^>]*sandbox></iframe>", page.text)
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]


def test_a_frame_is_changed_and_taken_back(front, head):
    page = f"{front.head(0)}/email"
    source = re.search(
        r'<textarea[^>]*name="source"[^>]*>(.*?)</textarea>', head.get(page).text, re.S
    )
    import html

    mjml = html.unescape(source[1])
    assert (
        head.post(page, f"{page}/layout", {"source": mjml.replace("18px", "22px")}).status_code
        == 303
    )
    assert "Version 1" in words(head.get(page))
    assert "22px" in head.get(f"{page}/preview").text
    bad = head.post(page, f"{page}/layout", {"source": mjml.replace("{{ unsubscribe }}", "")})
    assert bad.status_code == 422 and "The frame must hold {{ unsubscribe }}." in words(bad)
    script = head.post(
        page,
        f"{page}/layout",
        {"source": mjml.replace("{{ content }}", "<script>x</script>{{ content }}")},
    )
    assert script.status_code == 422
    assert head.post(page, f"{page}/layout", {"plain": "1"}).status_code == 303
    assert "22px" not in head.get(f"{page}/preview").text


def test_a_test_goes_to_oneself(front, head, sink):
    page = f"{front.head(0)}/email"
    assert head.post(page, f"{page}/test", {"to": "hilda@harbour.example"}).status_code == 409
    head.post(page, f"{page}/sender", SENDER)
    assert head.post(page, f"{page}/test", {"to": "hilda"}).status_code == 422
    assert sink.got == []
    assert head.post(page, f"{page}/test", {"to": "hilda@harbour.example"}).status_code == 303
    assert "The server took it" in words(head.get(page))
    [got] = sink.got
    assert got.to == ["hilda@harbour.example"]
    sink.answer = lambda stage, _to: "550 5.1.1 nobody" if stage == "RCPT" else None
    head.post(page, f"{page}/test", {"to": "hilda@harbour.example"})
    assert "550 5.1.1 nobody" in words(head.get(page))


def test_who_may_only_look_changes_nothing(front, sink):
    looker = front.person("mark", "head_office_marketing", 0, None)
    page = f"{front.head(0)}/email"
    assert looker.get(page).status_code == 200
    for deed in ("sender", "layout", "test"):
        assert looker.post("/me", f"{page}/{deed}", SENDER).status_code == 403
    assert front.person("olga", "store_owner", 0).get(page).status_code == 404


def test_in_chinese(front, head):
    page = head.get(f"{front.head(0)}/email", headers={"Accept-Language": "zh"})
    assert "会员邮件" in page.text
