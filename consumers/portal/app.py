"""The portal as an application: its pages, their guard, and a page for each thing that can go wrong."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from backbone import metrics
from backbone.failures import Retry
from backbone.http import Gatekeeper, expose_metrics
from backbone.observed import Observed
from consumers.portal import innsyn, oppgaveside
from consumers.portal.okt import SignedOut
from consumers.portal.sider import ROUTES, NotFound, Portal, page
from consumers.portal.texts import FILTERS, Texts
from consumers.portal.vern import Guard

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
RETRY_AFTER_S = "5"

Handler = Callable[[Request, Exception], Awaitable[Response]]


def create_portal(portal: Portal) -> FastAPI:
    app = FastAPI(
        title="portal",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        routes=[*ROUTES, *oppgaveside.ROUTES, *innsyn.ROUTES],
    )
    app.state.portal = portal
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    for kind, handler in HANDLERS:
        app.add_exception_handler(kind, handler)
    app.add_middleware(
        Guard,
        refused=_fixed(portal, "feil-avvist", 403),
        too_large=_fixed(portal, "feil-ugyldig", 413),
        broken=_fixed(portal, "feil-intern", 500),
    )
    app.add_middleware(Observed, part="portal", quiet={"/varsler/strom"})
    metrics.SSE_SUBSCRIBERS.set_function(lambda: len(portal.vekker))
    if portal.settings.portal_metrics:
        expose_metrics(app, Gatekeeper(portal.settings, portal.clock))
    return app


def environment(texts: Texts) -> Environment:
    """Templates that escape everything and stop at a value nobody gave."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(FILTERS)
    env.globals["t"] = texts
    return env


def _fixed(portal: Portal, code: str, status: int) -> Response:
    return HTMLResponse(portal.render("feil.html", None, sti="", kode=code, prov_igjen=None), status)


def _error(request: Request, code: str, status: int, retry: str | None = None) -> Response:
    return page(request, "feil.html", None, status, kode=code, prov_igjen=retry)


async def _signed_out(request: Request, error: Exception) -> Response:
    expired = isinstance(error, SignedOut) and error.expired
    where = quote(request.url.path if request.method == "GET" else "/")
    target = f"/innlogging?til={where}" + ("&utlopt=1" if expired else "")
    if request.headers.get("hx-request"):
        # htmx would put the sign-in page inside the list it asked for.
        return Response(status_code=204, headers={"HX-Redirect": "/innlogging?utlopt=1&til=/"})
    return RedirectResponse(target, 303)


async def _not_found(request: Request, error: Exception) -> Response:
    return _error(request, "feil-ikke-funnet", 404)


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _error(request, "feil-ikke-funnet" if status == 404 else "feil-ugyldig", status)


async def _away(request: Request, error: Exception) -> Response:
    log.warning("a neighbour is away: %s", type(error).__name__)
    response = _error(request, "feil-utilgjengelig", 503, request.url.path)
    response.headers["retry-after"] = RETRY_AFTER_S
    return response


HANDLERS: tuple[tuple[type[Exception], Handler], ...] = (
    (SignedOut, _signed_out),
    (NotFound, _not_found),
    (HTTPException, _http),
    (Retry, _away),
)
