"""Texts with merge fields, `Dear {{ customer.name }}`: checked when written, filled per person.

The language is Liquid. Values are data: text, numbers, dates, lists of them; a text reaches no
attribute, no file and no other text. Limits end what would run or grow without end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid

if TYPE_CHECKING:
    from liquid import BoundTemplate, Environment
    from liquid.exceptions import LiquidError

LONGEST = 20_000
"""Characters of a text, as written."""
OUTPUT = 100_000
"""Bytes that a filled text may have; also characters that a filter may give."""
LOOPS = 1_000
"""Turns of all its loops together; also entries of a list that a filter may walk."""
DEPTH = 10
"""Blocks within blocks."""
LOCALS = 20_000
"""Bytes that its own variables may take."""

TAGS = frozenset({
    "assign", "break", "case", "comment", "content", "continue", "cycle", "for", "if", "output",
    "raw", "unless", "#", "illegal",
})  # fmt: skip
"""What may stand in `{% … %}`; `content`, `output` and `illegal` are the parser's own."""
FILTERS = frozenset({
    "abs", "append", "at_least", "at_most", "capitalize", "ceil", "date", "default", "divided_by",
    "downcase", "escape", "first", "floor", "join", "last", "lstrip", "minus", "modulo",
    "newline_to_br", "plus", "prepend", "remove", "replace", "round", "rstrip", "size", "slice",
    "split", "strip", "strip_newlines", "times", "truncate", "truncatewords", "upcase",
})  # fmt: skip
"""What may follow a `|`."""
_KEPT = 512
#: `%99999999d` of a date: strftime would fill so many places; or very many of them.
_WIDTH = re.compile(r"%[^A-Za-z%]*[0-9]|.{200}", re.DOTALL)
_NAME = re.compile(r"'([^']+)' is undefined|^(\S+) is undefined")


class MissingField(Invalid):
    """A text names a field that this person has no value for. `name`: the field."""

    type = "missing-field"

    def __init__(self, name: str) -> None:
        super().__init__(
            _(
                "There is no value for “%(name)s”. Say what to write instead:"
                " {{ %(name)s | default: '…' }}",
                name=name,
            )
        )
        self.name = name


def render(
    text: str, values: Mapping[str, Any], *, html: bool = False, strict: bool = False
) -> str:
    """The text filled with values by name: "customer.name" → "Ann", or {"customer": {"name": …}}.

    html: values are escaped for HTML. strict: a name without a value, or with an empty one, that
    has no `default` and stands in no `if` raises MissingField; otherwise it prints nothing. Raises
    Invalid for a text that can't be read, or that runs or grows beyond the limits.
    """
    found = _parsed(text, html, strict)
    try:
        filled: str = found.render(**nested(values, empty=not strict))
    except Exception as error:
        raise _told(error, found) from error
    return filled


def fields_of(text: str) -> set[str]:
    """Names that a text asks for: {"customer.name"}. Raises Invalid for one that can't be read."""
    found = _parsed(text, False, False).analyze().globals
    return {
        ".".join(str(part) for part in variable.segments)
        for variables in found.values()
        for variable in variables
    }


def check(text: str, known: Collection[str] | None = None) -> list[str]:
    """What is wrong with a text, in words that say what to mend; nothing for one that can be used.

    known: names of fields that there are, if they are to be checked.
    """
    try:
        found = _parsed(text, False, False).analyze()
        names = fields_of(text)
    except Invalid as error:
        return [error.detail]
    wrong = [
        _("There is no filter “%(name)s”; there are: %(known)s.",
          name=name, known=", ".join(sorted(FILTERS)))
        for name in sorted(set(found.filters) - FILTERS)
    ]  # fmt: skip
    if known is not None:
        wrong += [
            _("There is no field “%(name)s”. Choose one of the list.", name=name)
            for name in sorted(names - set(known))
        ]
    return wrong


def nested(values: Mapping[str, Any], *, empty: bool = True) -> dict[str, Any]:
    """Values under dotted names as mappings within mappings, each of them plain data.

    empty: whether None and "" are kept.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        given = _plain(value, empty)
        if not empty and (given is None or given == ""):
            continue
        *way, last = name.split(".")
        at = found
        for part in way:
            inner = at.get(part)
            if not isinstance(inner, dict):
                inner = at[part] = {}
            at = inner
        if isinstance(given, dict) and isinstance(at.get(last), dict):
            at[last] |= given
        else:
            at[last] = given
    return found


def _plain(value: Any, empty: bool) -> Any:
    if value is None or isinstance(value, bool | int | float | Decimal | date):
        return value  # a datetime is a date, too
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return nested({str(name): one for name, one in value.items()}, empty=empty)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(one, empty) for one in value]
    return str(value)


@lru_cache(maxsize=_KEPT)
def _parsed(text: str, html: bool, strict: bool) -> BoundTemplate:
    if len(text) > LONGEST:
        raise Invalid(_("The text is too long: use at most %(most)s characters.", most=LONGEST))
    try:
        found = _environment(html, strict).from_string(text)
    except Exception as error:
        raise _told(error) from error
    return found


@lru_cache(maxsize=4)
def _environment(html: bool, strict: bool) -> Environment:
    import liquid  # not at the start: most requests fill no text
    from liquid.undefined import FalsyStrictUndefined, Undefined

    class Limited(liquid.Environment):
        """Liquid with the limits above. They count only as attributes of the class."""

        loop_iteration_limit = LOOPS
        output_stream_limit = OUTPUT
        context_depth_limit = DEPTH + 10  # the parser counts each block twice, or nearly
        block_nesting_limit = DEPTH
        local_namespace_limit = LOCALS

    class Missing(FalsyStrictUndefined):
        """False in an `if`, what `default` says, an error where it would be printed."""

        force_liquid_default = True

    made = Limited(autoescape=html, strict_filters=True, undefined=Missing if strict else Undefined)
    for name in set(made.tags) - TAGS:
        del made.tags[name]
    made.filters = {
        name: _bounded(name, one) for name, one in made.filters.items() if name in FILTERS
    }
    return made


def _bounded(name: str, one: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that neither walks a long list nor gives a long text."""

    def bounded(left: object, *args: object, **named: object) -> object:
        for given in (left, *args):
            if isinstance(given, range | list) and len(given) > LOOPS:
                raise _too_much()
            if isinstance(given, int) and not -(10**18) < given < 10**18:
                raise _too_much()
        if name in ("replace", "split", "join"):
            _weigh(left, args)
        if name == "date" and any(_WIDTH.search(str(arg)) for arg in args):
            raise _too_much()
        given = one(left, *args, **named)
        if isinstance(given, str) and len(given) > OUTPUT:
            raise _too_much()
        return given

    for attribute in ("with_context", "with_environment", "filter_async"):
        if hasattr(one, attribute):
            setattr(bounded, attribute, getattr(one, attribute))
    return bounded


def _weigh(left: object, args: Sequence[object]) -> None:
    """Refuse what would multiply one text by another, before memory is taken for it."""
    longest = max((len(str(arg)) for arg in args), default=0)
    count = len(left) if isinstance(left, list | range) else len(str(left)) + 1
    if count * longest > 100 * OUTPUT:
        raise _too_much()


def _too_much() -> Invalid:
    return Invalid(_("This text runs or grows beyond its limits. Make its loops shorter."))


def _told(error: Exception, within: BoundTemplate | None = None) -> Invalid:
    """An error of the language in words for whoever wrote the text."""
    from liquid.exceptions import LiquidError, ResourceLimitError, UndefinedError

    if isinstance(error, Invalid):
        return error
    if isinstance(error, UndefinedError):
        return MissingField(_missing(error, within))
    if isinstance(error, ResourceLimitError | RecursionError | MemoryError | OverflowError):
        return _too_much()
    if isinstance(error, LiquidError):
        return Invalid(
            _("This can't be read in line %(line)s: %(what)s", line=_line(error), what=_what(error))
        )
    return Invalid(_("This text can't be filled: %(what)s", what=str(error)[:200]))


def _missing(error: LiquidError, within: BoundTemplate | None) -> str:
    """The whole name of a field that has no value; the language names its first part alone."""
    match = _NAME.search(str(error.message))
    name = next(filter(None, match.groups())) if match else "?"
    at = error.token.start_index if error.token is not None else 0
    found = [
        (abs(variable.span.index - at), ".".join(str(part) for part in variable.segments))
        for variables in (within.analyze().variables.values() if within is not None else ())
        for variable in variables
    ]
    return min(
        ((far, one) for far, one in found if f"{one}.".startswith(f"{name}.")), default=(0, name)
    )[1]


def _line(error: LiquidError) -> int:
    context = error.context()
    return context[0] if context else 1


def _what(error: LiquidError) -> str:
    return str(error.message)


def shown(text: str) -> Iterator[tuple[str, bool]]:
    """Parts of a text in turn, and whether each is a merge field: for a page that shows it."""
    for part in re.split(r"(\{\{.*?\}\}|\{%.*?%\})", text):
        if part:
            yield part, part.startswith(("{{", "{%"))
