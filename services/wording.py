"""A problem in words, for an answer over HTTP and for `samspor send --dry-run` alike."""

from backbone.meldinger import messages
from services.format import Problem


def describe(problem: Problem, package: str) -> dict[str, str]:
    """The problem in words: {"peker", "kode", "feil", "gjor"}. The format's own texts come before the shared ones."""
    catalogues = (messages(name) for name in (package, "services", "services.runner"))
    catalogue = next((c for c in catalogues if problem.code in c), messages(package))
    text, action = (
        catalogue.text(problem.code, **problem.args),
        catalogue.action(problem.code, **problem.args),
    )
    return {"peker": problem.pointer, "kode": problem.code, "feil": text, "gjor": action}


def line_of(pointer: str) -> int | None:
    """The 1-based number of the record in an array or NDJSON body that `pointer` is in."""
    first = pointer[1:].partition("/")[0]
    return int(first) + 1 if pointer.startswith("/") and first.isdigit() else None
