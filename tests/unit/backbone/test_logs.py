"""Log lines: JSON with the trace, and nothing of what was handled."""

import io
import logging
import sys
import threading
from collections.abc import Iterator
from datetime import date
from typing import Any

import orjson
import pytest

from backbone import logs, telemetry
from contracts.personnummer import tenor

NUMBER = tenor(date(2014, 3, 2), 5)
PRIVATE = f"Ola Nordmann {NUMBER} har feber"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    kept = root.handlers[:], root.level, logging.raiseExceptions
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    stream = io.StringIO()
    logs.configure("prove", stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers[:], root.level, logging.raiseExceptions = kept
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_json_with_the_part_the_text_and_the_trace(out: io.StringIO) -> None:
    with telemetry.continuing(f"00-{TRACE}-00f067aa0ba902b7-01"):
        logging.getLogger("backbone.relay").warning("relay %s parked %d rows: %s", "skole", 3, "for-stor")
    (line,) = lines(out)
    assert line["melding"] == "relay skole parked 3 rows: for-stor"
    assert (line["del"], line["niva"], line["logger"], line["sporing"]) == (
        "prove",
        "WARNING",
        "backbone.relay",
        TRACE,
    )
    assert line["tid"].endswith("Z")


@pytest.mark.parametrize(
    "value",
    [PRIVATE, NUMBER, ValueError(PRIVATE), {"navn": PRIVATE}, [PRIVATE], PRIVATE.encode(), object()],
)
def test_what_was_filled_in_is_written_only_when_it_is_a_number_or_a_word_of_code(
    out: io.StringIO, value: Any
) -> None:
    logging.getLogger("services.runner").error("failed: %s", value)
    assert "Ola" not in out.getvalue() and NUMBER not in out.getvalue()
    assert lines(out)[0]["melding"].startswith("failed: ")


def test_an_exception_is_told_by_type_and_place_and_its_causes_and_group_too(out: io.StringIO) -> None:
    try:
        try:
            raise KeyError(PRIVATE)
        except KeyError as cause:
            raise ExceptionGroup(PRIVATE, [ValueError(PRIVATE)]) from cause
    except ExceptionGroup:
        logging.getLogger("deploy.parts").critical("the part %s ends", "relay", exc_info=True)
    (line,) = lines(out)
    assert [e["type"] for e in line["feil"]] == ["ExceptionGroup", "ValueError", "KeyError"]
    assert "test_logs.py" in line["feil"][0]["steder"][0]
    assert "Ola" not in out.getvalue()


def test_other_libraries_lines_keep_their_place_and_their_template_without_what_was_filled_in(
    out: io.StringIO,
) -> None:
    logging.getLogger("aiokafka.conn").warning("Failed to reach %s after %d tries", PRIVATE, 3)
    logging.getLogger("asyncio").error(f"Task exception was never retrieved {PRIVATE}")
    first, second = lines(out)
    assert first["melding"] == "Failed to reach … after … tries"
    assert second["melding"] == ""
    assert "test_logs.py:" in second["sted"]
    assert "Ola" not in out.getvalue()


def test_httpx_tells_no_urls(out: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET http://x/barn/%s", NUMBER)
    assert out.getvalue() == ""


def test_an_error_nobody_caught_is_told_without_its_message(
    out: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ValueError(PRIVATE)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    try:
        fail()
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    assert [line["feil"][0]["type"] for line in lines(out)] == ["ValueError", "ValueError"]
    assert "Ola" not in out.getvalue() + capsys.readouterr().err


def test_a_terminal_gets_readable_lines_with_no_more_in_them(out: io.StringIO) -> None:
    record = logging.LogRecord("backbone.relay", logging.ERROR, __file__, 1, "parked: %s", (PRIVATE,), None)
    text = logs.Lines("relay").format(record)
    assert "ERROR" in text and "parked: <tekst>" in text
