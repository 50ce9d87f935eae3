# ruff: noqa: E501 - one thing that is tried a line
"""What people type into a message: text, links and pictures stay, all that acts goes."""

from html.parser import HTMLParser

import pytest

from highstreet.email import cleaning, filling, frames, layouts, pieces, trying
from highstreet.email.models import EmailPiece
from highstreet.email.pieces import PieceIn
from highstreet_tenants.errors import Invalid


def read(html: str) -> list[tuple[str, dict[str, str]]]:
    """The tags of a text with their attributes, as a browser sees them."""
    found: list[tuple[str, dict[str, str]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.append((tag, dict(attrs)))

        def handle_comment(self, data):
            found.append(("comment", {}))

    Reader().feed(html)
    return found


GOOD = "<p>Hello {{ name }}, <a href='{{ unsubscribe_url }}'>stop</a></p>"


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>x", "<p onclick='x()'>x</p>", "<a href='javascript:x()'>x</a>",
        "<a href=' java\tscript:x()'>x</a>", "<a href='data:text/html,x'>x</a>", "<iframe src='https://e.example'></iframe>x",
        "<svg onload=x()>x</svg>", "<img src=x onerror=x()>", "<form action='https://e.example'><input name=pw></form>x",
        "<style>body{background:url(https://e.example)}</style>x", "<p style='position:fixed'>x</p>",
        "<math><mtext></p><script>x()</script>", "<!--<script>x()</script>-->x", "<a href='//e.example'>x</a>",
        "<base href='https://e.example'>x", "<meta http-equiv=refresh content='0;url=https://e.example'>x",
        "<link rel=stylesheet href='https://e.example'>x", "<a href='{{ what }}'>x</a>",
        "<a href='{{ what }}unsubscribe_url'>x</a>", "<a href='https://{{ what }}/'>x</a>",
        "<img src='{{ unsubscribe_url }}'>x", "<{{ what }} onclick=x()>x", "x{{ '<script>x()</script>' }}",
        "x{{ what | append: '<script>x()</script>' }}", "<a title='{{ \"' onclick='x()\" }}' href='https://a.example/'>x</a>",
        "{% assign a = '<img src=x onerror=x()>' %}{{ a }}x", "{% if what == '<script>' %}{% endif %}x",
        "<a href='{{ what | default: \"javascript:x()\" }}'>x</a>",
    ],
)  # fmt: skip
def test_nothing_that_acts_is_left(html):
    hostile = {
        "what": "javascript:x()//\"'><script>x()</script>",
        "unsubscribe_url": "https://u.example",
    }
    for tag, attributes in read(filling.html(cleaning.clean(html), hostile)):
        assert tag in cleaning.TAGS
        for name, value in attributes.items():
            assert name in ("href", "src", "title", "alt", "rel")
            if name in ("href", "src"):
                assert value.startswith(("https://u.example", "https://a.example")), value


def test_what_is_harmless_stays():
    html = (
        "<h2>Hi {{ name }}</h2><p>5 &lt; 6 <b>now</b><br>{% if points > 10 and a < 3 %}more{% endif %}"
        '</p><ul><li>a</li></ul><a href="https://shop.example/?a={{ name }}&amp;b=1" title="t">shop</a>'
        '<img src="https://shop.example/a.png" alt="a">'
    )
    kept = cleaning.clean(html)
    assert kept.replace(' rel="noopener noreferrer"', "") == html
    assert filling.html(kept, {"name": "A&B", "points": 11, "a": 2}).count("more") == 1


def test_text_becomes_html_and_html_becomes_text():
    assert cleaning.as_html("Hi {{ name }},\n\n5 < 6\nyes\n") == (
        "<p>Hi {{ name }},</p>\n<p>5 &lt; 6<br>yes</p>"
    )
    html = (
        "<h1>Hi</h1><p>Two <b>for</b> one &amp; more:<br><a href='x' >no</a></p><ul><li>a</li></ul>"
    )
    assert cleaning.as_text(html.replace("'x' ", '"https://s.example/"')) == (
        "Hi\nTwo for one & more:\nno (https://s.example/)\na\n"
    )


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("subject", {"subject": ""}), ("subject", {"subject": "a\nBcc: x@y.example"}),
        ("subject", {"subject": "x" * 201}), ("subject", {"subject": "{{ salary }}"}),
        ("text", {"text": "{{ salary }}"}), ("text", {"text": "{{ name"}), ("html", {"html": "{{ salary }}"}),
        ("html", {"html": "{% raw %}<b>{% endraw %}"}), ("html", {"html": "{%- raw -%}x{% endraw %}"}), ("html", {"html": "{%assign unsubscribe_url='javascript:x()'%}"}),
        ("html", {"html": "{% for card_url in (1..2) %}{% endfor %}"}),
        ("text", {"text": "{% include 'x' %}"}), ("language", {"language": "xx"}), ("text", {"text": "", "html": "<script>"}),
    ],
)  # fmt: skip
def test_what_can_not_be_sent_is_refused_where_it_is_written(field, given):
    whole = {"subject": "Hello", "text": "Hello", **given}
    with pytest.raises(Invalid) as caught:
        pieces.prepare(PieceIn("mailing", "marketing", **whole))
    assert field in caught.value.fields


def test_a_text_is_kept_once_and_never_changed(street):
    street.sign()
    with street.office() as s:
        first = pieces.keep(s, PieceIn("mailing", "marketing", "Hello", html=GOOD))
        assert pieces.keep(s, PieceIn("mailing", "marketing", "Hello", html=GOOD)) == first
        assert pieces.keep(s, PieceIn("mailing", "marketing", "Hello!", html=GOOD)) != first
        layouts.choose(s, frames.plain("#aa0000"))
        assert pieces.keep(s, PieceIn("mailing", "marketing", "Hello", html=GOOD)) != first
        row = s.get(EmailPiece, (s.brand_id, first))
        assert row.layout_id is None, "what was written stays in the frame it was written for"


def test_the_frame_of_a_brand(street):
    with street.office() as s:
        first = layouts.choose(s, frames.plain("#aa0000"))
        second = layouts.choose(s, frames.plain("#ffee00").replace("18px", "20px"))
        assert [first.number, second.number] == [1, 2]
        assert layouts.current(s).id == second.id
        again = layouts.choose(s, frames.plain("#aa0000"))
        assert again.id == first.id == layouts.current(s).id, "an earlier version is no new one"
        html = trying.preview(s)
    assert "#aa0000" in html and "{{" not in html
    for outside in ("googleapis", "http://", "@import", "<link"):
        assert outside not in html.replace("http://www.w3.org/1999/xhtml", ""), outside


def test_letters_are_readable_on_any_colour():
    assert 'color="#ffffff">{{ brand }}' in frames.plain("#1f3d36")
    assert 'color="#1b1f23">{{ brand }}' in frames.plain("#ffee00")
    assert "evil" not in frames.plain('#fff"/><evil>')


FRAME = frames.plain(None)


@pytest.mark.parametrize(
    "source",
    [
        "", "hello", FRAME.replace("{{ unsubscribe }}", ""), FRAME.replace("{{ postal_address }}", ""),
        FRAME.replace("{{ content }}", ""), FRAME.replace("{{ content }}", "{{ content }}{{ content }}"),
        FRAME.replace("{{ content }}", "{{ content }}{{ salary }}"),
        FRAME.replace("<mj-text>{{", "<mj-include path='/etc/passwd' /><mj-text>{{"),
        FRAME.replace("<mj-text>{{", "<mj-raw><script>x()</script></mj-raw><mj-text>{{"),
        FRAME.replace("<mj-text>{{", "<mj-text><script>x()</script>{{"),
        FRAME.replace("<mj-text>{{", "<mj-text><a href='javascript:x()'>x</a>{{"),
        FRAME.replace("<mj-text>{{", "<mj-text><p onclick='x()'>x</p>{{"),
        FRAME.replace("<mj-text>{{", "<mj-text><p style='background:url(https://e.example)'>x</p>{{"),
        FRAME.replace("<mj-text>{{", "<mj-image src='http://e.example/a.png' /><mj-text>{{"),
        FRAME.replace("<mj-text>{{", "<mj-text><!-- x -->{{"), FRAME.replace("<mj-text>{{", "<mj-text>{% raw %}{{"),
        FRAME.replace("<mj-head>", "<mj-head><mj-font name='x' href='https://e.example' />"),
        FRAME.replace("<mj-head>", "<mj-head><mj-style>p{}</mj-style>"),
        FRAME.replace("</mjml>", ""), FRAME + "x" * frames.MOST,
    ],
)  # fmt: skip
def test_a_frame_that_may_not_be_sent_is_refused(source):
    with pytest.raises(Invalid) as caught:
        frames.compiled(source)
    assert caught.value.fields["source"]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("name", {"name": ""}), ("name", {"name": "Harbour\r\nBcc: x@evil.example"}), ("name", {"name": "a" * 121}),
        ("name", {"name": "ceo@bank.example"}), ("address", {"address": ""}), ("address", {"address": "club"}),
        ("address", {"address": "club@harbour"}), ("address", {"address": "a@b.example\nBcc: x@y.example"}),
        ("reply_to", {"reply_to": "nobody"}), ("return_path", {"return_path": "back+x@b.example"}),
        ("return_path", {"return_path": f"{'b' * 21}@b.example"}), ("postal", {"postal": " \n "}),
    ],
)  # fmt: skip
def test_a_sender_that_can_not_be_used_is_refused(street, field, given):
    with pytest.raises(Invalid) as caught:
        street.sign(**given)
    assert list(caught.value.fields) == [field]
