"""Whether every route says whom it lets in, in words that mean something."""

from highstreet.host import access
from highstreet.web import guard
from probe.world import World

API = "/api/v1"
#: What a page of no place may require: that somebody is signed in.
NOWHERE = frozenset({"self"})
#: Files of a tool: for whoever has any role in the place.
ANY_ROLE = frozenset({"place"})


def unstated(world: World) -> list[str]:
    """Routes that do not say whom they let in, or say it in no way that is known."""
    catalogue = world.catalogue
    wrong = []
    for rule in world.app.url_map.iter_rules():
        view = world.app.view_functions[rule.endpoint]
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
