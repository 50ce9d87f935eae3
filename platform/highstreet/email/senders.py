"""In whose name a brand writes: checked when it is set, for a wrong line would reach everybody."""

from __future__ import annotations

import sqlalchemy as sa

from highstreet.email.mailboxes import Mailbox, holds_control, on_the_wire, plain
from highstreet.email.models import EmailSender
from highstreet.i18n import gettext as _
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Forbidden, Invalid
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record


def current(s: ScopedSession) -> EmailSender | None:
    """The brand's sender; None where head office has set none, so nothing can be sent."""
    return s.scalar(sa.select(EmailSender))


def choose(
    s: ScopedSession, *, name: str, address: str, reply_to: str, return_path: str, postal: str
) -> EmailSender:
    """Set the brand's sender. reply_to, return_path: "" for none. postal: the postal address that
    the law wants in each message (lines). Raises Invalid, naming every field that is wrong;
    Forbidden in a store."""
    office_only(s)
    errors: dict[str, list[str]] = {}

    def read(field: str, value: str, *, needed: bool) -> str:
        value = value.strip()
        if not value and not needed:
            return ""
        try:
            return on_the_wire(value)
        except Invalid as error:
            errors[field] = [error.detail]
            return ""

    called, lines = name.strip(), postal.replace("\r\n", "\n").strip()
    if not called or len(called) > 120 or holds_control(called) or "@" in called:
        errors["name"] = [_("Give a name in one line, without @ and at most 120 characters.")]
    if not lines or len(lines) > 500 or holds_control(lines.replace("\n", " ")):
        errors["postal"] = [_("Give the postal address of whoever writes: the law asks for it.")]
    values = {
        "name": plain(called),
        "address": read("address", address, needed=True),
        "reply_to": read("reply_to", reply_to, needed=False),
        "return_path": read("return_path", return_path, needed=False),
        "postal": lines,
    }
    if "+" in values["return_path"]:
        errors["return_path"] = [_("Give it without +: a tag is added to it for each message.")]
    if len(values["return_path"].partition("@")[0]) > 20:
        errors["return_path"] = [_("At most 20 characters before the @: a tag is added there.")]
    if errors:
        raise Invalid(_("The sender can’t be used like this."), fields=errors)
    row = current(s)
    if row is None:
        row = EmailSender(brand_id=s.brand_id, **values)
        s.add(row)
    for field, value in values.items():
        setattr(row, field, value)
    row.changed_at = now()
    s.flush()
    record(s, "email.sender_set", "email", row.id, f"{row.name} <{row.address}>", store_id=None)
    return row


def office_only(s: ScopedSession) -> None:
    """Raises Forbidden in a store: what every member of the brand reads is head office's."""
    if s.store_id is not None:
        raise Forbidden(_("In whose name and frame e-mail is sent is head office’s to say."))


def mailbox(row: EmailSender) -> Mailbox:
    """As a header has it."""
    return Mailbox(row.address, row.name)
