"""The session: a short-lived signed token in a cookie that no script and no other site can use."""

from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from backbone import tokens
from backbone.clock import Clock
from backbone.settings import Settings
from backbone.tokens import InvalidToken, Principal

COOKIE = "samspor_okt"
LIFE = timedelta(hours=1)


class SignedOut(Exception):
    """Nobody is signed in. `expired`: somebody was."""

    def __init__(self, expired: bool) -> None:
        super().__init__("expired" if expired else "signed out")
        self.expired = expired


class Okter:
    """Opens, reads and closes sessions."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def viewer(self, request: Request) -> Principal:
        """Who is asking, by bearer token or cookie. Raises SignedOut."""
        token = self.token(request)
        if token is None:
            raise SignedOut(expired=False)
        return self.verify(token)

    def token(self, request: Request) -> str | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" and token else request.cookies.get(COOKIE)

    def verify(self, token: str) -> Principal:
        """Raises SignedOut once the token is too old or otherwise no good."""
        try:
            return tokens.verify(token, self._settings, self._clock())
        except InvalidToken:
            raise SignedOut(expired=True) from None

    def open(self, principal: Principal, request: Request, response: Response) -> None:
        token = tokens.issue(principal, self._settings, self._clock(), LIFE)
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(LIFE.total_seconds()),
            path="/",
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )

    def close(self, response: Response) -> None:
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def own_path(path: str) -> str:
    """`path` if it is a page of ours to return to, else the start page."""
    parts = urlsplit(path)
    ours = path.startswith("/") and not parts.scheme and not parts.netloc and "\\" not in path
    return path if ours and not path.startswith(("//", "/innlogging", "/varsler")) else "/"
