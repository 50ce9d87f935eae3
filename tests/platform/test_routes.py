"""Rules that learn late to build their URLs build the same as Flask's own."""

from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.routing import BuildError

from highstreet.routes import Application


def page(**_values):
    return ""


def site(kind):
    """The same pages on an application of either kind."""
    app = kind("site", static_folder=None)
    app.config["SERVER_NAME"] = "shop.test"
    for rule, options in (
        ("/", {}),
        ("/store/<brand>/<store>/till", {}),
        ("/pages/<int:number>", {}),
        ("/pages/", {"defaults": {"number": 1}}),
        ("/files/<path:name>", {}),
        ("/say/<any('a', 'b'):word>", {}),
        ("/odd {}/<word>", {}),
    ):
        app.add_url_rule(rule, rule.strip("/").split("/")[0] or "root", page, **options)
    return app


@pytest.fixture
def both():
    ours, theirs = site(Application), site(Flask)
    return ours.test_request_context(), theirs.test_request_context()


ASKED = (
    ("root", {}),
    ("root", {"q": "a b", "page": 2, "self": "x", "rule": "y"}),
    ("store", {"brand": "crust", "store": "north side"}),
    ("store", {"brand": "crust", "store": "é/ü?", "next": "/x?y=1&z=ü"}),
    ("pages", {"number": 1}),
    ("pages", {"number": 7, "order": ["a", "b"]}),
    ("files", {"name": "a/b c.txt", "_anchor": "top"}),
    ("say", {"word": "b"}),
    ("odd {}", {"word": "x"}),
    ("store", {"brand": "crust", "store": "north", "_external": True, "_scheme": "https"}),
)


@pytest.mark.parametrize(("endpoint", "values"), ASKED)
def test_urls_are_the_same_the_first_time_and_afterwards(both, endpoint, values):
    ours, theirs = both
    built = [context.url_adapter for context in both]
    assert all(built)
    with theirs:
        expected = theirs.app.url_for(endpoint, **values)
    with ours:
        assert [ours.app.url_for(endpoint, **values) for _turn in range(3)] == [expected] * 3
    assert urlsplit(expected).path


@pytest.mark.parametrize(
    ("endpoint", "values"), [("nowhere", {}), ("store", {"brand": "crust"}), ("say", {"word": "c"})]
)
def test_what_cannot_be_built_is_refused_as_before(both, endpoint, values):
    for context in both:
        with context, pytest.raises((BuildError, ValueError)):
            context.app.url_for(endpoint, **values)


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("no-slash", {}),
        ("/<unknown:name>", {}),
        ("/<a>/<a>", {}),
        ("/<None>", {}),
        ("/<__debug__>", {}),
        ("/<int(:a>", {}),
        ("/<any('a', 'b'):word>", {"defaults": {"word": "c"}}),
    ],
)
def test_a_wrong_rule_still_stops_the_start(rule, options):
    raised = []
    for kind in (Flask, Application):
        with pytest.raises((ValueError, LookupError, SyntaxError)) as error:
            kind("site", static_folder=None).add_url_rule(rule, "x", page, **options)
        raised.append((error.type, str(error.value)))
    assert raised[0] == raised[1]


def test_a_url_is_compiled_once(monkeypatch):
    from werkzeug.routing import Rule

    compiled = []
    compile_builder = Rule._compile_builder

    def count(self, *rest):
        compiled.append(self.rule)
        return compile_builder(self, *rest)

    monkeypatch.setattr(Rule, "_compile_builder", count)
    app = site(Application)
    assert set(compiled) == {"/pages/"}  # the one with defaults, which could be wrong
    compiled.clear()
    with app.test_request_context():
        for _turn in range(3):
            app.url_for("store", brand="crust", store="north")
    assert compiled == ["/store/<brand>/<store>/till"]
