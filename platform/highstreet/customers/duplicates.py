"""Records that may be one person: gathered by shared keys (blocking), then scored and explained.

Nothing is merged by itself, and a pair that somebody dismissed is not offered again. Gathering
reads bounded stretches of indexes: the newest customers of a store or brand are held against all
others by phone, e-mail and name.
"""

from datetime import date
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from highstreet.customers import comparing, dismissing, keys, places, queries
from highstreet.customers.facts import CustomerFact, Likeness
from highstreet.i18n import gettext as _
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_WINDOW = 500
_MOST_LOOKED_THROUGH = 5000
_MOST_PAIRS = 4000
_LISTED_FROM = 60
_SAME_KEY, _SAME_BIRTHDAY, _OTHER_BIRTHDAY, _SAME_STORE = 45, 30, -40, 10

_TYPES: dict[str, type] = {**queries.TYPES, "birthday": date, "one": UUID, "other": UUID}

_NEWEST_OF_STORE = Statement(
    "SELECT c.id FROM core_customer AS c WHERE c.home_store_id = :home AND c.status = 'active'"
    f" AND {own('c')} ORDER BY c.joined_at DESC LIMIT :most OFFSET :skip",
    types=_TYPES,
)
_NEWEST = Statement(
    f"SELECT c.id FROM core_customer AS c WHERE c.status = 'active' AND {own('c')}"
    " ORDER BY c.id DESC LIMIT :most OFFSET :skip",
    types=_TYPES,
)
_SHARED_KEYS = (
    "SELECT i.customer_id AS one, o.customer_id AS other, i.kind FROM core_customer_identity AS i"
    " JOIN core_customer_identity AS o ON o.brand_id = i.brand_id AND o.realm_id = i.realm_id"
    " AND o.kind = i.kind AND o.value = i.value AND o.customer_id <> i.customer_id"
    " WHERE i.customer_id {} AND i.kind <> 'card'"
    f" AND {own('i')} AND {own('o')} LIMIT :most"
)
_BY_WORDS = (
    "SELECT k.customer_id AS one, k.word FROM core_customer_name_key AS k"
    f" WHERE k.realm_id = :realm_id AND k.word {{}} AND {own('k')} LIMIT :most"
)
_FACTS = f"SELECT {queries.FACT}, c.birthday FROM core_customer AS c WHERE c.id {{}} AND {own('c')}"


def _of_list(sql: str, name: str) -> Statement:
    """A statement whose `{}` becomes "is one of the list bound as `name`", on both databases."""
    return Statement(
        sql.format(f"IN (SELECT value FROM json_each(:{name}))"),
        postgresql=sql.format(f"= ANY(:{name})"),
        types=_TYPES,
    )


_KEYS_SHARED_BY = _of_list(_SHARED_KEYS, "ids")
_NAMED = _of_list(_BY_WORDS, "words")
_PEOPLE = _of_list(_FACTS, "ids")


class _Person(Struct, frozen=True):
    fact: CustomerFact
    birthday: date | None


def likely_duplicates(
    s: ScopedSession,
    id: UUID | None = None,  # noqa: A002 - the contract's word
    limit: int = 50,
    *,
    store_id: UUID | None = None,
) -> list[Likeness]:
    """Pairs that look like one person, likeliest first, each with why and with what differs.

    With `id`, who may be the same as that customer; without, the newest 5,000 customers of the
    scope's store (or of a club) are looked through. Raises NotFound for an unknown id.
    """
    if id is not None:
        fact = queries.get(s, id)
        realm_id = fact.store_id or s.brand_id
        pairs = _pairs(s, [fact.id], realm_id, nearly=True)
        return _compared(s, _scored(s, pairs)[:limit])
    realm_id = places.realm(s, store_id).id
    home = store_id or s.store_id
    listed: list[Likeness] = []
    for skip in range(0, _MOST_LOOKED_THROUGH, _WINDOW):
        rows = (
            _NEWEST_OF_STORE(s, home=home, most=_WINDOW, skip=skip)
            if home is not None
            else _NEWEST(s, most=_WINDOW, skip=skip)
        )
        if rows:
            listed += _scored(s, _pairs(s, [row[0] for row in rows], realm_id))
        if len(rows) < _WINDOW or len(listed) >= limit:
            break
    best = {frozenset((p.one.id, p.other.id)): p for p in listed}
    return _compared(s, sorted(best.values(), key=lambda p: (-p.score, p.one.id))[:limit])


def _compared(s: ScopedSession, pairs: list[Likeness]) -> list[Likeness]:
    found = comparing.differences(s, [(p.one.id, p.other.id) for p in pairs])
    return [replace(p, different=found[p.one.id, p.other.id]) for p in pairs]


def _pairs(
    s: ScopedSession, ids: list[UUID], realm_id: UUID, *, nearly: bool = False
) -> dict[frozenset[UUID], set[str]]:
    """Pairs to score, with the kinds of keys they share. `nearly`: also names that are alike."""
    pairs: dict[frozenset[UUID], set[str]] = {}
    for one, other, kind in _KEYS_SHARED_BY(s, ids=ids, most=_MOST_PAIRS):
        pairs.setdefault(frozenset((one, other)), set()).add(kind)
    called: dict[str, list[UUID]] = {}
    for row in _PEOPLE(s, ids=ids):
        found = keys.name_tails(keys.name_key(row[1]))
        # For one customer everybody with the same last word is held against them.
        for word in found[:1] + (found[-1:] if nearly else []):
            called.setdefault(word, []).append(row[0])
    if called:
        for other, word in _NAMED(s, realm_id=realm_id, words=list(called), most=_MOST_PAIRS):
            for one in called[word]:
                if one != other:
                    pairs.setdefault(frozenset((one, other)), set())
    return pairs


def _scored(s: ScopedSession, pairs: dict[frozenset[UUID], set[str]]) -> list[Likeness]:
    ids = list({one for pair in pairs for one in pair})
    if not ids:
        return []
    people = {
        row[0]: _Person(CustomerFact(*row[:7]), row[7])
        for row in _PEOPLE(s, ids=ids)
        if row[6] == "active"
    }
    listed = []
    for pair, shared in pairs.items():
        one, other = (people.get(i) for i in sorted(pair))
        if one is not None and other is not None and one.fact.store_id == other.fact.store_id:
            score, same = _judge(one, other, shared)
            if score >= _LISTED_FROM:
                listed.append(Likeness(one.fact, other.fact, score, same))
    known = {fact.id for pair in listed for fact in (pair.one, pair.other)}
    dismissed = dismissing.dismissed_among(s, known)
    listed = [p for p in listed if frozenset((p.one.id, p.other.id)) not in dismissed]
    return sorted(listed, key=lambda p: (-p.score, p.one.id))


def _judge(one: _Person, other: _Person, shared: set[str]) -> tuple[int, tuple[str, ...]]:
    """A score of 0–100 and what is the same. Half of it is the name, from 50 % alike upwards."""
    score = 0.0
    reasons: list[str] = []
    if "phone" in shared:
        score += _SAME_KEY
        reasons.append(_("same phone number"))
    if "email" in shared:
        score += _SAME_KEY
        reasons.append(_("same e-mail address"))
    names = keys.name_key(one.fact.name), keys.name_key(other.fact.name)
    if all(names):
        from rapidfuzz import fuzz  # not before two names are compared: a start does without

        alike = round(fuzz.token_sort_ratio(*names))
        score += max(0, alike - 50)
        reasons.append(
            _("same name") if alike == 100 else _("names %(percent)s %% alike", percent=alike)
        )
    if one.birthday and other.birthday:
        same = one.birthday == other.birthday
        score += _SAME_BIRTHDAY if same else _OTHER_BIRTHDAY
        if same:
            reasons.append(_("same birthday"))
    if one.fact.home_store_id and one.fact.home_store_id == other.fact.home_store_id:
        score += _SAME_STORE
        reasons.append(_("same home store"))
    return max(0, min(100, round(score))), tuple(reasons)
