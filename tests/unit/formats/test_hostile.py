"""What is made to harm is refused soon, in words, within bounded memory, and reaches nothing outside the file."""

import multiprocessing
import os
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from contracts.catalogue import Catalogue
from deploy.cli import app
from services.dry_run import judge
from services.format import Companion
from tests.formats_suite import CHILD, NOW, drafts
from tests.unit.formats import files
from tests.unit.formats.hostile import FILES, FORMATS

SECONDS_MOST = 20  # one file in one format; a tenth of it on a machine that has nothing else to do
BYTES_MOST = 1_500_000_000  # of addresses, the interpreter's own half a billion included

pytestmark = pytest.mark.timeout(600)


def told(navn: str, body: bytes) -> dict[str, Any]:
    tjeneste, fmt = FORMATS[navn]
    return judge(tjeneste, fmt, body, Companion(CHILD), Catalogue.standard(), NOW).as_dict("fil")


def _all_judged(navn: str, answers: Any) -> None:
    """In a process of its own, which may not have more memory: one line for each file."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES_MOST, BYTES_MOST))
    for name, make in FILES.items():
        body = make()
        started = time.monotonic()
        try:
            answer = told(navn, body)
        except BaseException as error:
            answers.put((name, type(error).__name__, 0, 0.0))
            continue
        problems = [*answer["feil"], *answer["advarsler"]]
        wordless = [p["kode"] for p in problems if not (p["feil"] and p["gjor"])]
        what = f"events {answer['hendelser'][:1]}" if answer["hendelser"] else f"no words for {wordless[:3]}"
        fine = problems and not wordless and not answer["hendelser"]
        answers.put((name, None if fine else what, len(orjson.dumps(answer)), time.monotonic() - started))
    answers.put(None)


@pytest.fixture(scope="module", params=FORMATS)
def judged(request: pytest.FixtureRequest) -> Iterator[list[tuple[str, str | None, int, float]]]:
    context = multiprocessing.get_context("spawn")
    answers: Any = context.Queue()
    process = context.Process(target=_all_judged, args=(request.param, answers))
    process.start()
    found = []
    try:
        while (answer := answers.get(timeout=SECONDS_MOST * 4)) is not None:
            found.append(answer)
        yield found
    finally:
        process.kill()
        process.join()


def test_each_hostile_file_is_refused_soon_and_in_words_of_bounded_length(
    judged: list[tuple[str, str | None, int, float]],
) -> None:
    assert [name for name, *_ in judged] == [*FILES]
    assert [(name, fault) for name, fault, _, _ in judged if fault] == []
    assert [(name, took_s) for name, _, _, took_s in judged if took_s > SECONDS_MOST] == []
    assert [(name, size) for name, _, size, _ in judged if size > 1_000_000] == []


@pytest.mark.parametrize("navn", ["fhir", "ssb-barnevern"])
@pytest.mark.parametrize("how", ["entity", "parameter", "dtd", "xinclude", "schema"])
def test_a_file_reaches_no_other_file_and_no_address(navn: str, how: str, tmp_path: Path) -> None:
    secret = tmp_path / "hemmelig"
    secret.write_text("KANARIFUGL")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        for target in (secret.as_uri(), f"http://127.0.0.1:{listener.getsockname()[1]}/x"):
            answer = orjson.dumps(told(navn, _reaching(how, navn, target).encode())).decode()
            assert "KANARIFUGL" not in answer
            with pytest.raises(TimeoutError):
                listener.accept()


def _reaching(how: str, navn: str, target: str) -> str:
    root, space = ("Patient", 'xmlns="http://hl7.org/fhir"') if navn == "fhir" else ("Barnevern", "")
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    return {
        "entity": f'<!DOCTYPE x [<!ENTITY a SYSTEM "{target}">]><{root} {space}><id value="x"/>&a;</{root}>',
        "parameter": f'<!DOCTYPE x [<!ENTITY % a SYSTEM "{target}"> %a;]><{root} {space}/>',
        "dtd": f'<!DOCTYPE {root} SYSTEM "{target}"><{root} {space}/>',
        "xinclude": f'<{root} {space}><i:include xmlns:i="http://www.w3.org/2001/XInclude" parse="text" '
        f'href="{target}"/></{root}>',
        "schema": f'<{root} {space} {xsi} xsi:schemaLocation="x {target}" xsi:noNamespaceSchemaLocation="{target}"/>',
    }[how]


def test_of_a_key_given_twice_the_last_counts_as_in_all_json() -> None:
    """Refusing them would refuse what the formats' own readers take."""
    body = orjson.dumps(files.DIGISOS)
    doubled = body.replace(b'{"version":', b'{"version":"9.9.9","version":', 1)
    _, digisos = FORMATS["digisos-soker"]
    assert drafts(digisos, doubled, Companion(CHILD)) == drafts(digisos, body, Companion(CHILD))
    broken = body.replace(b'"avsender":', b'"version":7,"avsender":', 1)
    assert [f["peker"] for f in told("digisos-soker", broken)["feil"]] == ["/version"]


def test_a_number_beyond_all_numbers_where_an_amount_stands_is_read_and_forgotten_or_refused() -> None:
    for amount in (b"1e400000", b"-1e400000", b"9" * 4_000):
        body = orjson.dumps(files.DIGISOS).replace(b"31337.5", amount)
        answer = told("digisos-soker", body)
        assert answer["hendelser"] or answer["feil"]
        assert amount not in orjson.dumps(answer)


def test_a_file_of_a_gigabyte_is_refused_by_the_command_line_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "stor.json").open("wb") as file:
        os.truncate(file.fileno(), 1 << 30)
    started = time.monotonic()
    answer = CliRunner().invoke(app, ["send", "nav", str(tmp_path / "stor.json"), "--dry-run", "--json"])
    assert answer.exit_code == 1
    assert [f["kode"] for f in orjson.loads(answer.stdout)["feil"]] == ["fil-for-stor"]
    assert time.monotonic() - started < SECONDS_MOST
