"""What somebody must have got into: a probe that is let in nowhere finds nothing."""

from collections.abc import Mapping

from highstreet.host import access
from probe.walk import Walk

#: What a store's owner can't open with what the probe sends, and why.
CLOSED: Mapping[str, str] = {
    "GET tools.switch": "head office requires the tools",
    "POST tools.agree": "nothing is new in the tools",
    "POST tools.resume": "nothing is paused",
    "POST tools.withdraw": "nothing was asked for",
    "POST direct_mail-store.print_file": "nothing of it was printed",
    "POST customers.erase": "the name must be typed",
    "POST segments.store_change": "its rows name themselves: web/test_segments_pages.py",
    "POST segments.store_create": "its rows name themselves: web/test_segments_pages.py",
    "POST segments.store_sheet": "of a club no store takes the list along",
    "POST mailings.store_change": "the plan is thrown away before",
    "POST mailings.store_do_approve": "it names the manifest: web/test_mailings_pages.py",
    "POST mailings.store_do_pause": "nothing was approved",
    "POST mailings.store_do_release": "nothing was approved",
    "POST mailings.store_do_resume": "nothing was approved",
    "POST mailings.store_do_stop": "nothing was approved",
    "POST mailings.store_file": "nothing was printed",
    "POST mailings.store_labels": "the plan is thrown away before",
    "POST mailings.store_print": "nothing was released",
    "POST mailings.store_proof": "it has no design: platform/mailings/test_pressing.py",
    "POST mailings.store_returned": "nothing was sent",
    "POST mailings.store_sheet": "nothing was released",
    "POST till.give_back": "the purchase is undone before",
    "GET customers.erase_form": "of a club no store holds all",
    "POST customers.export": "of a club no store holds all",
    "POST customers.sheet_of_all": "of a club no store takes the list along",
    "POST people.store_factor_reset": "nobody there has set up a second factor",
    "GET people.store_withdraw_newcomer": "everybody there has come",
    "POST people.store_renew": "the offer is taken back before",
    "POST people.keys.rotate": "the spare key is revoked before",
}
CLOSED_TO_TILLS: Mapping[str, str] = {
    "POST direct_mail-api.respond": "no piece of the probe's was sent: plugins/direct_mail",
    "POST points_club-api.give_back": "the held reward is not handed over",
    "POST points_club-api.redeem": "the held reward is released before",
    "DELETE api-mailings.not_back": "nothing was sent",
    "PUT api-mailings.came_back": "nothing was sent",
    "GET api-mailings.why": "people are selected anew before, and codes are new then",
    "POST api-mailings.approve": "it names the manifest: tests/rest/test_mailings.py",
    "POST api-mailings.pause": "nothing was approved",
    "POST api-mailings.release": "nothing was approved",
    "POST api-mailings.resume": "nothing was approved",
    "POST api-mailings.stop": "nothing was approved",
    "PUT api-mailings.change": "it asks for the ETag: tests/rest/test_mailings.py",
    "DELETE api-contacting.lift": "it must stand against the customer: rest/test_contacting.py",
    "PUT api-segments.change": "it asks for the ETag: tests/rest/test_segments.py",
    "POST magazine-api.choose_many": "a list of members: tests/plugins/magazine/test_ways.py",
    "POST points_club-api.take": "too few points are left",
}
TEACH = (
    "the probe could not open these with anything that it sends; teach it a value that passes"
    " (PLAIN or `usual` in tests/probe/arguments.py), or say in CLOSED of tests/probe/doors.py why"
    " nothing can"
)


def shut(done: Walk) -> list[str]:
    """Routes of the walker's own face that never let them in, but for those that can't."""
    till = done.actor.kind == "key"
    known = CLOSED_TO_TILLS if till else CLOSED
    return sorted(_own(done) - done.opened - set(known))


def _own(done: Walk) -> set[str]:
    """What the walker should be let into: all of their face; by a PIN the till alone."""
    face = "/api/v1" if done.actor.kind == "key" else "/store/"
    at_till = done.world.catalogue.at_till
    return {
        f"{method} {rule.endpoint}"
        for rule in done.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(face)
        and (not done.actor.by_pin or access.permission_of(done.view(rule)) in at_till)
    }


def ajar(done: Walk) -> list[str]:
    """Routes of the console that let in somebody who gave nothing but a PIN, and should not."""
    console = {
        f"{method} {rule.endpoint}"
        for rule in done.app.url_map.iter_rules()
        for method in rule.methods or ()
        if access.permission_of(done.view(rule)) not in (None, "place")  # a tool's own pictures
    }
    return sorted(done.opened & (console - _own(done))) if done.actor.by_pin else []
