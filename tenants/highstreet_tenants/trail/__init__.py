"""Who did what: what people, keys, jobs and the operator changed, in rows that nobody changes.

An entry is written by the verb that changes something, in its transaction: what was taken back left
no entry, and what stands has one. It names customers by their ids alone, so that erasing somebody
need not rewrite it. What happens at a till (purchases, rewards) is not here: those are facts of
their own, with who rang them up.
"""

from highstreet_tenants.trail.recording import record

__all__ = ["record"]
