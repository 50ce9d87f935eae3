"""Security headers: set once, on every answer."""

from flask import Flask, Response, request

# No inline script or style, nothing from another host. The API's docs page sets its own.
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_STATIC = "/static/"


def init_app(app: Flask) -> None:
    """Give every answer of `app` the headers."""
    app.after_request(harden)


def harden(response: Response) -> Response:
    """Add what is missing; a view that set a header of its own keeps it."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CSP)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
    if not request.path.startswith(_STATIC):
        # Pages hold people's data: no copy in a shared cache or on the till's disk.
        headers.setdefault("Cache-Control", "no-store")
    return response
