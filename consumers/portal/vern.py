"""What guards every answer: security headers, forms from our own pages only, small bodies, and never a stack trace."""

import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

FORM_BYTES_MAX = 16 * 1024

CSP = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",  # Designsystemet draws its icons as data: masks; data: reaches no one
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # "no-referrer" would make browsers send "Origin: null" with our own forms.
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
STATIC = "/static/"


class Guard:
    """ASGI middleware; streams pass through it unbuffered."""

    def __init__(self, app: ASGIApp, refused: Response, too_large: Response, broken: Response) -> None:
        self._app = app
        self._refused = refused
        self._too_large = too_large
        self._broken = broken

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers["cache-control"] = "no-cache" if scope["path"].startswith(STATIC) else "no-store"
            await send(message)

        app: ASGIApp = self._app
        if scope["method"] not in ("GET", "HEAD"):
            headers = Headers(scope=scope)
            if not from_our_own_page(headers):
                app = self._refused
            elif not small(headers):
                app = self._too_large
        try:
            await app(scope, receive, send_guarded)
        except Exception as error:
            # The message may hold what was read, so only the kind of error and the route are logged.
            route = getattr(scope.get("route"), "path", "-")
            log.error("unhandled %s in %s", type(error).__name__, route)
            if started:
                raise
            await self._broken(scope, receive, send_guarded)


def from_our_own_page(headers: Headers) -> bool:
    """Whether a form was sent by a page of this site, by its Origin; a browser that sends none says where it came from
    in Sec-Fetch-Site."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site") == "same-origin"
    return urlsplit(origin).netloc == headers.get("host")


def small(headers: Headers) -> bool:
    """Our forms are short and say how long they are."""
    length = headers.get("content-length", "")
    return length.isdigit() and int(length) <= FORM_BYTES_MAX
