"""Values: what verbs take and give.

Ours are `msgspec.Struct`s, frozen unless they gather something: a class costs ten microseconds
where a dataclass costs half a millisecond at every start, and an object a fifth. A tool may answer
with dataclasses of its own, so what goes through values asks here what they consist of.
"""

import dataclasses
from typing import Any

import msgspec


def fields_of(kind: type) -> tuple[str, ...] | None:
    """The names of a value's fields, in their order; None if the type is none of a value."""
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    if dataclasses.is_dataclass(kind):
        return tuple(one.name for one in dataclasses.fields(kind))
    return None


def replaced(value: Any, changed: dict[str, Any]) -> Any:
    """The value with some of its fields changed."""
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **changed)
    return dataclasses.replace(value, **changed)
