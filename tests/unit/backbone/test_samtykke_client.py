"""What is not samtykke's own answer (a proxy's page) is waited out; what is, is taken as it says."""

from typing import Any

import httpx
import pytest

from backbone.failures import Failing, Retry
from backbone.samtykke_client import Rejected, SamtykkeClient
from backbone.settings import Settings, fresh_secrets

PAGE = b"<html>Logg inn</html>"


async def answered(status: int, content: bytes) -> Any:
    async with SamtykkeClient(Settings(**fresh_secrets()), "prove") as client:
        transport = httpx.MockTransport(lambda _: httpx.Response(status, content=content))
        await client._http.aclose()
        client._http = httpx.AsyncClient(transport=transport, base_url="http://samtykke")
        return await client.call("GET", "/samtykke/endringer")


@pytest.mark.parametrize(
    ("status", "content"),
    [
        *((status, PAGE) for status in (200, 302, 401, 403, 404, 502)),
        *((302, b""), (404, b'"nei"'), (429, b"{}"), (503, b"{}")),
    ],
)
async def test_an_answer_that_is_not_its_own_is_waited_out(status: int, content: bytes) -> None:
    with pytest.raises(Retry) as raised:
        await answered(status, content)
    assert not isinstance(raised.value, Failing)
    assert "Logg" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "content", "problem"),
    [(404, b"", {}), (422, b'{"type":"x"}', {"type": "x"}), (413, PAGE, {})],
)
async def test_a_no_is_a_no(status: int, content: bytes, problem: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as raised:
        await answered(status, content)
    assert (raised.value.status, raised.value.problem) == (status, problem)


async def test_a_yes_is_read_and_a_failure_is_one() -> None:
    assert await answered(200, b'{"siste":1}') == {"siste": 1}
    assert await answered(204, b"") is None
    with pytest.raises(Failing):
        await answered(500, PAGE)
