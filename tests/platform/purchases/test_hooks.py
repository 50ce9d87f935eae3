"""What tools missed they hear later, about purchases as they are by then."""

from datetime import UTC, datetime

from highstreet.host.spec import hooks_in
from highstreet.purchases import service
from highstreet.purchases.facts import LineIn, PurchaseIn, ReturnIn
from highstreet.purchases.hooks import PurchaseHooks
from rooms_given import Floor

NOW = datetime.now(UTC)
HOOKS = {hook.name: hook for hook in hooks_in(PurchaseHooks)}


def test_only_returns_reach_tools_that_are_off() -> None:
    assert {name for name, hook in HOOKS.items() if hook.winddown} == {"purchase_returned"}
    assert {name for name, hook in HOOKS.items() if hook.writes} == {
        "purchases_recorded",
        "purchase_claimed",
        "purchase_returned",
    }


def test_purchases_heard_late_come_with_what_went_back_meanwhile(floor: Floor) -> None:
    store = floor.club.stores[0].id
    recorded, returned = HOOKS["purchases_recorded"].retry, HOOKS["purchase_returned"].retry
    assert recorded is not None and returned is not None
    with floor.till(floor.club) as s:
        facts = [
            service.record(
                s, PurchaseIn(store, ref, NOW, 500, "GBP", None, (LineIn(1, "ham", "", 1, 500),))
            ).purchase
            for ref in ("R1", "R2")
        ]
        kept = recorded.dump(s, {"purchases": tuple(facts)})
        back = service.record_return(s, ReturnIn(store, "RR1", "R2", NOW, 200)).returned
        owed = returned.dump(s, {"returned": back})
    with floor.till(floor.club, write=False) as s:
        heard = recorded.load(s, kept)
        assert heard is not None
        assert [(p.id, p.returned_minor) for p in heard["purchases"]] == [
            (facts[0].id, 0),
            (facts[1].id, 200),
        ]
        assert returned.load(s, owed) == {"returned": back}
    with floor.till(floor.club, 1, write=False) as s:
        assert recorded.load(s, kept) is None
        assert returned.load(s, owed) is None
