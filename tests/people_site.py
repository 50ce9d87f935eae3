"""The web face on a test's database, and browsers that sign in there."""

import re
from types import SimpleNamespace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from highstreet.app import create_app
from highstreet_tenants.people import operate, roles
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope

GOOD = "correct horse"


class Site:
    """An application and who uses it."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.house = app.extensions["highstreet"]
        self.tenancy = self.house.tenancy
        self.catalogue: Catalogue = app.extensions["highstreet.catalogue"]

    def person(self, name: str, *held: tuple[str, Node], password: str | None = GOOD) -> str:
        """Somebody with these roles; gives the e-mail."""
        email = f"{name}@people.example"
        user_id = operate.create_user(self.house, email, name.title(), password=password)
        for role, at in held:
            with self.tenancy.session(Scope.operator(at.brand_id), write=True) as s:
                roles.grant(s, user_id, role, at, by=None, catalogue=self.catalogue)
        return email

    def browser(self, email: str | None = None, password: str = GOOD) -> "Browser":
        """A fresh browser, signed in if an e-mail is given."""
        browser = Browser(self.app.test_client())
        if email is not None:
            answer = browser.post("/signin", "/signin", {"email": email, "password": password})
            assert answer.status_code == 303, answer.text
        return browser

    def user(self, email: str) -> SimpleNamespace:
        """Id and roles of a person now."""
        from highstreet_tenants.people import accounts

        with self.tenancy.control() as s:
            user = accounts.find_user(s, email)
            assert user is not None
            return SimpleNamespace(
                id=user.id,
                disabled=user.disabled_at is not None,
                name=user.name,
                grants=grants_of(s, user.id),
                roles={(g.role, g.node_id) for g in grants_of(s, user.id)},
            )


class Browser:
    """A client that fills in forms as a person does: it loads the page and sends its token."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, **more)

    def post(self, page: str, path: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
        """Load `page`, then post its form to `path`."""
        shown = self.client.get(page, **more)
        found = re.search(r'name="csrf_token" value="([^"]+)"', shown.text)
        assert found is not None, f"{page} has no form: {shown.status_code}"
        return self.client.post(path, data={**(data or {}), "csrf_token": found[1]}, **more)

    def press(self, page: str, words: str, data: dict[str, Any] | None = None) -> Any:
        """Load `page` and press the button that says `words`."""
        shown = self.client.get(page)
        for action, body in re.findall(
            r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', shown.text, re.S
        ):
            if re.search(rf"<button[^>]*>\s*{re.escape(words)}", body):
                found = re.search(r'name="csrf_token" value="([^"]+)"', body)
                assert found is not None, f"the form of {words!r} has no token"
                return self.client.post(action, data={**(data or {}), "csrf_token": found[1]})
        raise AssertionError(f"no button {words!r} on {page} ({shown.status_code})")


def make_site(database: Any, instance: str) -> Site:
    """The whole application on the test's database."""
    return Site(
        create_app(
            {
                "instance": instance,
                "database_url": database.url,
                "owner_database_url": database.extra["owner_url"],
                "secret_key": "for tests only",
                "password_hasher": "cheap",
                "rate_per_key": 0,  # tests ask faster than people; test_rates.py has limits
                "rate_per_address": 0,
                "base_url": "http://localhost",
                "testing": True,
            }
        )
    )
