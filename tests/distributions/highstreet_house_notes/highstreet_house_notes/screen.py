"""The page with the notes."""

from flask import render_template
from sqlalchemy import select

from highstreet.sdk import open_ctx, requires, screens
from highstreet_house_notes.models import Note

page = screens("house_notes")


@page.get("/")
@requires("house_notes.read")
def notes() -> str:
    """The newest notes of the store."""
    with open_ctx() as ctx:
        newest = ctx.s.scalars(select(Note).order_by(Note.written_at.desc()).limit(50)).all()
        return render_template("house_notes/notes.html", notes=newest)
