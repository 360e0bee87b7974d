"""ASGI middleware: security headers for browsers."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "manifest-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
    )
)
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "browsing-topics",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "payment",
        "usb",
    )
)
# URLs that are secret themselves, or restricted to one person.
PRIVATE_PATHS = (
    "/recevoir",
    "/mes-badges",
    "/demandes-de-badge",
    "/verifier/demander",
    "/connexion",
    "/confirmer",
    "/compte",
    "/gestion",
    "/lti",
)
_ANYWHERE = "frame-ancestors *"
_LINE_ENDS = b"\r\n\0"
_A_YEAR = "max-age=31536000; includeSubDomains"


class SecurityHeaders:
    """Adds security headers to every response; a header set by the route itself is not overwritten."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        private = is_private(scope["path"])

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_security_headers(MutableHeaders(scope=message), private=private, https=self.https)
            await send(message)

        await self.app(scope, receive, send_guarded)


def add_security_headers(headers: MutableHeaders, *, private: bool, https: bool) -> None:
    # The server writes values unchanged: a line break would inject a header or a body.
    text = b"".join(part for header in headers.raw for part in header)
    if len(text.translate(None, _LINE_ENDS)) != len(text):
        raise ValueError("a response header must be one line")
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer" if private else "strict-origin-when-cross-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
    if _ANYWHERE not in headers["Content-Security-Policy"]:
        headers.setdefault("X-Frame-Options", "DENY")
    if private:
        headers["Cache-Control"] = "no-store"
        headers.setdefault("X-Robots-Tag", "noindex, nofollow")
    if https:
        headers.setdefault("Strict-Transport-Security", _A_YEAR)


def framed_anywhere(answer: HTMLResponse) -> HTMLResponse:
    """For a page that any site may embed: it contains nothing that a misled click could trigger, and reads no
    session."""
    policy = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", _ANYWHERE)
    answer.headers["Content-Security-Policy"] = policy
    return answer


def is_private(path: str) -> bool:
    return any(path == start or path.startswith(start + "/") for start in PRIVATE_PATHS)


def as_private(answer: HTMLResponse) -> HTMLResponse:
    # Not "no-referrer": older browsers would then send our own forms with the origin "null",
    # indistinguishable here from a cross-site form.
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer
