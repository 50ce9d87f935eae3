"""A message to oneself, at once: whether the server takes it, and how it looks."""

from __future__ import annotations

from uuid import uuid4

from highstreet.email import frames, layouts, outbox, senders
from highstreet.email.cleaning import as_html
from highstreet.email.house import Mail
from highstreet.email.mailboxes import Mailbox, domain_of, on_the_wire
from highstreet.email.models import EmailSender
from highstreet.email.skeleton import Common, Personal, Skeleton, Slot
from highstreet.email.transports import Answer, Envelope
from highstreet.i18n import gettext as _
from highstreet.i18n import html_lang
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid
from highstreet_tenants.sessions import ScopedSession


def preview(s: ScopedSession, source: str | None = None) -> str:
    """The HTML of a message in a frame (MJML; by default the one that holds), filled with words for
    show. Raises Invalid for a frame that may not be sent."""
    html = frames.compiled(source) if source else layouts.html(s, layouts.current(s))
    values = _values(s, senders.current(s))
    return "".join(values[one.name] if isinstance(one, Slot) else one for one in frames.parts(html))


def compose(s: ScopedSession, address: str) -> Envelope:
    """A message that says that mail arrives. Raises Invalid for an address that is none, Conflict
    where nobody has said in whose name mail is sent, or through which server."""
    if (reason := outbox.not_ready(s)) is not None:
        raise Conflict(reason)
    sender = senders.current(s)
    assert sender is not None
    try:
        to = on_the_wire(address.strip())
    except Invalid as error:
        raise Invalid(error.detail, fields={"to": [error.detail]}) from error
    common = Common(
        senders.mailbox(sender),
        domain_of(sender.address),
        Mailbox(sender.reply_to) if sender.reply_to else None,
        automatic=True,
    )
    at = now()
    skeleton = Skeleton(common, frames.parts(layouts.html(s, layouts.current(s))))
    personal = Personal(
        to=Mailbox(to),
        subject=_("A test of %(name)s’s e-mail", name=sender.name),
        text=_body(),
        html=_values(s, sender),
        name=uuid4().hex,
        at=int(at.timestamp()),
    )
    return Envelope(sender.return_path or sender.address, to, skeleton.fill(personal))


def send(mail: Mail, envelope: Envelope) -> Answer:
    """Send it now, with no transaction open; gives what the server said."""
    assert mail.transport is not None
    [answer] = mail.transport.send([envelope])
    return answer


def _body() -> str:
    return _(
        "This is what your members’ mail looks like.\n\nNothing was sent to anybody else. In real"
        " messages the line at the end holds a link that stops them with one press."
    )


def _values(s: ScopedSession, sender: EmailSender | None) -> dict[str, str]:
    from html import escape

    name = sender.name if sender else _("Your brand")
    postal = sender.postal if sender else _("Your postal address")
    return {
        "content": as_html(_body()),
        "postal_address": escape(postal).replace("\n", "<br>"),
        "unsubscribe": f"<a>{escape(_('Stop these e-mails'))}</a>",
        "unsubscribe_url": "https://example.org/",
        "brand": escape(name),
        "store": escape(name),
        "why": escape(_("You get this because you are a member of %(name)s.", name=name)),
        "lang": html_lang(),
    }
