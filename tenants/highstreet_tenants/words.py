"""Translation for the ground floor, which must not know Flask: the assembly plugs it in."""

from collections.abc import Callable

Translator = Callable[[str], str]

_translate: Translator = str


def use(translator: Translator) -> None:
    """Let `translator` turn an English message into the reader's language from now on."""
    global _translate
    _translate = translator


def gettext(message: str, **values: object) -> str:
    """The message in the reader's language, with `%(name)s` places filled from `values`."""
    text = _translate(message)
    return text % values if values else text
