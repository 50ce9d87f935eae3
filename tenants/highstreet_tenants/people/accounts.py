"""Accounts of people: made, found, given a password, switched off."""

import unicodedata
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from highstreet_tenants.people.models import OneTimeLink, User, UserSession
from highstreet_tenants.words import gettext as _

THEMES = ("light", "dark")


def normal_email(text: str) -> str:
    """The address as it is stored: checked for form, composed, in small letters. Raises Invalid."""
    # The library brings a resolver with it; only who creates people pays for the import.
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(
            text.strip(), check_deliverability=False, globally_deliverable=False
        ).normalized
    except EmailNotValidError as error:
        message = _("“%(text)s” is not an e-mail address.", text=text[:80])
        raise Invalid(message, fields={"email": [message]}) from error
    return same_email(found)


def same_email(text: str) -> str:
    """The form in which addresses are compared; for what was typed at sign-in, never refused."""
    clean = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    # Not folded: straße.de and strasse.de are two domains, with two people behind one name.
    return unicodedata.normalize("NFKC", clean).strip().lower()


def normal_name(text: str) -> str:
    """A person's name, blanks tidied. Raises Invalid where none is left or it is absurd."""
    name = " ".join(same_text(text).split())
    if not 1 <= len(name) <= 120:
        message = _("Give a name of up to 120 characters.")
        raise Invalid(message, fields={"name": [message]})
    return name


def same_text(text: str) -> str:
    """The text without what a database refuses (NUL, lone surrogates) and control characters."""
    clean = text.encode("utf-8", "ignore").decode("utf-8")
    return "".join(c if unicodedata.category(c) != "Cc" else " " for c in clean)


def create_user(s: Session, email: str, name: str, *, locale: str | None = None) -> User:
    """A new person without a password (a link lets them choose one).

    Raises Invalid for a bad address or name, Conflict if the address is taken.
    """
    address = normal_email(email)
    if find_user(s, address) is not None:
        message = _("%(email)s has an account already.", email=address)
        raise Conflict(message, fields={"email": [message]})
    user = User(email=address, name=normal_name(name), locale=locale)
    s.add(user)
    s.flush()
    return user


def find_user(s: Session, email: str) -> User | None:
    """The person with this address, however it is written."""
    return s.scalar(sa.select(User).where(User.email == same_email(email)))


def known_user(s: Session, email: str) -> User:
    """The person with this address. Raises NotFound."""
    user = find_user(s, email)
    if user is None:
        raise NotFound(_("There is nobody with the address %(email)s.", email=email[:254]))
    return user


def get_user(s: Session, user_id: UUID) -> User:
    """The person. Raises NotFound."""
    user = s.get(User, user_id)
    if user is None:
        raise NotFound(_("There is no such person."))
    return user


def store_password(
    s: Session, user: User, password_hash: str, *, keep_session: UUID | None = None
) -> None:
    """Set the hash (made beforehand: hashing is slow and must not hold the database's lock).

    All other devices are signed out and open links that could set a password or sign in die.
    """
    user.password_hash = password_hash
    end_sessions(s, user.id, keep=keep_session)
    void_links(s, user.id)
    s.flush()


def end_sessions(s: Session, user_id: UUID, *, keep: UUID | None = None) -> int:
    """Sign the person out everywhere, but for the session `keep`. Gives how many were ended."""
    rows = s.execute(
        sa.update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
        .where(UserSession.id != keep if keep else sa.true())
        .values(revoked_at=now())
        .returning(UserSession.id)
    )
    return len(rows.all())


def void_links(s: Session, user_id: UUID) -> None:
    """Let the person's open links die, all but offers of roles, which need a sign-in anyway."""
    s.execute(
        sa.update(OneTimeLink)
        .where(
            OneTimeLink.user_id == user_id,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.purpose != "join",
        )
        .values(used_at=now())
    )


def disable(s: Session, user_id: UUID) -> None:
    """Switch the account off in every brand; sessions and links end. Roles stay as they were."""
    user = get_user(s, user_id)
    user.disabled_at = user.disabled_at or now()
    end_sessions(s, user.id)
    void_links(s, user.id)
    s.flush()


def enable(s: Session, user_id: UUID) -> None:
    """Let the account sign in again."""
    get_user(s, user_id).disabled_at = None
    s.flush()


def set_preferences(s: Session, user_id: UUID, *, name: str, locale: str, theme: str) -> None:
    """Name, language (a key of the installation's languages) and theme. Raises Invalid."""
    if theme not in THEMES:
        raise Invalid(_("Choose light or dark."), fields={"theme": [_("Choose light or dark.")]})
    user = get_user(s, user_id)
    user.name, user.locale, user.theme = normal_name(name), locale, theme
    s.flush()
