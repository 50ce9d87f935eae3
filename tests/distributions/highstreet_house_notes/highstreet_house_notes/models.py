"""Where the notes are."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from highstreet.sdk import Base, StoreOwned, now


class Note(StoreOwned, Base):
    """A note of one store. It names no customer, so head office may see it too."""

    __tablename__ = "house_notes_note"
    __personal__ = False
    __constraints__ = (Index(None, "brand_id", "store_id", "written_at"),)

    text: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(default=now)
