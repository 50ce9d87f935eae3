"""Consent: who may be contacted for what, on which channel, by whom; proved, never assumed."""
