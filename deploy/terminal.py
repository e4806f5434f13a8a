"""What the embedded run says in the terminal: what it starts, how it goes, and where to look."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status

from backbone.meldinger import messages
from deploy.supervisor import State


class Terminal:
    """Lines on stderr; a spinner while something is awaited. Times are seconds since `began` (time.monotonic)."""

    def __init__(self, console: Console, began: float) -> None:
        self._console = console
        self._began = began
        self._texts = messages("deploy")
        self._status: Status | None = None
        self._ready: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._quiet()

    def say(self, code: str, **args: str | int | float) -> None:
        self._console.print(self._texts.text(code, **args), highlight=False)

    def waiting(self, code: str, **args: str | int | float) -> None:
        """A spinner with this text until the next call."""
        text = self._texts.text(code, **args)
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)

    def step(self, navn: str) -> None:
        """`navn` is ready."""
        seconds = f"{time.monotonic() - self._began:.1f}".replace(".", ",")
        self._console.print(
            self._texts.text("opp-klar-del", navn=self._texts.text(f"del-{navn}"), sekunder=seconds),
            highlight=False,
        )

    def part(self, navn: str, state: State, detail: str) -> None:
        """A part's change of state: the first time it is ready, each time it dies, each time it is back."""
        if state is State.READY and navn not in self._ready:
            self._ready.add(navn)
            self.step(navn)
        elif state is State.READY:
            self.say("opp-tilbake", navn=self._texts.text(f"del-{navn}"))
        elif state is State.DIED:
            self.say("opp-falt", navn=self._texts.text(f"del-{navn}"), grunn=detail)

    def where(self, portal: str, personas: list[str], tokens: str, logs: str) -> None:
        self._quiet()
        seconds = f"{time.monotonic() - self._began:.1f}".replace(".", ",")
        self.say(
            "opp-hvor",
            portal=portal,
            sekunder=seconds,
            personer=", ".join(personas),
            tokens=tokens,
            logger=logs,
        )

    def _quiet(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
