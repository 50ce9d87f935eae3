"""From a row of the outbox to the message as it goes out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.email import filling, frames, layouts, senders
from highstreet.email import house as houses
from highstreet.email.house import Mail
from highstreet.email.mailboxes import Mailbox, domain_of, on_the_wire, plain
from highstreet.email.models import EmailLayout, EmailPiece, EmailSender
from highstreet.email.skeleton import Common, Personal, Skeleton
from highstreet.email.tokens import Stop
from highstreet.email.transports import Envelope
from highstreet.i18n import gettext as _
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.sessions import ScopedSession

#: Skeletons of this process that are kept.
MOST_SKELETONS = 200


class Letter(Struct, frozen=True):
    """One row of the outbox, as far as its message needs it."""

    id: UUID
    store_id: UUID | None
    place_id: UUID | None
    customer_id: UUID
    piece_id: UUID
    purpose: str
    address: str
    called: str
    fills: Mapping[str, Any]
    attempts: int
    kind: str = ""
    key: str | None = None
    used_for: str | None = None


class Words(Struct, frozen=True):
    """What a frame says in a language: why somebody gets it, and how to stop it."""

    why: str
    stop: str


class Desk:
    """What letters of one chunk are written with: sender, pieces, frames, names."""

    def __init__(self, s: ScopedSession, sender: EmailSender, letters: list[Letter]) -> None:
        self._mail: Mail = houses.of(s)
        self._sender = sender
        self._brand_id = s.brand_id
        self._brand = s.scalar(sa.select(Brand.name).where(Brand.id == s.brand_id)) or ""
        pieces = {one.piece_id for one in letters}
        places = {one.place_id for one in letters if one.place_id}
        found = s.scalars(sa.select(EmailPiece).where(EmailPiece.id.in_(pieces))).all()
        self._pieces = {one.id: one for one in found}
        self._names: dict[UUID, str] = {}
        if places:
            rows = s.execute(sa.select(Store.id, Store.name).where(Store.id.in_(places)))
            self._names = {row[0]: row[1] for row in rows}
        self._skeletons = {one.id: self._skeleton(s, one) for one in found}

    def write(self, one: Letter, at: int) -> Envelope:
        """The message, and to whom. at: seconds since 1970. Raises Invalid if it can't be."""
        piece, mail = self._pieces[one.piece_id], self._mail
        to = on_the_wire(one.address)
        sender = self._sender
        stop = Stop(self._brand_id, one.store_id, one.customer_id, one.id, one.purpose)
        url = f"{mail.base_url}/u/{mail.tokens.stop(stop)}"
        store = self._names.get(one.place_id, self._brand) if one.place_id else self._brand
        fills = {
            **one.fills,
            "name": one.called,
            "brand": self._brand,
            "store": store,
            "unsubscribe_url": url,
        }
        words = _words(mail, piece.language, self._brand, store)
        personal = Personal(
            to=Mailbox(to, plain(one.called)),
            subject=plain(filling.plain(piece.subject, fills), 250),
            text=filling.plain(piece.text, fills)
            + f"\n-- \n{words.why}\n{sender.postal}\n{words.stop}: {url}\n",
            html={
                "content": filling.html(piece.html, fills),
                "postal_address": escape(sender.postal).replace("\n", "<br>"),
                "unsubscribe": f'<a href="{url}">{escape(words.stop)}</a>',
                "unsubscribe_url": url,
                "brand": escape(self._brand),
                "store": escape(store),
                "why": escape(words.why),
                "lang": piece.language.replace("_", "-"),
            },
            name=one.id.hex,
            at=at,
            stop=url,
        )
        data = self._skeletons[one.piece_id].fill(personal)
        return Envelope(self._return_path(one.id), to, data)

    def _return_path(self, message_id: UUID) -> str:
        local, at, domain = self._sender.return_path.rpartition("@")
        if not at:
            return self._sender.address
        return f"{local}+{self._mail.tokens.tag(self._brand_id, message_id)}@{domain}"

    def _skeleton(self, s: ScopedSession, piece: EmailPiece) -> Skeleton:
        sender, kept = self._sender, self._mail.skeletons
        layout = piece.layout_id and s.get(EmailLayout, (s.brand_id, piece.layout_id))
        about = (sender.changed_at, None if layout else layouts.accent(s))
        made = kept.get((piece.id, about))
        if made is None:
            common = Common(
                senders.mailbox(sender),
                domain_of(sender.address),
                Mailbox(sender.reply_to) if sender.reply_to else None,
                automatic=True,
            )
            made = Skeleton(common, frames.parts(layouts.html(s, layout or None)))
            if len(kept) >= MOST_SKELETONS:
                kept.clear()
            kept[piece.id, about] = made
        return made


@lru_cache(maxsize=256)
def _words(mail: Mail, language: str, brand: str, store: str) -> Words:
    with mail.speaking(language):
        return Words(
            _("You get this because you are a member of %(name)s.", name=brand or store),
            _("Stop these e-mails"),
        )
