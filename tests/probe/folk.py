"""Filling a brand with people: whoever buys there, and all that is written about them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from highstreet import jobs
from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn, PutIn
from highstreet.consent import service as consent
from highstreet.customers import queries
from highstreet.customers import service as customers
from highstreet.customers.facts import CustomerFact, EnrolIn
from highstreet.host import faults, owed
from highstreet.imports.models import CustomerRef, Import
from highstreet.jobs.models import Job
from highstreet.kit import marks
from highstreet.members import links
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import LineIn, PurchaseIn, ReturnIn, ReturnLineIn
from highstreet.sdk import ctx_of
from highstreet.timeline import service as timeline
from highstreet_points_club import corrections, rewards
from highstreet_points_club.models import Account
from highstreet_tenants import clock

if TYPE_CHECKING:
    from probe.world import Site, World

CLUB, TOOL = "points_club", "probe_tool"
FIELD = "hat"
LIVES = AddressIn("GB", "2 Plain Lane", "Leeds", "LS1 4DY")


def fill_brand(s: Any, firm: str) -> None:
    """What a brand keeps in common."""
    customers.define_field(s, key=FIELD, label=f"{firm} hat", kind="text")
    s.add(
        Import(
            brand_id=s.brand_id,
            kind="customers",
            file_name=f"{firm}.csv",
            sha256="0" * 64,
            mapping_sha256="0" * 64,
            actor=f"{firm} Clerk",
        )
    )


def fill(world: World, site: Site) -> None:
    """People who joined at a store, with a card, contact data, notes and consents."""
    folk = marks.word(site.people, "folk")
    firm = marks.word(site.brand.slug, "firm")
    phone = marks.number(site.people)
    with world.session(site.owner, write=True, clerk=f"{firm} Clerk") as s:
        ann, bea, cal = (
            _enrol(s, site, f"{first} Quill", phone) for first in ("Ann", "Bea", "Cal")
        )
        lone = _enrol(s, site, "Dot Marsh", marks.number(site.people), stays=False)
        for one in (ann, bea):
            site.keep("note", customers.add_note(s, one.id, f"{folk} note").id)
            consent.record(
                s, one.id, purpose="marketing", channel="email", status="given",
                wording=f"{firm} agrees", method="paper", evidence=f"{folk} signed",
            )  # fmt: skip
            timeline.write(
                s, one.id, "remark", f"{marks.word(site.owner, 'folk')} remarked",
                occurred_at=clock.now(),
            )  # fmt: skip
            lives = AddressIn("DE", f"{folk} Lane 1", "Berlin", "10115")
            site.keep("household", addresses.put(s, one.id, lives).household_id)
        s.add(
            CustomerRef(
                brand_id=s.brand_id, store_id=s.owner_store_id, customer_id=ann.id,
                realm_id=s.realm_id, ref=f"{folk}-{marks.number(site.people)}",
            )
        )  # fmt: skip
        site.keep("customer", ann.id, bea.id)
        # What finds them all and tells of nobody: an answer that bears a mark was read somewhere.
        site.keep("words", "Ann Quill", "Bea Quill")
    in_charge = site.brand.slug if site.brand.customers == "brand" else site.owner
    with world.session(in_charge, write=True, clerk=f"{firm} Clerk") as s:
        customers.merge(s, bea.id, cal.id)
        customers.dismiss_pair(s, ann.id, bea.id)
        customers.erase(s, lone.id, f"{folk} asked")
    site.keep("merged", cal.id)


def crowd(s: Any, many: int) -> list[UUID]:
    """People without secrets, who live somewhere, to be spent."""
    people = [
        EnrolIn(s.store_id, f"Spare {number}", phone=f"+49151{uuid4().int % 10**8:08}")
        for number in range(many)
    ]
    done = customers.enrol_batch(s, people)
    found = [one for one in done.ids if one is not None]
    addresses.put_many(s, [PutIn(one, LIVES) for one in found])
    return found


def _enrol(s: Any, site: Site, name: str, phone: str, *, stays: bool = True) -> CustomerFact:
    """Somebody of a site's. stays: will be met again."""
    folk = marks.word(site.people, "folk")
    card = f"C{marks.number(site.people)}"
    email = f"{folk.lower()}.{card.lower()}@example.com"
    if stays:
        site.keep("card", card)
        site.keep("phone", f"+49{phone}")
        site.keep("email", email)
        site.keep("name", f"{folk} {name}")
    return customers.enrol(
        s, name=f"{folk} {name}", phone=f"+49{phone}", email=email, card=card,
        birthday=date(1980, 5, 17), fields={FIELD: f"{folk} felt"},
    )  # fmt: skip


def ring_up(world: World, site: Site) -> None:
    """What those people bought in the store, what it earned, and what the store's tools wrote."""
    assert site.store is not None
    folk, theirs = marks.word(site.owner, "folk"), marks.word(site.people, "folk")
    store_id = site.store.id
    firm = marks.word(site.brand.slug, "firm")
    ann, bea = site.ids["customer"]
    with world.session(site.owner, write=True, clerk=f"{firm} Clerk") as s:
        for customer_id in (ann, bea):
            _buy(s, site, folk, customer_id)
        # The last one is whole, so that it can be taken back.
        _buy(s, site, folk, bea, returned=False)
        _spend(s, site, theirs, ann)
        now = clock.now()
        faults.record(
            s,
            faults.Fault(
                TOOL, "customers_enrolled", store_id, "error", "ValueError", f"{folk} failed",
                f"{folk} trace", 1.0, now,
            ),
        )  # fmt: skip
        hosted = world.house.host.hooks["customers_enrolled"]
        owed.note(s, hosted, TOOL, store_id, {"customers": [queries.get(s, ann)]})
        for _each in range(2):
            about = {"about": folk, "customer_id": str(ann)}
            later = now + timedelta(days=1)
            site.keep("job", jobs.enqueue(s, "probe_tool.chore", about, run_at=later))
        # The second one gave up, so that somebody may try it again.
        s.execute(
            sa.update(Job)
            .where(Job.brand_id == s.brand_id, Job.id == site.ids["job"][1])
            .values(status="failed", lane=None)
        )
    with world.session(site.owner) as s:
        site.keep("token", links.make_link(world.house.tenancy, s, ann))
    # A member whose own page shows nothing that is marked.
    with world.session(site.owner, write=True) as s:
        plain = customers.enrol(s, name="Fay Plain", card=f"F{uuid4().int % 10**12}")
        _buy(s, site, "Plain", plain.id)
        if site.owner.endswith("-2"):  # so many that their sums may be shown, unlike the other's
            for one in crowd(s, 6):
                _buy(s, site, "Plain", one)
    with world.session(site.owner) as s:
        site.keep("own_token", links.make_link(world.house.tenancy, s, plain.id))
    _call(world, site, theirs)


def _buy(s: Any, site: Site, folk: str, customer_id: UUID, *, returned: bool = True) -> None:
    assert site.store is not None
    secret = marks.found(folk)
    ref, back = (
        f"{letter}{marks.number(site.owner) if secret else uuid4().hex[:8]}" for letter in "RB"
    )
    at = clock.now() - timedelta(days=1)
    lines = (
        LineIn(1, f"{folk} hat", f"{folk} hats", 1, 4000),
        LineIn(2, f"{folk} cap", f"{folk} caps", 2, 2000),
    )
    bought = purchases.record(
        s, PurchaseIn(site.store.id, ref, at, 6000, "GBP", customer_id, lines)
    ).purchase
    if secret:
        site.keep("purchase", bought.id)
        site.keep("pos_ref", ref)
    if returned:
        given = ReturnIn(
            site.store.id, back, ref, clock.now() - timedelta(hours=1), 1000,
            (ReturnLineIn(2, f"{folk} cap", 1, 1000),), purchase_store_id=site.store.id,
        )  # fmt: skip
        done = purchases.record_return(s, given)
        site.keep("return", done.returned.id)
        site.keep("return_ref", back)


def _spend(s: Any, site: Site, theirs: str, customer_id: UUID) -> None:
    ctx = ctx_of(s, CLUB)
    corrections.adjust(ctx, customer_id, 5, f"{theirs} was kind")
    site.keep("reward", rewards.redeem_now(ctx, customer_id, "lunch").id)
    site.keep("reward", rewards.hold(ctx, customer_id, "lunch").id)
    found = s.scalar(sa.select(Account.id).where(Account.customer_id == customer_id))
    site.keep("account", found)


def _call(world: World, site: Site, theirs: str) -> None:
    """A till's call, so that its answer is kept under its Idempotency-Key."""
    answer = world.app.test_client().post(
        "/api/v1/customers",
        json={"name": f"{theirs} Eve Rook", "card": f"C{marks.number(site.people)}"},
        headers={
            "Authorization": f"Bearer {world.keys[site.owner]}",
            "Idempotency-Key": f"probe-{site.owner}",
        },
    )
    assert answer.status_code == 201, answer.text
