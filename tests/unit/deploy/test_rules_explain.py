"""`samspor rules explain` asks for the task, or for the child's tasks that lie with whoever asks, and tells them."""

import httpx
import pytest

from deploy.commands.rules import tasks_of, tell

CHILD = "1f9c1f5e-3c0f-4a8e-9c59-0a4b0a4d7b11"
TASK = {
    "id": "t1",
    "subject": CHILD,
    "regel": "samarbeid",
    "eier": "koordinerende-enhet",
    "bestemmelser": ["barnevernsloven-15-8"],
    "lukkes_av": ["koordinator.oppnevnt"],
    "forklaring": "To tjenester følger opp barnet.",
    "forklart": {
        "regel": "Regelen «samarbeid», versjon 1, med standardverdiene.",
        "frist": "Fristen er 14 arbeidsdager etter 10. mars 2026.",
        "fakta": [{"tjeneste": "skole", "type": "no.samspor.skole.ppt.henvist", "dato": "2026-03-02"}],
    },
}
OTHER = {**TASK, "id": "t2", "subject": "another"}


def answer(request: httpx.Request) -> httpx.Response:
    known = {t["id"]: t for t in (TASK, OTHER)}
    id_ = request.url.path.rpartition("/")[2]
    if request.url.path == "/oppgaver":
        return httpx.Response(200, json={"oppgaver": list(known.values())})
    return httpx.Response(200, json=known[id_]) if id_ in known else httpx.Response(404)


@pytest.mark.parametrize(("asked", "found"), [("t2", ["t2"]), (CHILD, ["t1"]), ("nobody", [])])
async def test_a_task_by_its_id_or_those_of_a_child(asked: str, found: list[str]) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://samordning") as http:
        assert [t["id"] for t in await tasks_of(http, asked)] == found


def test_it_tells_facts_rule_date_provision_and_what_closes_it(capsys: pytest.CaptureFixture[str]) -> None:
    tell(TASK)
    said = capsys.readouterr().out
    for word in (
        "Avklar samarbeid",
        "To tjenester",
        "versjon 1",
        "14 arbeidsdager",
        "barnevernsloven § 15-8",
        "2026-03-02 Skole: Henvist til PPT",
        "Koordinator oppnevnt",
    ):
        assert word in said


def test_a_task_that_can_no_longer_be_derived_is_told_without_its_reckoning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell({**TASK, "forklart": None})
    assert "To tjenester" in capsys.readouterr().out
