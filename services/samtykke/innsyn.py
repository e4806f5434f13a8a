"""Who has read, or been denied, what of a child: what the child itself or a guardian is told of it.

Services, roles, times and purposes, never employees (domain notes §7). A reading is told of only where the viewer may
see in full what was read, and where naming the reader betrays nothing: the read table decides each (`Kolonne.LESING`),
and of an event or a task the portal too, which has seen by the content whether it is another person's.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any
from uuid import UUID

from backbone import telemetry
from backbone.database import driver
from contracts import samtykke_api as api
from contracts.tilgang import BARN, FORESATT, KOORDINERENDE_ENHET
from contracts.tjenester import SAMTYKKE
from services.samtykke.decide import Decision, Event, Fakta, describe
from services.samtykke.logg import Read, log_reads
from services.samtykke.porter import Kjerne, ReadGate

FORMAL = "innsyn"
ROWS_MOST = 5_000
"""Different readings that are looked through, the newest first."""

READINGS = """
    SELECT date_trunc('minute', tid) AS tid, rolle, tjeneste, kommune, formal, utfall, slag, type, kategori
    FROM revisjon WHERE handling = 'lesing' AND subject = ANY($1::uuid[]) AND rolle <> 'system'
      AND slag IN ('hendelse', 'barn', 'oppgave', 'lesing')
      AND NOT (slag = 'oppgave' AND utfall = 'deny')
      AND (slag NOT IN ('hendelse', 'oppgave')
           OR (hendelse, type) IN (SELECT * FROM unnest($3::text[], $4::text[])))
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1 DESC, 2, 3, 5, 6, 9 LIMIT $2
"""


async def readings(kjerne: Kjerne, body: api.InnsynInn) -> api.InnsynUt:
    """What the viewer may know of the readings. That she asked is a row of the ledger too, committed before this
    returns."""
    now = kjerne.clock()
    subject = UUID(body["subject"])
    async with kjerne.engine.begin() as conn:
        db = await driver(conn)
        gate = await ReadGate.open(kjerne, db, body["viewer"], [subject], now)
        asked = _Asked(kjerne, gate, subject, body.get("ingen_undersokelse", False))
        right = asked.decide(None, ())
        rows = []
        if right.outcome != "deny":
            seen = body.get("sett", ())
            ids, types = [one["id"] for one in seen], [one["type"] for one in seen]
            rows = await db.fetch(READINGS, list(gate.people[subject].barn), ROWS_MOST + 1, ids, types)
        sporing = telemetry.trace_id(telemetry.here())
        read = Read("lesing", subject, right, kategori=FORMAL)
        await log_reads(db, body["viewer"], FORMAL, [read], now, sporing)
    shown = [row for row in rows[:ROWS_MOST] if asked.may_know(row)]
    return {"lesinger": list(_told(shown)), "flere": len(rows) > ROWS_MOST}


class _Asked:
    """One viewer's questions about the readings of one child."""

    def __init__(self, kjerne: Kjerne, gate: ReadGate, subject: UUID, no_investigation: bool) -> None:
        self._kjerne = kjerne
        self._gate = gate
        self._subject = subject
        self._no_investigation = no_investigation
        self._known: dict[tuple[Any, ...], bool] = {}

    def may_know(self, row: Any) -> bool:
        key = (row["rolle"], row["tjeneste"], row["slag"], row["type"])
        if key not in self._known:
            self._known[key] = self._decide_row(row)
        return self._known[key]

    def _decide_row(self, row: Any) -> bool:
        facts: tuple[Fakta, ...] = ()
        if row["slag"] == "hendelse":
            read = describe(self._kjerne.catalogue, row["type"] or "", self._gate.viewer.kommune)
            if read is None or read.tjeneste == SAMTYKKE:
                return False  # that somebody looked at a consent could betray its parties
            facts = (Fakta(read.tjeneste, read.kategori, read.skjerming),)
        return self.decide(row["tjeneste"], facts).outcome == "full"

    def decide(self, reader: str | None, facts: tuple[Fakta, ...]) -> Decision:
        """Of a reading of `facts` by the service `reader`; without either, of the right to know at all."""
        reading = Event(
            tjeneste=facts[0].tjeneste if facts else "",
            kategori=facts[0].kategori if facts else FORMAL,
            skjerming=facts[0].skjerming if facts else "N",
            kommune=self._gate.viewer.kommune,
            slag="lesing",
            eier=reader,
            ingen_undersokelse=self._no_investigation,
            hviler_pa=facts,
        )
        return self._gate.decide(self._subject, reading)


def _told(rows: Iterable[Any]) -> Iterator[api.Innsynslesing]:
    """One line for all that was read in the same minute, by the same role, for the same purpose, with one outcome."""

    def visit(row: Any) -> tuple[Any, ...]:
        return row["tid"], row["rolle"], row["tjeneste"], row["formal"], row["utfall"]

    ordered = sorted(rows, key=lambda row: tuple(str(part) for part in visit(row)))
    lines = []
    for (tid, rolle, tjeneste, formal, utfall), of in groupby(ordered, key=visit):
        kategorier = sorted({row["kategori"] for row in of if row["slag"] == "hendelse"})
        lines.append(
            api.Innsynslesing(
                tid=tid,
                rolle=rolle,
                tjeneste=None if rolle in (BARN, FORESATT, KOORDINERENDE_ENHET) else tjeneste,
                formal=formal,
                utfall=utfall,
                kategorier=kategorier,
            )
        )
    return iter(sorted(lines, key=lambda line: line["tid"], reverse=True))
