"""What somebody sent stays out of the log, also when it made us fail."""

import logging
import sys
from types import TracebackType

from backbone.database import create_engine
from backbone.http import _without_words
from backbone.settings import Settings

Raised = tuple[type[BaseException], BaseException, TracebackType | None]


def test_a_traceback_in_the_log_tells_where_and_what_kind_but_not_what_the_error_says() -> None:
    record = logging.LogRecord(
        "uvicorn.error", logging.ERROR, __file__, 1, "failed", (), _raised("sent" + "words")
    )
    assert _without_words(record)
    logged = logging.Formatter().format(record)
    assert "ValueError" in logged
    assert "_raised" in logged
    assert "sentwords" not in logged


def test_a_failed_statement_does_not_tell_its_parameters() -> None:
    engine = create_engine(Settings(database_url="postgresql://nobody@127.0.0.1:1"), "x")
    assert engine.sync_engine.hide_parameters


def _raised(words: str) -> Raised:
    try:
        raise ValueError(words)
    except ValueError:
        kind, error, places = sys.exc_info()
        assert kind
        assert error
        return kind, error, places
