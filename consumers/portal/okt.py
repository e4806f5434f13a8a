"""The session: a short-lived signed token in a cookie that no script and no other site can use."""

import secrets
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from backbone import tokens
from backbone.clock import Clock
from backbone.settings import Settings
from backbone.tokens import InvalidToken, Principal
from consumers.portal.utlogget import Utlogget

COOKIE = "samspor_okt"
LIFE = timedelta(hours=1)


class SignedOut(Exception):
    """Nobody is signed in. `expired`: somebody was."""

    def __init__(self, expired: bool) -> None:
        super().__init__("expired" if expired else "signed out")
        self.expired = expired


class Okter:
    """Opens, reads and closes sessions."""

    def __init__(self, settings: Settings, clock: Clock, utlogget: Utlogget) -> None:
        self._settings = settings
        self._clock = clock
        self._utlogget = utlogget

    def viewer(self, request: Request) -> Principal:
        """Who is asking, by bearer token or cookie. Raises SignedOut, and what `verify` raises."""
        token = self.token(request)
        if token is None:
            raise SignedOut(expired=False)
        return self.verify(token)

    def token(self, request: Request) -> str | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" and token else request.cookies.get(COOKIE)

    def verify(self, token: str) -> Principal:
        """Raises SignedOut once the token is signed out, too old or otherwise no good, and Retry while it is not known
        who has signed out."""
        try:
            viewer = tokens.verify(token, self._settings, self._clock())
        except InvalidToken:
            raise SignedOut(expired=True) from None
        if self._utlogget.holds(token):
            raise SignedOut(expired=False)
        return viewer

    def open(self, principal: Principal, request: Request, response: Response) -> None:
        token = tokens.issue(principal, self._settings, self._clock(), LIFE, secrets.token_urlsafe(16))
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(LIFE.total_seconds()),
            path="/",
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )

    def close(self, request: Request, response: Response) -> None:
        """The token is good no more, whoever else holds it."""
        token = self.token(request)
        with suppress(InvalidToken):
            if token is not None:
                _, ends = tokens.verified(token, self._settings, self._clock())
                self._utlogget.add(token, ends)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def own_path(path: str) -> str:
    """`path` if it is a page of ours to return to, else the start page."""
    parts = urlsplit(path)
    ours = path.startswith("/") and not parts.scheme and not parts.netloc and "\\" not in path
    return path if ours and not path.startswith(("//", "/innlogging", "/varsler")) else "/"
