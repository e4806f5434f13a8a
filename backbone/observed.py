"""Each HTTP request as a trace and a number: a server span where tracing is on, and the time to the first byte."""

import time
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backbone import metrics, telemetry

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET = frozenset({"/helse", "/metrics"})
SCOPE_KEY = "samspor.traceparent"
"""Where the trace context stands in the scope, for handlers that run outside this middleware."""


class Observed:
    """ASGI middleware. The caller's trace goes on; a request without one begins one, whether or not spans are made.

    `quiet`: paths that are polled, stream for hours, or that nobody else shall learn of: of them there is neither span
    nor number. One that ends in "/" stands for all beneath it.
    """

    def __init__(self, app: ASGIApp, part: str, quiet: Collection[str] = ()) -> None:
        self._app = app
        self._part = part
        self._quiet = QUIET | {path for path in quiet if not path.endswith("/")}
        self._quiet_beneath = ("/static/", *(path for path in quiet if path.endswith("/")))

    def _is_quiet(self, path: str) -> bool:
        return path in self._quiet or path.startswith(self._quiet_beneath)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_quiet(scope["path"]):
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        status = 500  # what the server answers for an error that passes through here
        began, answered = time.perf_counter(), None

        async def noticed(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], time.perf_counter()
            await send(message)

        parent = telemetry.read_traceparent(Headers(scope=scope).get("traceparent"))
        span = telemetry.begin(method, "server", parent, {"http.request.method": method})
        here = scope[SCOPE_KEY] = span.traceparent or telemetry.new_traceparent()
        try:
            with telemetry.continuing(here):
                await self._app(scope, receive, noticed)
        except BaseException as error:
            span.failed(type(error).__name__)
            raise
        finally:
            route = getattr(scope.get("route"), "path", None)
            if route is not None:
                span.rename(f"{method} {route}")
                span.set("http.route", route)
            span.set("http.response.status_code", status)
            span.end()
            seconds = (answered or time.perf_counter()) - began
            metrics.HTTP_SECONDS.labels(self._part, method, route or "-", str(status)).observe(seconds)
