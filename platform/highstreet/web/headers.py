"""Security headers: set once, on every answer."""

from flask import Flask, Response, request

# No inline script or style, nothing from another host. The API's docs page sets its own.
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_STATIC = "/static/"
_EVERYWHERE = (
    ("Content-Security-Policy", CSP),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)
# Pages hold people's data: no copy in a shared cache or on the till's disk.
_PAGES = (*_EVERYWHERE, ("Cache-Control", "no-store"))


def init_app(app: Flask) -> None:
    """Give every answer of `app` the headers."""
    app.after_request(harden)


def harden(response: Response) -> Response:
    """Add what is missing; a view that set a header of its own keeps it."""
    headers = response.headers
    there = {name.lower() for name in headers.keys()}  # noqa: SIM118 - Headers, not a dict
    for name, value in _EVERYWHERE if request.path.startswith(_STATIC) else _PAGES:
        if name.lower() not in there:
            headers.add(name, value)
    return response
