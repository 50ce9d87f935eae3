"""Details of an entry read as words, in the reader's language, not as keys."""

import pytest

from highstreet_tenants import words as language
from highstreet_tenants.trail import words


@pytest.mark.parametrize(
    ("details", "lines"),
    [
        ({"level": [None, "default_on"], "note": None}, ["Level: – → on by default"]),
        ({"level": ["optional", "required"]}, ["Level: optional → required"]),
        ({"role": "store_manager", "at": "store"}, ["Role: Store manager", "Held at: one store"]),
        ({"for": "reset"}, ["Link for: a new password"]),
        ({"roles": [[], ["store_owner"]]}, ["Roles: – → Store owner"]),
        ({"status": ["open", "closed"]}, ["State: open → closed"]),
        ({"keys": 2, "tills": 0}, ["API keys ended: 2", "Tills ended: 0"]),
        (
            {"level": "brand", "changes": {"expires": [None, 12], "expires locked": True}},
            ["Level: head office", "expires: – → 12", "expires locked: yes"],
        ),
        ({"a tool's own": "word"}, ["a tool's own: word"]),
    ],
)
def test_details_are_words(details: dict[str, object], lines: list[str]) -> None:
    assert words.told(details) == lines


def test_they_are_said_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_translate", lambda message: f"<{message}>")
    assert words.told({"level": ["optional", "required"]}) == ["<Level>: <optional> → <required>"]
    assert words.told({"role": "store_manager"}) == ["<Role>: <Store manager>"]
