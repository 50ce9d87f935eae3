"""A tool's words in other languages, looked at before any page says them.

Flask-Babel reads a catalogue with the first word that a reader of its language sees, so a broken
one would break every page for that reader, the core's as well.
"""

import re
from collections.abc import Iterator
from gettext import GNUTranslations
from importlib.util import find_spec
from pathlib import Path

_PLACE = re.compile(r"%\((\w+)\)")


def folder(package: str, name: str) -> Path:
    """Where a package keeps its catalogues. Raises LookupError for a package without a place."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"{package} has no folder")
    return Path(next(iter(spec.submodule_search_locations)), name)


def wrong(package: str, name: str | None) -> Iterator[str]:
    """Everything that is wrong with a tool's catalogues. name: of their folder."""
    if name is None or Path(name).name != name:
        return
    place = folder(package, name)
    if not place.is_dir():
        yield f"there is no folder {name} with its translations"
        return
    for path in sorted(place.glob("*/LC_MESSAGES/*.mo")):
        said = "/".join(path.parts[-3:])
        try:
            with path.open("rb") as file:
                catalogue = GNUTranslations(file)
            catalogue.plural(5)  # type: ignore[attr-defined]  # its rule, as the file has it
            messages: dict[object, str] = catalogue._catalog  # type: ignore[attr-defined]
        except Exception as error:
            yield f"the translations {said} can't be read: {type(error).__name__}: {error}"
            continue
        for message, translation in messages.items():
            original = message[0] if isinstance(message, tuple) else message
            if original and (why := _unsaid(str(original), translation)):
                yield f"a translation in {said} can't be said: “{str(original)[:60]}” {why}"


def _unsaid(original: str, translation: str) -> str:
    """Why a translation would fail where its original does not."""
    names = set(_PLACE.findall(original))
    if strange := sorted(set(_PLACE.findall(translation)) - names - {"num"}):
        return f"has no place %({strange[0]})s"
    if names:
        try:
            translation % dict.fromkeys({*names, "num"}, 1)
        except (ValueError, TypeError) as error:
            return str(error)
    return ""
