"""What every HTTP process of ours shares: problem details, bearer tokens, bounded bodies, health, a clean stop."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from ipaddress import ip_address
from typing import Annotated, Any

import asyncpg
import orjson
import uvicorn
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from backbone import logs, metrics, telemetry
from backbone.clock import Clock
from backbone.database import DATABASE_AWAY
from backbone.observed import SCOPE_KEY, Observed
from backbone.problems import MEDIA_TYPE, ProblemError
from backbone.settings import Settings
from backbone.tokens import InvalidToken, Principal, verify
from contracts.roller import Rolle

log = logging.getLogger(__name__)

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
Check = Callable[[], Awaitable[Mapping[str, Any]]]
Number = Annotated[int, Query(ge=0, le=2**63 - 1)]
"""Of a row, in a query: what PostgreSQL's bigint holds."""
RETRY_AFTER_S = 1
KEEP_ALIVE_S = 75
"""Longer than HTTP clients keep an idle connection: where the server lets go first, a call may be under way."""
SMALL_BYTES = 64 * 1024
"""A body of this size has room however many large ones are held: a report to barnevern waits for no file."""


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """orjson's bytes as they are: no second pass through a model for answers with thousands of items."""
    return Response(orjson.dumps(content), status, dict(headers or {}), "application/json")


def problem_response(problem: ProblemError) -> Response:
    return Response(orjson.dumps(problem.body()), problem.status, problem.headers, MEDIA_TYPE)


class _App(FastAPI):
    """Its description says how a caller shows who she is."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document.setdefault("components", {})["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        }
        document["security"] = [{"bearer": []}]
        return document


def create_app(
    title: str,
    *,
    version: str = "0",
    lifespan: Lifespan | None = None,
    docs: bool = True,
    quiet: Collection[str] = (),
) -> FastAPI:
    """An application whose every error is a problem detail. Pages for people hide the API's description (`docs`);
    `quiet` paths have neither spans nor numbers (`Observed`)."""
    app = _App(
        title=title,
        version=version,
        lifespan=lifespan,
        docs_url=None,  # Swagger's page loads scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json" if docs else None,
        responses={"default": {"description": "Problem Details (RFC 9457)", "content": {MEDIA_TYPE: {}}}},
    )

    app.add_middleware(Observed, part=title, quiet=quiet)

    @app.exception_handler(ProblemError)
    async def _problem(_: Request, problem: ProblemError) -> Response:
        return problem_response(problem)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 405:
            return problem_response(ProblemError(405, "metode-ikke-tillatt", metode=request.method))
        return problem_response(ProblemError(error.status_code, "finnes-ikke"))

    @app.exception_handler(RequestValidationError)
    async def _parameter(_: Request, error: RequestValidationError) -> Response:
        # Where, and never what: a parameter may hold anything.
        errors = [{"peker": "/" + "/".join(str(part) for part in e["loc"][1:])} for e in error.errors()]
        return problem_response(ProblemError(422, "feil-innhold", errors=errors))

    @app.exception_handler(asyncpg.DataError)
    async def _unfit(_: Request, error: asyncpg.DataError) -> Response:
        # The database is there, and can't hold what stands in the path or the query: a NUL, or too many digits.
        log.warning("the database does not take it: %s", type(error).__name__)
        return problem_response(ProblemError(422, "ubrukelig-verdi"))

    async def _away(_: Request, error: Exception) -> Response:
        log.warning("the database is away: %s", type(error).__name__)
        return problem_response(busy("utilgjengelig"))

    for kind in DATABASE_AWAY:
        app.exception_handler(kind)(_away)

    @app.exception_handler(Exception)
    async def _bug(request: Request, error: Exception) -> Response:
        # The message may hold what the sender wrote, so only the kind of error and the route are logged.
        route = getattr(request.scope.get("route"), "path", "-")
        with telemetry.continuing(request.scope.get(SCOPE_KEY)):
            log.error("unhandled %s in %s", type(error).__name__, route)
        return problem_response(ProblemError(500, "intern-feil", sporing=trace_id(request) or "-"))

    @app.get("/helse", summary="Om prosessen lever", tags=["drift"])
    async def _helse() -> Response:
        return json_response({"status": "oppe", "del": title})

    return app


def trace_id(request: Request) -> str | None:
    """The W3C trace id of the request."""
    return telemetry.trace_id(request.scope.get(SCOPE_KEY))


class Gatekeeper:
    """Reads the bearer token of a request and checks the role."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def __call__(self, request: Request, *roller: Rolle) -> Principal:
        """Who is asking. Raises ProblemError 401 without a valid token, 403 without one of `roller` (none: any)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        challenge = {"WWW-Authenticate": "Bearer"}
        if scheme.lower() != "bearer" or not token:
            raise ProblemError(401, "token-mangler", headers=challenge)
        try:
            principal = verify(token, self._settings, self._clock())
        except InvalidToken:
            raise ProblemError(401, "token-ugyldig", headers=challenge) from None
        if roller and principal.rolle not in roller:
            raise ProblemError(403, "rolle-mangler", roller=", ".join(roller))
        return principal


FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def expose_metrics(app: FastAPI, gate: Gatekeeper, *probes: metrics.Probe) -> None:
    """Adds /metrics: open to a caller on this machine, by a token of drift for any other.

    The counts hold no personal data, but how much a service sends is no outsider's concern. A proxy on this machine
    calls from loopback too: what says it was forwarded needs the token, and a proxy should not pass /metrics on.
    """

    @app.get("/metrics", include_in_schema=False)
    async def _metrics(request: Request) -> Response:
        near = request.client is not None and is_loopback(request.client.host)
        if not near or any(name in request.headers for name in FORWARDED):
            try:
                gate(request, "drift", "system")
            except ProblemError as problem:
                return problem_response(problem)  # the portal answers people, and has no handler for these
        return Response(await metrics.scrape(probes), media_type=metrics.CONTENT_TYPE)


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Intake:
    """Bounds what a process holds of request bodies: each one, and all at once."""

    def __init__(self, body_bytes_max: int, held_bytes_max: int) -> None:
        self._body_bytes_max = body_bytes_max
        self._held_bytes_max = held_bytes_max
        self._held_bytes = 0

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytes]:
        """The body, held until the block ends. Raises ProblemError 413 when it is too large and 503 with
        Retry-After when the process already holds as much as it may."""
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._body_bytes_max:
            raise ProblemError(413, "for-stor", maks=self._body_bytes_max)
        held = 0
        chunks: list[bytes] = []
        try:
            async for chunk in request.stream():
                if held + len(chunk) > self._body_bytes_max:
                    raise ProblemError(413, "for-stor", maks=self._body_bytes_max)
                if held + len(chunk) > SMALL_BYTES and self._held_bytes + len(chunk) > self._held_bytes_max:
                    raise busy()
                held += len(chunk)
                self._held_bytes += len(chunk)
                chunks.append(chunk)
            yield b"".join(chunks)
        finally:
            self._held_bytes -= held


def busy(code: str = "opptatt") -> ProblemError:
    return ProblemError(503, code, headers={"Retry-After": str(RETRY_AFTER_S)}, sekunder=RETRY_AFTER_S)


def _without_words(record: logging.LogRecord) -> bool:
    """A traceback keeps its places and its kind of error; what the error says may hold what somebody sent."""
    if record.exc_info and record.exc_info[0]:
        kind, error, places = record.exc_info
        if error is not None:
            record.__dict__[logs.TOLD] = logs.told(error)
        record.exc_text = "".join([*traceback.format_tb(places), kind.__name__])
        record.exc_info = None
    return True


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: the process that runs the part owns them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: FastAPI, host: str, port: int, stop: asyncio.Event) -> None:
    """Serves until `stop` is set, then lets the requests under way finish. Raises OSError when the port is taken."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,  # uvicorn's own handlers would write tracebacks past ours
        log_level="warning",
        access_log=False,  # a path or query could hold what must not be logged
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=5,
        server_header=False,
        lifespan="on",
    )
    logging.getLogger("uvicorn.error").addFilter(_without_words)
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        try:
            await serving
        except SystemExit:
            raise OSError(f"port {port} is taken") from None
    finally:
        stopping.cancel()
        with suppress(asyncio.CancelledError):
            await stopping
