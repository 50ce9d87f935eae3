"""A rule as one statement: a select of the ids of whoever is in it.

Conditions are true or false of every customer, never unknown, so that "not" means the others.
What a condition asks of other tables is a set of ids, worked out once and not once per customer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased, with_loader_criteria
from sqlalchemy.sql import visitors

from highstreet import host as hosts
from highstreet.consent import setwise
from highstreet.customers import places, queries, standing
from highstreet.customers.models import Customer
from highstreet.customers.text import bad
from highstreet.host import facts, guard
from highstreet.i18n import gettext as _
from highstreet.i18n import language
from highstreet.purchases.models import Purchase, PurchaseLine
from highstreet.segments import comparing, questions, sums
from highstreet.segments.comparing import Today
from highstreet.segments.models import Segment, SnapshotPerson
from highstreet.segments.questions import Question
from highstreet.segments.rules import (
    All,
    Bought,
    Consented,
    Field,
    InSegment,
    Not,
    OneOf,
    People,
    Rule,
    load,
)
from highstreet_tenants.base import table_alias
from highstreet_tenants.clock import business_date, now
from highstreet_tenants.errors import Conflict, NotFound
from highstreet_tenants.sessions import ScopedSession

Condition = sa.ColumnElement[bool]
#: Not SQL's own true and false: SQLAlchemy would leave out all else for these, the scope as well.
_EVERYBODY = sa.literal_column("1") == sa.literal_column("1")
_NOBODY = sa.literal_column("1") == sa.literal_column("0")
#: Segments that ask one another, one after the other.
MOST_CHAINED = 20


class Compiler:
    """Compiles for one session. May be used for several rules; a segment that several ask stands
    once in a statement.

    may: what the asker may read; a rule that asks for another field is refused.
    """

    def __init__(self, s: ScopedSession, *, may: Callable[[str], bool] | None = None) -> None:
        self.s = s
        self.c: Any = aliased(Customer, name="c")
        self._known: Mapping[str, Question] | None = None
        self._may = may
        #: Entities that tools' queries read: held to the scope in the whole statement.
        self._read: dict[Any, Any] = {}
        #: Of other segments: those that are compiled, and the way to the one at hand.
        self._segments: dict[UUID, Any] = {}
        self._chain: list[UUID] = []
        zone = places.place(s, s.store_id).zone if s.store_id else facts.brand(s).zone
        self.today = Today(business_date(now(), zone), zone)

    def within(self, segment_id: UUID) -> None:
        """What is compiled now is the rule of this segment: it may not ask itself."""
        self._chain.append(segment_id)

    def people(self, rule: Rule) -> Any:
        """A select of one column, the ids of those within reach who are in it.

        Raises Invalid, Conflict, Forbidden for a rule that can't be asked here, with the reason.
        """
        return self.held(sa.select(self.c.id).where(*self.reach(), self.condition(rule)))

    def held(self, query: Any) -> Any:
        """The statement with what tools read in it held to the scope. SQLAlchemy itself tells the
        session of entities at the top of a statement only."""
        return query.options(
            *(
                with_loader_criteria(entity, clauses, include_aliases=True)
                for entity, clauses in self._read.items()
            )
        )

    def reach(self) -> list[Condition]:
        """Whom a place has at all: in a store of a club those whose home it is or who bought there;
        another store's members are not its own to write to."""
        scope = self.s.scope
        clauses = [*scope.owns(sa.inspect(self.c).selectable), self.c.status == "active"]
        if scope.store_id is not None and self.s.customers == "brand":
            bought = sums.of(scope, classes=False).subquery()
            clauses.append(
                sa.or_(
                    self.c.home_store_id == scope.store_id,
                    self.c.id.in_(sa.select(bought.c.customer_id)),
                )
            )
        return clauses

    def condition(self, rule: Rule) -> Condition:
        """The rule as a condition on `c`. Raises as `people` does."""
        return _CONDITIONS[type(rule)](self, rule)

    def question(self, name: str) -> Question:
        """What a rule asks by name. Raises Conflict where its tool is off, NotFound, Forbidden."""
        if self._known is None:
            self._known = questions.known(self.s, self.s.store_id)
        found = self._known.get(name)
        if found is None:
            raise _unknown(self.s, name)
        if found.permission and self._may is not None and not self._may(found.permission):
            raise bad("rule", _("You may not read “%(name)s” here.", name=str(found.label)))
        return found

    # What follows makes one condition each.

    def _all(self, rule: All) -> Condition:
        """Sums of purchases are asked together: one pass over them, however many conditions."""
        together: list[Field] = []
        others: list[Rule] = []
        for one in rule.of:
            joint = isinstance(one, Field) and self._joint(one)
            (together if joint else others).append(one)  # type: ignore[arg-type]
        clauses = [self._summed(together)] if together else []
        return sa.and_(_EVERYBODY, *clauses, *(self.condition(one) for one in others))

    def _any(self, rule: OneOf) -> Condition:
        return sa.or_(_NOBODY, *(self.condition(one) for one in rule.of))

    def _not(self, rule: Not) -> Condition:
        return sa.not_(self.condition(rule.of))

    def _field(self, rule: Field) -> Condition:
        question = self.question(rule.name)
        comparing.check(question, rule.op, rule.value)
        if question.column is not None:
            column = question.column(self.c)
            return comparing.compared(question, column, rule.op, rule.value, self.today)
        if question.sums:
            return self._summed([rule])
        return self._published(question, rule)

    def _joint(self, rule: Field) -> bool:
        question = self.question(rule.name)
        if not question.sums:
            return False
        comparing.check(question, rule.op, rule.value)
        return not comparing.holds(question, rule.op, rule.value)

    def _summed(self, rules: Sequence[Field]) -> Condition:
        """Conditions on what somebody bought; who never bought has 0 of what is counted."""
        asked = [(self.question(one.name), one) for one in rules]
        classes = any(question.sums in sums.CLASSES for question, _rule in asked)
        table = sums.of(self.s.scope, classes=classes).subquery()
        without = len(asked) == 1 and comparing.holds(asked[0][0], *_of(asked[0][1]))
        clauses = [
            comparing.compared(question, table.c[question.sums], *_of(one), self.today)
            for question, one in asked
        ]
        if without:  # those who fail it are fewer words than those who pass or have no row
            failing = sa.select(table.c.customer_id).where(sa.not_(clauses[0]))
            return self.c.id.not_in(failing)  # type: ignore[no-any-return]
        return self.c.id.in_(sa.select(table.c.customer_id).where(*clauses))  # type: ignore[no-any-return]

    def _published(self, question: Question, rule: Field) -> Condition:
        """A field that has a query of its own: the core's further ones, and tools'."""
        assert question.field is not None
        query = self._query(question).subquery()
        which, value = query.c[0], query.c[1]
        if rule.op == "empty":
            filled = comparing.compared(question, value, "filled", None, self.today)
            return self.c.id.not_in(sa.select(which).where(filled))  # type: ignore[no-any-return]
        made = comparing.compared(question, value, *_of(rule), self.today)
        return self.c.id.in_(sa.select(which).where(made))  # type: ignore[no-any-return]

    def _query(self, question: Question) -> Any:
        one = question.field
        assert one is not None
        tool = one.name.partition(".")[0]
        well, query = True, None
        if tool in ("customer", "custom"):
            query = one.query(self.s)
        else:
            well, query = guard.call(
                self.s,
                tool,
                f"field:{one.name}",
                one.query,
                store_id=self.s.store_id,
                budget=hosts.of(self.s).slow_ms / 1000,
            )
        if not well:
            raise Conflict(
                _("“%(name)s” can't be asked: its tool failed.", name=str(question.label))
            )
        for part in visitors.iterate(query):
            entity = (
                part._annotations.get("parententity") if hasattr(part, "_annotations") else None
            )
            if entity is not None and "brand_id" in entity.mapper.local_table.c:
                kind = entity.mapper.class_
                self._read[kind] = sa.and_(*self.s.scope.owns(kind))
        return query

    def _bought(self, rule: Bought) -> Condition:
        purchase, line = table_alias(Purchase), table_alias(PurchaseLine)
        scope = self.s.scope
        source, customer = standing.joined(scope, purchase)
        if rule.departments or rule.products:
            source = source.join(
                line,
                sa.and_(
                    line.c.brand_id == purchase.c.brand_id,
                    line.c.purchase_id == purchase.c.id,
                    *scope.owns(line),
                ),
            )
        query = (
            sa.select(customer)
            .select_from(source)
            .where(
                *scope.owns(purchase),
                purchase.c.customer_id.is_not(None),
                sa.or_(
                    purchase.c.returned_minor < purchase.c.total_minor, purchase.c.total_minor == 0
                ),
            )
        )
        if rule.in_last_days is not None:
            first = self.today.day - timedelta(days=rule.in_last_days - 1)
            query = query.where(purchase.c.business_date >= first)
        if rule.first is not None:
            query = query.where(purchase.c.business_date >= rule.first)
        if rule.last is not None:
            query = query.where(purchase.c.business_date <= rule.last)
        if rule.stores and scope.store_id is None:
            query = query.where(purchase.c.store_id.in_(rule.stores))
        elif rule.stores and scope.store_id not in rule.stores:
            return _NOBODY  # what was bought elsewhere is out of a store's reach
        amount: Any = purchase.c.total_minor - purchase.c.returned_minor
        if rule.departments or rule.products:
            amount = line.c.amount_minor
        if rule.departments:
            query = query.where(line.c.department.in_(rule.departments))
        if rule.products:
            query = query.where(line.c.product.in_(rule.products))
        if rule.times > 1 or rule.at_least_minor is not None:
            query = query.group_by(customer)
        if rule.times > 1:
            query = query.having(sa.func.count(sa.distinct(purchase.c.id)) >= rule.times)
        if rule.at_least_minor is not None:
            query = query.having(sa.func.sum(amount) >= rule.at_least_minor)
        return self.c.id.in_(query)  # type: ignore[no-any-return]

    def _consented(self, rule: Consented) -> Condition:
        agreed = setwise.agreed(self.s, rule.purpose, rule.channel)
        return self.c.id.in_(agreed)  # type: ignore[no-any-return]

    def _segment(self, rule: InSegment) -> Condition:
        return self.c.id.in_(sa.select(self._chained(rule.id).c.id))  # type: ignore[no-any-return]

    def _chained(self, segment_id: UUID) -> Any:
        """Another segment, as a table of ids that stands once in the statement."""
        if segment_id in self._chain:
            raise Conflict(_("This segment asks itself, by way of others."))
        if len(self._chain) >= MOST_CHAINED:
            raise Conflict(_("Segments ask one another %(most)s deep at most.", most=MOST_CHAINED))
        found = self._segments.get(segment_id)
        if found is None:
            self._chain.append(segment_id)
            found = self._segments[segment_id] = self._inner(segment_id)
            self._chain.pop()
        return found

    def _inner(self, segment_id: UUID) -> Any:
        segment = self.s.scalar(sa.select(Segment).where(Segment.id == segment_id))
        if segment is None:
            raise NotFound(_("The rule asks for a segment that is not there."))
        number = len(self._segments) + len(self._chain)
        if segment.list_id is not None:
            return self.listed(segment.list_id).cte(f"segment_{number}")
        outer, self.c = self.c, aliased(Customer, name=f"c{number}")
        try:
            return self.people(load(segment.rule)).cte(f"segment_{number}")
        finally:
            self.c = outer

    def listed(self, snapshot_id: UUID) -> Any:
        """A select of the ids of those on a list or snapshot, as their records stand today."""
        person = table_alias(SnapshotPerson)
        scope = self.s.scope
        source, customer = standing.joined(scope, person)
        return (
            sa.select(customer.label("id"))
            .distinct()
            .select_from(source)
            .where(person.c.snapshot_id == snapshot_id, *scope.owns(person))
        )

    def _people(self, rule: People) -> Condition:
        found = queries.followed(self.s, list(rule.ids))
        return self.c.id.in_(sorted(set(found.values())))  # type: ignore[no-any-return]


def _of(rule: Field) -> tuple[str, Any]:
    return rule.op, rule.value


def _unknown(s: ScopedSession, name: str) -> Exception:
    """Why there is no such field: its tool is off here, or nobody has it."""
    for loaded in hosts.of(s).plugins.values():
        if any(one.name == name for one in loaded.plugin.fields):
            return Conflict(
                _(
                    "The rule asks for “%(name)s”, and %(tool)s is off here. Switch it on, or take"
                    " the condition out.",
                    name=name,
                    tool=loaded.manifest.titled(language()),
                )
            )
    return bad("rule", _("There is nothing called “%(name)s” to ask for.", name=name[:80]))


_CONDITIONS: Mapping[type, Callable[[Compiler, Any], Condition]] = {
    All: Compiler._all,
    OneOf: Compiler._any,
    Not: Compiler._not,
    Field: Compiler._field,
    Bought: Compiler._bought,
    Consented: Compiler._consented,
    InSegment: Compiler._segment,
    People: Compiler._people,
}
