"""Bearer tokens for trying things out: one per fagsystem and persona, signed with the embedded run's own key."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from backbone.settings import Settings
from backbone.tokens import Principal, issue, system_principal
from consumers.portal.personas import KOMMUNE, KOMMUNENS_ORGNR
from consumers.portal.personas import STANDARD as PERSONAS

LIFE = timedelta(days=30)
ORGNR_FORSTE = 310000001
"""Made-up organisation numbers, of the series that Skatteetaten's synthetic organisations have."""


def fagsystem(tjeneste: str, nr: int) -> Principal:
    """The fagsystem of the `nr`th service in the demo municipality."""
    return Principal(
        sub=f"demo:fagsystem:{tjeneste}",
        rolle="fagsystem",
        orgnr=str(ORGNR_FORSTE + nr),
        kommune=KOMMUNE,
        tjeneste=tjeneste,
    )


def principals(tjenester: Iterable[str]) -> dict[str, Principal]:
    """Everyone who gets a token, by name: services, personas, and "system" for what our own processes do."""
    return {
        **{navn: fagsystem(navn, nr) for nr, navn in enumerate(tjenester)},
        **{f"persona:{persona.id}": persona.principal for persona in PERSONAS},
        "system": system_principal("demo", KOMMUNE).model_copy(update={"orgnr": KOMMUNENS_ORGNR}),
        "drift": Principal(sub="demo:drift", rolle="drift", orgnr=KOMMUNENS_ORGNR, kommune=KOMMUNE),
    }


def write_tokens(path: Path, settings: Settings, tjenester: Iterable[str], now: datetime) -> dict[str, str]:
    """A fresh token for each, in `path`, readable by its owner alone."""
    tokens = {navn: issue(who, settings, now, LIFE) for navn, who in principals(tjenester).items()}
    write_private(path, tokens)
    return tokens


def write_private(path: Path, content: Any) -> None:
    """JSON in a file that nobody else may read, replaced as a whole so that no reader sees half of it."""
    draft = path.with_suffix(".ny")
    draft.touch(mode=0o600)
    draft.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    draft.replace(path)
