"""The way to samtykke: who is this, may it go, under which key, may she read it. Nothing is kept between calls."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, cast

import httpx
import orjson

from backbone import telemetry
from backbone.client import http_client
from backbone.clock import Clock, system_clock
from backbone.failures import Failing, Retry
from backbone.settings import Settings
from backbone.tokens import Principal, issue, system_principal
from contracts import samtykke_api as api

TOKEN_LIFE = timedelta(minutes=5)
NAVN, SOK, SAMTYKKER = "/samtykke/navn", "/samtykke/sok", "/samtykke/samtykker"
FAMILIE, INNSYN = "/samtykke/familie", "/samtykke/innsyn"
TILDELINGER = "/samtykke/tildelinger"

Parameter = str | int | float | list[str]


class Rejected(Exception):
    """samtykke understood the call and said no (4xx). `status` is HTTP's, `problem` the RFC 9457 body."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"samtykke answered {status}")
        self.status = status
        self.problem = problem


class InternalClient:
    """JSON over HTTP between our own processes, signed with a short-lived system token.

    Every call raises Retry when the other side is away or overloaded, Rejected when it says no.
    """

    def __init__(self, settings: Settings, part: str, to: str, clock: Clock = system_clock) -> None:
        self._settings = settings
        self._me = system_principal(part)
        self._to = to
        self._clock = clock
        self._http = http_client(base_url=settings.url(to), timeout=settings.samtykke_timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def call(self, method: str, path: str, body: Any = None, **params: Parameter) -> Any:
        """The answer's JSON (None for 204). Raises Retry or Rejected."""
        token = self._settings.system_token
        bearer = (
            token.get_secret_value() if token else issue(self._me, self._settings, self._clock(), TOKEN_LIFE)
        )
        headers = {"authorization": f"Bearer {bearer}", "content-type": "application/json"}
        content = None if body is None else orjson.dumps(body)
        if here := telemetry.here():
            # A call that belongs to no trace, such as a poll of the feed, is no span either.
            with telemetry.span(
                method, "client", {"http.request.method": method, "peer.service": self._to}
            ) as span:
                headers["traceparent"] = span.traceparent or here
                answer = await self._answer(method, path, content, headers, params)
                span.set("http.response.status_code", answer.status_code)
        else:
            answer = await self._answer(method, path, content, headers, params)
        return _taken(answer)

    async def _answer(
        self,
        method: str,
        path: str,
        content: bytes | None,
        headers: Mapping[str, str],
        params: Mapping[str, Parameter],
    ) -> httpx.Response:
        try:
            return await self._http.request(
                method, path, content=content, headers=dict(headers), params=params or None
            )
        except httpx.HTTPError as error:
            raise Retry(type(error).__name__) from None


def _taken(answer: httpx.Response) -> Any:
    """What the other side says. Raises Rejected for its no, Failing for its failure, and Retry for what is not its
    answer at all, but that of something in between (a proxy's page, a sign-in)."""
    status = answer.status_code
    if status == 500:
        raise Failing("HTTP 500")
    if status == 413:
        raise Rejected(status, {})  # too much in one call, whoever in between says so
    if status > 500 or status == 429 or not (answer.is_success or answer.is_client_error):
        raise Retry(f"HTTP {status}")
    try:
        said = orjson.loads(answer.content) if answer.content else None
    except orjson.JSONDecodeError:
        raise Retry(f"HTTP {status}, not JSON") from None
    if answer.is_success:
        return said
    if not isinstance(said or {}, dict):
        raise Retry(f"HTTP {status}, no problem details")
    raise Rejected(status, said or {})


class SamtykkeClient(InternalClient):
    """Typed calls to samtykke's internal API (`contracts.samtykke_api`)."""

    def __init__(self, settings: Settings, part: str, clock: Clock = system_clock) -> None:
        super().__init__(settings, part, "samtykke", clock)

    async def decide(self, tjeneste: str, items: Sequence[api.AvgjorelseItem]) -> list[api.Avgjorelse]:
        """The publish gate for a batch, one decision an item."""
        answer = await self.call("POST", "/samtykke/avgjorelser", {"tjeneste": tjeneste, "items": items})
        return cast(list[api.Avgjorelse], answer["items"])

    async def keys(self, items: Sequence[api.NokkelItem]) -> list[api.NokkelSvar]:
        """Data keys for coordination, in bulk."""
        answer = await self.call("POST", "/samtykke/nokler", {"formal": "samordning", "items": items})
        return cast(list[api.NokkelSvar], answer["items"])

    async def changes(self, after: int, wait_s: float = 0.0) -> api.EndringerUt:
        """Subjects changed since `after`; waits up to `wait_s` seconds for the first one."""
        return cast(
            api.EndringerUt, await self.call("GET", "/samtykke/endringer", etter=after, ventetid_s=wait_s)
        )

    async def read(
        self, viewer: Principal, formal: str, items: Sequence[api.LesingItem], sporing: str | None = None
    ) -> list[api.Lesing]:
        """The read gate: logged and committed by samtykke before it answers."""
        body = {"viewer": viewer.model_dump(), "formal": formal, "items": items, "sporing": sporing}
        return cast(list[api.Lesing], (await self.call("POST", "/samtykke/lesinger", body))["items"])

    async def to_forget(self, mottaker: str) -> list[api.Glemsel]:
        """Approved erasures that this part has not yet carried out."""
        answer = await self.call("GET", "/samtykke/slettinger", mottaker=mottaker)
        return cast(list[api.Glemsel], answer["items"])

    async def forgotten(self, sletting: str, mottaker: str) -> None:
        await self.call("POST", f"/samtykke/slettinger/{sletting}/kvittering", {"mottaker": mottaker})

    async def names(
        self,
        viewer: Principal,
        subjects: Sequence[str],
        koordinering: bool = False,
        oppgave: bool = False,
    ) -> dict[str, str]:
        """Names of those children that the viewer may open; the flags as in `contracts.samtykke_api.NavnInn`."""
        body = {
            "viewer": viewer.model_dump(),
            "subjects": subjects,
            "koordinering": koordinering,
            "oppgave": oppgave,
        }
        return cast(dict[str, str], (await self.call("POST", NAVN, body))["navn"])

    async def search(
        self, viewer: Principal, *, person: str | None = None, navn: str | None = None
    ) -> list[str]:
        """Subjects that match a number or a name, of those the viewer may open."""
        query = {"person": person} if person is not None else {"navn": navn}
        return cast(
            list[str], (await self.call("POST", SOK, {"viewer": viewer.model_dump(), **query}))["subjects"]
        )

    async def family(self, bruker: str) -> list[str]:
        """Subjects of the children that the user is, or is a guardian of."""
        return cast(list[str], (await self.call("GET", FAMILIE, bruker=bruker))["subjects"])

    async def readings(
        self, viewer: Principal, subject: str, ingen_undersokelse: bool, sett: Sequence[api.Settlest]
    ) -> api.InnsynUt:
        """Who has read what of the child, as the viewer may know it: logged and committed before it answers."""
        body = {
            "viewer": viewer.model_dump(),
            "subject": subject,
            "ingen_undersokelse": ingen_undersokelse,
            "sett": sett,
        }
        return cast(api.InnsynUt, await self.call("POST", INNSYN, body))

    async def consents(self, subject: str) -> list[api.Samtykke]:
        return cast(list[api.Samtykke], (await self.call("GET", SAMTYKKER, subject=subject))["samtykker"])

    async def assigned(self, koordinator: str) -> list[str]:
        """Subjects of the children that the coordinator with this `sub` is assigned to."""
        return cast(list[str], (await self.call("GET", TILDELINGER, koordinator=koordinator))["subjects"])
