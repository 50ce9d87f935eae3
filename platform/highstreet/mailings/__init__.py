"""Mailings: whom one goes to, why others get nothing, and what became of every single piece."""

from highstreet.customers import parts
from highstreet.email import endings
from highstreet.mailings import by_email, carriers, queries
from highstreet.mailings.part import MailingsPart
from highstreet.mailings.post import Post
from highstreet.segments import queries as segments

parts.register(MailingsPart())
carriers.register("post", Post())
carriers.register("email", by_email.Email())
endings.register(by_email.KIND, by_email.Told())
segments.register_users("mailing", queries.using)
