"""What other local rules would change, on the facts there are: counts by rule, of no child in particular.

Each child's duties are derived twice at the same moment, once as the municipality's rules are and once as they would
be. Nothing is written, and no alert is sent.
"""

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.database import driver
from backbone.seal import SealBroken, open_sealed
from consumers.coordination.duties import duties
from consumers.coordination.facts import FactSet, merged
from consumers.coordination.handler import fact_context
from consumers.coordination.regler.regel import Duty
from consumers.coordination.regler.regelverk import Regelverk
from contracts import samtykke_api as api

CHUNK = 500
_FIRST = "00000000-0000-0000-0000-000000000000"
Endring = tuple[str, str]
"""(rule, "apnes" | "lukkes" | "flyttes")"""


class Keys(Protocol):
    """samtykke. Raises Retry when it can't answer."""

    async def keys(self, items: Sequence[api.NokkelItem]) -> list[api.NokkelSvar]: ...


def changes(now: Iterable[Duty], then: Iterable[Duty]) -> Counter[Endring]:
    """Open duties that would come, go, or get another owner or date."""
    before = {d.oppgave_id: d for d in now if d.tilstand == "aapen"}
    after = {d.oppgave_id: d for d in then if d.tilstand == "aapen"}
    found: Counter[Endring] = Counter()
    for id_, duty in after.items():
        old = before.get(id_)
        if old is None:
            found[duty.regel, "apnes"] += 1
        elif (old.eier, old.frist) != (duty.eier, duty.frist):
            found[duty.regel, "flyttes"] += 1
    found.update((duty.regel, "lukkes") for id_, duty in before.items() if id_ not in after)
    return found


async def prove(
    engine: AsyncEngine, samtykke: Keys, now: Regelverk, then: Regelverk, kommune: str, at: datetime
) -> tuple[int, Counter[Endring]]:
    """How many children were looked at, and the changes. Children that are blocked, erased or have a fact set that is
    being built anew are left out. Raises Retry, and what drivers raise when the database is away."""
    children, total, after = 0, Counter[Endring](), _FIRST
    while True:
        async with engine.connect() as conn:
            held = await _page(await driver(conn), kommune, after)
        if not held:
            return children, total
        after = max(held)
        for facts in await _opened(engine, samtykke, held):
            children += 1
            total += changes(duties(facts, now, at), duties(facts, then, at))


async def _page(db: asyncpg.Connection, kommune: str, after: str) -> dict[str, bytes]:
    rows = await db.fetch(
        "SELECT subject::text, innhold FROM faktasett WHERE kommune = $1 AND subject > $2::uuid"
        " AND innhold IS NOT NULL ORDER BY subject LIMIT $3",
        kommune,
        after,
        CHUNK,
    )
    return {row["subject"]: row["innhold"] for row in rows}


async def _opened(engine: AsyncEngine, samtykke: Keys, held: Mapping[str, bytes]) -> list[FactSet]:
    """A set for each child; of one with several subjects, one for them all, at the first of them."""
    answers = {a["subject"]: a for a in await samtykke.keys([_item(s) for s in held])}
    others = {o for a in answers.values() for o in a.get("koblet", ()) if o not in held}
    if others:
        answers |= {a["subject"]: a for a in await samtykke.keys([_item(s) for s in sorted(others)])}
        async with engine.connect() as conn:
            rows = await (await driver(conn)).fetch(
                "SELECT subject::text, innhold FROM faktasett WHERE subject = ANY($1::uuid[])"
                " AND innhold IS NOT NULL",
                sorted(others),
            )
        held = {**held, **{row["subject"]: row["innhold"] for row in rows}}
    found = []
    for subject in sorted(held.keys() - others):
        barn = [s for s in (answers[subject].get("koblet") or [subject]) if s in held]
        sets = [_facts(s, held[s], answers[s]) for s in barn]
        if subject == min(barn, default=None) and all(sets):
            found.append(merged(barn[0], [s for s in sets if s]))
    return found


def _item(subject: str) -> api.NokkelItem:
    return {"subject": subject, "nokkelider": []}


def _facts(subject: str, blob: bytes, answer: api.NokkelSvar) -> FactSet | None:
    own = answer["samordning"]
    if own is None or answer["status"] != "aktiv":
        return None
    try:
        key = base64.b64decode(own["nokkel"])
        return FactSet.decode(subject, open_sealed(key, blob, fact_context(subject)))
    except (SealBroken, ValueError):
        return None
