"""Whether every route says whom it lets in, in words that mean something."""

from collections.abc import Iterable

from flask import Flask
from werkzeug.routing import Rule

from highstreet.host import access
from highstreet.web import guard

API = "/api/v1"
#: What a page of no place may require: that somebody is signed in.
NOWHERE = frozenset({"self"})
#: Files of a tool: for whoever has any role in the place.
ANY_ROLE = frozenset({"place"})


def unstated(app: Flask, rules: Iterable[Rule] | None = None) -> list[str]:
    """Routes (those given, or all) that do not say whom they let in, or in no way that is known."""
    catalogue = app.extensions["highstreet.catalogue"]
    wrong = []
    for rule in app.url_map.iter_rules() if rules is None else rules:
        view = app.view_functions[rule.endpoint]
        permission, why = access.permission_of(view), access.why_public(view)
        if not guard.stated(view):
            wrong.append(f"{rule.rule} says neither @requires nor @public")
        elif permission and why:
            wrong.append(f"{rule.rule} says both")
        elif why is not None:
            if len(why.split()) < 3:
                wrong.append(f"{rule.rule}: say why it is public")
        elif rule.rule.startswith(API):
            if permission not in catalogue.scopes:
                wrong.append(f"{rule.rule}: keys have no scope {permission}")
        elif "brand" in rule.arguments:
            if permission not in {*catalogue.permissions, *ANY_ROLE}:
                wrong.append(f"{rule.rule}: there is no permission {permission}")
        elif permission not in NOWHERE:
            wrong.append(f"{rule.rule} stands in no place, so nobody holds {permission} there")
    return wrong
