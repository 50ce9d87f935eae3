"""Secrets that are handed out once: random, and kept only as a SHA-256.

A fast hash suffices, for the secret has 256 random bits; passwords are another matter.
"""

import hashlib
import secrets


def new_token() -> str:
    """32 random bytes as 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """SHA-256 (hex) of a token, also of one that no browser should have sent."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
