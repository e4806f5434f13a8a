"""Errors that an integrator can act on: RFC 9457 problem details, in bokmål, without personal data."""

from collections.abc import Sequence
from typing import Any

from backbone.meldinger import Argument, messages

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """Ends a request. `code` names a message with a `.gjor` in `package`'s catalogue; `errors` are the places."""

    def __init__(
        self,
        status: int,
        code: str,
        *,
        package: str = "backbone",
        errors: Sequence[dict[str, Any]] = (),
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
        **args: Argument,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.package = package
        self.errors = list(errors)
        self.headers = headers or {}
        self.extra = extra or {}
        self.arguments = args

    def body(self) -> dict[str, Any]:
        """`type` is a stable URN, `title` what is wrong, `detail` what to do."""
        catalogue = messages(self.package)
        body: dict[str, Any] = {
            "type": f"urn:samspor:problem:{self.code}",
            "title": catalogue.text(self.code, **self.arguments),
            "status": self.status,
            "detail": catalogue.action(self.code, **self.arguments),
            **self.extra,
        }
        return {**body, "feil": self.errors} if self.errors else body
