"""Every part of Samspor that can be a process of its own: its name, what it runs, where it answers, what it needs."""

import asyncio
import ctypes
import gc
import importlib
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backbone import logs, telemetry
from backbone.settings import Settings
from contracts.catalogue import Catalogue
from deploy.supervisor import end_with_supervisor

Run = Callable[[Settings, Catalogue, asyncio.Event], Coroutine[Any, Any, None]]

COLLECTOR = (50_000, 20, 20)
"""Thresholds of the cycle collector: new objects, and how many rounds of a generation before the next."""

MALLOC = {-1: 64 * 2**20, -2: 4 * 2**20, -3: 32 * 2**20}
"""glibc's M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD (malloc.h, mallopt(3)), in bytes."""


@dataclass(frozen=True)
class Part:
    """`run` is "module:function", imported when the part starts. `answers`: it has an HTTP port and /helse.

    `databases` are those it cannot start without (none named: every one). `needs_kafka`: without a broker it has
    nothing to do.
    """

    navn: str
    run: str
    answers: bool = True
    needs_kafka: bool = False
    databases: tuple[str, ...] = ()


PARTS: tuple[Part, ...] = (
    Part("samtykke", "services.samtykke.main:run", databases=("samtykke", "nokler")),
    Part("portal", "consumers.portal.main:run", databases=("portal",)),
    Part("tjenester", "deploy.tjenester:run"),
    Part("relay", "deploy.tjenester:run_relays", needs_kafka=True),
    Part("innboks", "consumers.innboks.main:run", needs_kafka=True, databases=("innboks",)),
    Part("samordning", "consumers.coordination.main:run", needs_kafka=True),
)
"""In the order of starting: what a person looks at first comes first."""

STOP_ORDER = ("simulering", "tjenester", "relay", "innboks", "samordning", "portal", "samtykke")
"""Nothing new comes in, what came in goes on, and what others ask ends last."""

BY_NAVN = {part.navn: part for part in PARTS}


def load(reference: str) -> Any:
    """The object named "module:name"."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


def serve(part: Part, settings: Settings) -> None:
    """Run the part in this process until SIGTERM or SIGINT; what it raises ends the process. Spans that wait are sent
    before it ends."""
    import uvloop

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            loop.add_signal_handler(signal.SIGINT, stop.set)
        run: Run = load(part.run)
        _calm_collector()
        _keep_memory()
        await run(settings, Catalogue.standard(), stop)

    telemetry.start(part.navn)
    try:
        uvloop.run(main())
    finally:
        telemetry.stop()


def _calm_collector() -> None:
    """What is imported stays for good, and a batch makes hundreds of thousands of objects that die with it by reference
    counting: they are not looked through for cycles every 700."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR)


def _keep_memory() -> None:
    """What a batch frees is kept for the next one. glibc would hand the end of the heap back to the system each time,
    and each page that is asked for again costs a fault: a quarter of what it takes to seal an event. Another C library
    has no such call, and is left as it is."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, size_bytes in MALLOC.items():
            mallopt(option, size_bytes)


def serve_as_child(navn: str, settings: Settings, log: Path) -> None:
    """The same under a supervisor: what it says goes to a log file, and it never outlives the supervisor."""
    end_with_supervisor()
    log_to(log)
    try:
        serve(BY_NAVN[navn], settings)
    except Exception:
        # multiprocessing would print the error's message, which may hold a row.
        logging.getLogger(__name__).critical("the part %s ends", navn, exc_info=True)
        sys.exit(1)


def log_to(path: Path) -> None:
    """Send this process's output and log to `path`: JSON lines, see `backbone.logs`."""
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(out, stream.fileno())
    os.close(out)
    logs.configure(multiprocessing.current_process().name)
