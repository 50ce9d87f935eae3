"""Days of the week, Monday first, as settings spell them."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
