"""What was refused: a row of the ledger before the caller is told no, whichever check said it.

In a transaction of its own, because that of the call is rolled back by the refusal.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from backbone import ledger, telemetry
from backbone.clock import OSLO
from backbone.database import driver
from backbone.problems import ProblemError
from backbone.tokens import Principal
from contracts.tjenester import SAMTYKKE
from services.samtykke.identitet import Identity
from services.samtykke.kropp import Refused
from services.samtykke.logg import CONSENTS, FORMAL, of_caller
from services.samtykke.porter import Kjerne

REFUSALS = (403, 404)
NOBODY_HERE = "ukjent-barn"
"""Of another municipality, or of none: said of a field of the body, and a refusal all the same."""


def why(error: ProblemError) -> str | None:
    """The code of a refusal; None for what is wrong in another way."""
    if error.status in REFUSALS:
        return error.code
    return next((NOBODY_HERE for place in error.errors if place.get("kode") == NOBODY_HERE), None)


async def tell(
    kjerne: Kjerne, who: Principal, call: str, error: ProblemError, said: Mapping[str, Any], id_: str | None
) -> None:
    """`call` is method and route, `said` the body or the query, `id_` what the path names."""
    kode = why(error)
    if kode is None:
        return
    now = kjerne.clock()
    method, path = call.split(" ")
    consents = path.startswith("/samtykker")
    reads_consents = consents and method == "GET"
    named = _uuid(id_)
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        entry = ledger.Entry(
            skriver=SAMTYKKE,
            tid=now,
            handling="lesing" if method == "GET" else "forvaltning",
            utfall="deny",
            **of_caller(who),
            formal=FORMAL if reads_consents else None,
            slag="barn" if reads_consents else "nektet",
            subject=await _subject(kjerne, db, error, said),
            kategori=CONSENTS if reads_consents else None,
            hendelse=None if consents or named is None else str(named),
            samtykke=named if consents else None,
            grunn=kode,
            sporing=telemetry.trace_id(telemetry.here()),
            detaljer={"kall": call},
        )
        await ledger.write(db, [entry])


async def _subject(
    kjerne: Kjerne, db: asyncpg.Connection, error: ProblemError, said: Mapping[str, Any]
) -> UUID | None:
    """Whom it was about, as far as it can be told; nobody comes into the register by a refusal."""
    if isinstance(error, Refused):
        return error.subject
    if subject := _uuid(said.get("subject")):
        return subject
    if "person" not in said or "kommune" not in said:
        return None
    today = kjerne.clock().astimezone(OSLO).date()
    identity = kjerne.register.identify(said["kommune"], "", said["person"], None, today)
    if not isinstance(identity, Identity):
        return None
    found = await kjerne.register.find(db, [identity])
    return found[identity.oppslag].subject if found else None


def _uuid(text: object) -> UUID | None:
    """Only an id goes to the ledger, never what somebody wrote where one should have been."""
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
