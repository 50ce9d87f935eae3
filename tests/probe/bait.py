"""What a site has that others must not get, as arguments of functions.

A parameter is filled by its name. One whose name is not known here makes the probe fail, so that
nothing is left out in silence.
"""

import inspect
from collections.abc import Callable, Mapping
from datetime import UTC
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from highstreet.addresses.facts import PutIn
from highstreet.campaigns import queries as campaigns
from highstreet.customers import places
from highstreet.customers import queries as customers
from highstreet.customers.facts import CustomerFact, EnrolIn
from highstreet.customers.models import Customer, Note
from highstreet.email.endings import Ended
from highstreet.email.gate import Asked
from highstreet.email.outbox import ManyIn, MessageIn, PartIn
from highstreet.email.pieces import PieceIn
from highstreet.email.tokens import Stop
from highstreet.host.faults import Fault
from highstreet.host.settings import Proposal
from highstreet.kit import marks
from highstreet.mailings import queries as mailings
from highstreet.mailings.facts import MailingIn
from highstreet.mailings.models import Piece
from highstreet.mailings.past import PastIn
from highstreet.purchases import queries as purchases
from highstreet.purchases.facts import PurchaseFact, PurchaseIn, ReturnFact, ReturnIn
from highstreet.results.holdouts import HoldoutFact
from highstreet.results.periods import Period
from highstreet.sdk import EntryIn, Happened, ImportRow, ctx_of
from highstreet.segments import queries as segments
from highstreet.segments.models import Segment
from highstreet.segments.rules import All, InSegment, People
from highstreet_direct_mail.history import Got
from highstreet_direct_mail.posting import Plan
from highstreet_direct_mail.triggers import Order
from highstreet_points_club import rules
from highstreet_points_club.models import Rule
from highstreet_points_club.openings import Opening
from highstreet_points_club.settlement import Month
from highstreet_points_club.totals import Span
from highstreet_tenants import clock
from highstreet_tenants.scopes import Scope
from highstreet_tenants.values import fields_of, replaced
from probe import magazine, printed
from probe.arguments import Untaught
from probe.named import EXACT, KINDS, LIVES, PLAIN, TODAY
from probe.world import CLUB, TOOL, Site, World

TEACH = (
    "put it into KINDS of tests/probe/named.py, or Bait._made, if it names something that a site"
    " has, into PLAIN there if it names nobody's property; a function that is only ever given what"
    " its caller has just worked out stands in INNER of tests/probe/functions.py, with its reason"
)


def names_property(function: str, parameter: inspect.Parameter) -> bool:
    """Whether a parameter takes something that may be another's."""
    if (function, parameter.name) in EXACT or parameter.name in PLAIN:
        return False
    needed = parameter.default is parameter.empty
    return needed or parameter.name in KINDS or "UUID" in str(parameter.annotation)


class Bait:
    """What a site has, as arguments. own: its people are ones that can be spared."""

    def __init__(self, world: World, site: Site, *, own: bool = False) -> None:
        self.world, self.site = world, site
        assert site.store is not None
        self.store_id = site.store.id
        self.at = clock.now()
        self._own = own

    def _read(self, reader: Callable[[Any], Any]) -> Any:
        with self.world.house.tenancy.session(Scope.operator(self.site.brand.id)) as s:
            return bare(reader(s))

    @cached_property
    def _spares(self) -> list[UUID]:
        return [self.world.spare_one(self.site) for _each in range(2)]

    def one(self, kind: str, number: int = 0) -> Any:
        """A thing of a kind."""
        if kind == "customer" and self._own:
            return self._spares[number]
        return self.site.ids[kind][number]

    @cached_property
    def customer(self) -> CustomerFact:
        """A customer's fact."""
        about = self.one("customer")
        found: CustomerFact = self._read(lambda s: customers.get(s, about))
        return found

    @cached_property
    def second(self) -> CustomerFact:
        """Another customer's fact."""
        about = self.one("customer", 1)
        found: CustomerFact = self._read(lambda s: customers.get(s, about))
        return found

    @cached_property
    def purchase(self) -> PurchaseFact:
        """A purchase's fact, with its lines."""
        found: PurchaseFact = self._read(lambda s: purchases.get(s, self.one("purchase")))
        return found

    @cached_property
    def returned(self) -> ReturnFact:
        """A return's fact."""
        found: ReturnFact = self._read(lambda s: purchases.get_return(s, self.one("return")))
        return found

    @cached_property
    def note_id(self) -> Any:
        """A note about a customer."""
        about = self.site.ids["customer"][0]
        query = sa.select(Note.id).where(Note.customer_id == about)
        return self._read(lambda s: s.scalars(query).first())

    @cached_property
    def rule_id(self) -> Any:
        """The rules that a purchase earned by."""
        return self._read(lambda s: s.scalars(sa.select(Rule.id)).first())

    @cached_property
    def realm(self) -> Any:
        """Who owns the keys of the people here."""
        return self._read(lambda s: places.realm(s, self.store_id))

    def basket(self) -> PurchaseIn:
        """A purchase in the site's store by its customer."""
        return PurchaseIn(
            self.store_id, f"P{uuid4().hex}", self.at, 100, "GBP", self.one("customer")
        )

    def value(self, function: str, parameter: inspect.Parameter) -> Any:
        """What to hand over for a parameter. Raises Untaught."""
        name, kind = parameter.name, str(parameter.annotation)
        if (function, name) in EXACT:
            return EXACT[function, name]
        made = self._given(kind) if name == "given" else self._made(kind).get(name)
        if made is not None:
            return made()
        if name in PLAIN:
            return PLAIN[name]
        if name in KINDS:
            return self.one(KINDS[name])
        raise Untaught(name, f"{function}, {kind}", TEACH)

    def _made(self, kind: str) -> Mapping[str, Callable[[], Any]]:
        """Parameters that take more than an id. kind: the annotation."""
        return {
            "after": lambda: (TODAY, self.at, self.one("purchase")),
            "accounts": lambda: [self.one("account")],
            "arguments": lambda: {"customers": [self.customer]},
            "balances": lambda: [
                ImportRow(self.one("customer"), self.store_id, Opening(5), "probe", "probe")
            ],
            "basket": self.basket,
            "brand": lambda: self.site.brand.row,
            "campaigns": lambda: [self._made("")["campaign"]()],
            "campaign": lambda: self._read(lambda s: campaigns.get(s, self.one("campaign"))),
            "buyers": lambda: [self.one("customer")],
            "brand_id": lambda: self.site.brand.id,
            "chosen": lambda: f"waiting-{self.one('reward')}",
            "controller": lambda: self.site.store.owner_id if self.site.store else None,
            "customer": lambda: self.customer,
            "customers": lambda: [self.customer if "CustomerFact" in kind else self.customer.id],
            "digests": lambda: [self.one("picture")],
            "entries": lambda: [self._entry()],
            "entry": self._entry,
            "fault": lambda: Fault(
                TOOL, "probe", self.store_id, "error", "Probe", "", "", 1.0, self.at
            ),
            "files": lambda: printed.files(self.world),
            "found": lambda: [("email", self.one("email"))],
            "gone": lambda: self.second,
            "happened": lambda: [Happened(self.store_id, self.at, {"on": True})],
            "hook": lambda: self.world.house.host.hooks["customers_enrolled"],
            "behind": lambda: self.one("customer"),
            "customer_ids": lambda: [self.one("customer")],
            "mailing_ids": lambda: [self.one("mailing")],
            "holdout": lambda: HoldoutFact(uuid4(), "", "probe", 5000, self.at, None),
            "ids": lambda: [self.one("purchase"), self.one("customer"), self.store_id],
            "household_ids": lambda: [self.one("household")],
            "items": lambda: [
                PutIn(self.one("customer"), LIVES)
                if "PutIn" in kind
                else EnrolIn(self.store_id, "Probe", card=self.one("card"))
            ],
            "kept": lambda: self.customer,
            "lanes": lambda: [self.store_id],
            "month": self._month,
            "node": lambda: self.store_id,
            "note_id": lambda: self.note_id,
            "owner": lambda: self.store_id,
            "owners": lambda: [(self.one("customer"), self.realm.store_id)],
            "other_id": lambda: self.one("customer", 1),
            "pairs": lambda: [(self.one("customer"), self.one("customer", 1))],
            "people": lambda: (
                [self.one("customer")] if "Iterable" in kind else sa.select(Customer.id)
            ),
            "place_id": lambda: self.store_id,
            "address_id": uuid4,
            "period": lambda: Period(TODAY.replace(day=1), TODAY),
            "place": lambda: self._club(rules.place),
            "programme": lambda: self._club(rules.programme),
            "proposal": lambda: Proposal(CLUB, self.store_id, ()),
            "purchase": lambda: self.purchase,
            "purchases": lambda: [self.purchase if "PurchaseFact" in kind else self.purchase.id],
            "realm": lambda: self.realm,
            "realm_id": lambda: self.realm.id,
            "region_id": lambda: self.site.brand.region_id,
            "returned": lambda: self.returned,
            "rule": lambda: All((People((self.one("customer"),)), InSegment(self.one("segment")))),
            "rule_id": lambda: self.rule_id,
            "segment": self._segment,
            "piece": self._meant,
            "stop": self._stop,
            "who": lambda: self.customer,
            "store_id": lambda: self.store_id,
            "slug": lambda: (self.site.store or self.site.brand).slug,
            "span": lambda: Span(TODAY.replace(day=1), TODAY, UTC, self.at),
            "numbers": lambda: [self.one("card")],
            "letters": lambda: [
                Asked(self.one("message"), self.one("customer"), "marketing", self.one("email"))
            ],
            "mailing": lambda: self._read(lambda s: mailings.get(s, self.one("mailing"))),
            "content": lambda: {"design": str(self.one("design"))},
            "parts": lambda: [PartIn(self.one("customer"), self.one("email"), "probe:", {})],
            "pieces": lambda: [self._meant()],
            "messages": lambda: [self._ended()],
            "ends": lambda: [("mailing", self._ended())],
            "wishes": lambda: [magazine.Wish(self.one("customer"), "print")],
            "dead": lambda: [(self.one("customer"), self.one("email"))],
            "stores": lambda: [self.store_id],
            "tenancy": lambda: self.world.house.tenancy,
            "there": lambda: self.purchase,
            "wanted": self._wanted if "Programme" in kind else lambda: [self._made("")["period"]()],
        }

    def _given(self, kind: str) -> Callable[[], Any]:
        if "ReturnIn" in kind:
            return self._return
        if "ManyIn" in kind:
            used_for = f"mailing:{self.one('mailing')}"
            return lambda: ManyIn(self.one("piece"), "mailing", "service", used_for)
        if "PieceIn" in kind:
            return lambda: PieceIn("mailing", "marketing", "Probe", text="Probe")
        if "MessageIn" in kind:
            return lambda: MessageIn(
                self.one("customer"), self.one("piece"), "mailing", "service", {}
            )
        if "PurchaseFact" in kind:
            return lambda: self.purchase
        if "ImportRow" in kind:
            got = Got("Probe", TODAY, TODAY, None)
            return lambda: [ImportRow(self.one("customer"), None, got, "probe", "probe.csv, row 1")]
        if "PastIn" in kind:
            return lambda: PastIn("Probe", "marketing", "post", PLAIN["sent_at"])
        if "posting.Plan" in kind:
            return lambda: Plan("Probe", {})
        if "triggers.Order" in kind:
            return lambda: Order("Probe", "birthday", 7)
        if "MailingIn" in kind:
            return lambda: MailingIn("Probe", "marketing", "post", self.one("segment"))
        if "AddressIn" in kind:
            return lambda: LIVES
        if "PurchaseIn" in kind:
            return lambda: [self.basket()] if "Sequence" in kind else self.basket()
        return lambda: {"hat": "felt"}

    def _club(self, reader: Callable[..., Any]) -> Any:
        """What the points club says of itself in the store."""
        return self._read(lambda s: reader(ctx_of(s, CLUB), self.store_id))

    def _ended(self) -> Ended:
        return Ended(f"mailing:{self._meant().id}", self.one("customer"), "failed", "refused")

    def _meant(self) -> Any:
        query = sa.select(Piece).where(Piece.mailing_id == self.one("mailing"))
        return self._read(lambda s: mailings.piece_fact(s.scalars(query).first()))

    def _segment(self) -> Any:
        query = sa.select(Segment).where(Segment.id == self.one("segment"))
        return self._read(lambda s: segments.fact(s.scalars(query).one()))

    def _stop(self) -> Stop:
        return Stop(
            self.site.brand.id,
            self.realm.store_id,
            self.one("customer"),
            self.one("message"),
            "marketing",
        )

    def _wanted(self) -> Any:
        return [(self.one("account"), TODAY, self._club(rules.programme), 1)]

    def _month(self) -> Any:
        return Month(TODAY.replace(day=1), UTC)

    def _return(self) -> ReturnIn:
        return ReturnIn(
            self.store_id, f"B{uuid4().hex}", self.one("pos_ref"), self.at, 100,
            purchase_store_id=self.store_id,
        )  # fmt: skip

    def _entry(self) -> EntryIn:
        return EntryIn(self.one("customer"), "probe", "Probe", self.at, self.store_id)


def bare(value: Any) -> Any:
    """A fact without its secrets: whoever tells them must have read them, for nobody said them."""
    if isinstance(value, str):
        return "handed over" if marks.found(value) else value
    if (names := fields_of(type(value))) is not None:
        return replaced(value, {name: bare(getattr(value, name)) for name in names})
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(bare(one) for one in value)
    if isinstance(value, list):
        return [bare(one) for one in value]
    if isinstance(value, dict):
        return {name: bare(one) for name, one in value.items()}
    return value
