"""samtykke's own relay is told of a failure as a service's relay is over HTTP."""

from typing import Any, cast

import pytest

from backbone.failures import Failing, Retry
from services.samtykke import porter
from services.samtykke.main import LocalDecider

SECRET = "what the event says"


@pytest.mark.parametrize(("raised", "told"), [(ValueError(SECRET), Failing), (OSError(SECRET), Retry)])
async def test_what_a_decision_fails_on_is_the_relays_to_find(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, told: type[Exception]
) -> None:
    async def fails(*_: object) -> None:
        raise raised

    monkeypatch.setattr(porter, "decide_batch", fails)
    with pytest.raises(Retry) as failure:
        await LocalDecider(cast(Any, None), cast(Any, None)).decide("samtykke", [])
    assert type(failure.value) is told
    assert SECRET not in str(failure.value)
