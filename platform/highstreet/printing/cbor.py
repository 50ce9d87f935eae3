"""Data for the typesetter as CBOR (RFC 8949): unlike JSON it holds bytes, such as a QR code's."""

from collections.abc import Mapping, Sequence
from struct import pack
from typing import Any


def dumps(value: Any) -> bytes:
    """None, truth, whole and broken numbers, text, bytes, and lists and mappings of them. Raises
    TypeError for anything else."""
    out = bytearray()
    _write(value, out)
    return bytes(out)


def _head(major: int, number: int, out: bytearray) -> None:
    kind = major << 5
    if number < 24:
        out.append(kind | number)
    elif number < 2**8:
        out += bytes((kind | 24, number))
    elif number < 2**16:
        out += pack(">BH", kind | 25, number)
    elif number < 2**32:
        out += pack(">BI", kind | 26, number)
    else:
        out += pack(">BQ", kind | 27, number)


def _write(value: Any, out: bytearray) -> None:
    if isinstance(value, str):
        coded = value.encode("utf-8", "replace")
        _head(3, len(coded), out)
        out += coded
    elif isinstance(value, bytes):
        _head(2, len(value), out)
        out += value
    elif value is None or value is True or value is False:
        out.append({None: 0xF6, True: 0xF5, False: 0xF4}[value])
    elif isinstance(value, int):
        _head(*((0, value) if value >= 0 else (1, -1 - value)), out)
    elif isinstance(value, float):
        out += pack(">Bd", 0xFB, value)
    elif isinstance(value, Mapping):
        _head(5, len(value), out)
        for name, one in value.items():
            _write(name, out)
            _write(one, out)
    elif isinstance(value, Sequence):
        _head(4, len(value), out)
        for one in value:
            _write(one, out)
    else:
        raise TypeError(f"no CBOR for {type(value).__name__}")
