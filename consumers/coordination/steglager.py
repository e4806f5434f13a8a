"""The SQL of what people do: steps, the flow of a task, batons. On asyncpg's connection inside the caller's
transaction, which holds the lock on the child's fact set."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

import asyncpg

from consumers.coordination.oppgaver import Oppgave
from consumers.coordination.queries import of_child
from consumers.coordination.stafett import Pinnehendelse, Stafett


class Steg(NamedTuple):
    """A row of the append-only table `steg`, without its number: see the table."""

    gjelder: str
    subject: str
    kommune: str
    slag: str
    tid: datetime
    av: str | None = None
    aktor: str | None = None
    rolle: str | None = None
    fra: str | None = None
    til: str | None = None
    grunn: str | None = None
    svar_innen: date | None = None
    versjon: int | None = None
    trinn: int | None = None


class Lest(NamedTuple):
    """A step as it is read; the comment sealed."""

    nr: int
    slag: str
    tid: datetime
    av: str | None
    rolle: str | None
    fra: str | None
    til: str | None
    grunn: str | None
    svar_innen: date | None
    nokkelid: str | None
    kommentar: bytes | None


def comment_context(gjelder: str, nr: int) -> bytes:
    """What a comment is bound to."""
    return f"steg|{gjelder}|{nr}".encode()


async def last(db: asyncpg.Connection, gjelder: str) -> int:
    """The number of its last step, 0 before the first."""
    return int(await db.fetchval("SELECT coalesce(max(nr), 0) FROM steg WHERE gjelder = $1::uuid", gjelder))


_INSERT = (
    "INSERT INTO steg (gjelder, subject, kommune, slag, tid, av, aktor, rolle, fra, til, grunn, svar_innen, versjon,"
    " trinn, nr, nokkelid, kommentar)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
)


async def add(
    db: asyncpg.Connection, steps: Sequence[Steg], after: int, comment: tuple[str, bytes] | None = None
) -> None:
    """Appends the steps, numbered from `after` + 1; `comment` (key id, sealed text) belongs to the first."""
    rows = [
        (*step, after + nr, *(comment if comment and nr == 1 else (None, None)))
        for nr, step in enumerate(steps, 1)
    ]
    await db.executemany(_INSERT, rows)


async def of(db: asyncpg.Connection, gjelder: str) -> list[Lest]:
    """What has happened to a task or baton, in order."""
    rows = await db.fetch(
        "SELECT nr, slag, tid, av, rolle, fra, til, grunn, svar_innen, nokkelid::text, kommentar FROM steg"
        " WHERE gjelder = $1::uuid ORDER BY nr",
        gjelder,
    )
    return [Lest(*row) for row in rows]


async def save_flow(db: asyncpg.Connection, task: Oppgave, now: datetime) -> None:
    flow = task.flyt
    await db.execute(
        "UPDATE oppgave SET eier = $2, status = $3, versjon = $4, flyt = $5, ansvarlig = $6, tilbudt_til = $7,"
        " svar_innen = $8, avslag = $9, avgjores_av = $10, steg = $11, trinn = $12,"
        " loftet_til = $13, endret = $14 WHERE id = $1::uuid",
        task.id, task.eier, task.status, task.versjon, flow.tilstand, flow.ansvarlig, flow.tilbudt_til,
        flow.svar_innen, flow.avslag, flow.avgjores_av, flow.steg, flow.trinn, flow.loftet_til, now,
    )  # fmt: skip


async def begin_batons(db: asyncpg.Connection, tasks: Iterable[Oppgave], now: datetime) -> list[Oppgave]:
    """Gives each child that has no baton one, held by the task's owner; the tasks that did."""
    firsts = {task.subject: task for task in tasks}
    if not firsts:
        return []
    rows = await db.fetch(
        "INSERT INTO stafett (subject, kommune, innehaver, steg, endret)"
        " SELECT subject, kommune, innehaver, 1, $4 FROM unnest($1::uuid[], $2::text[], $3::text[])"
        " AS ny (subject, kommune, innehaver) ORDER BY subject ON CONFLICT (subject) DO NOTHING RETURNING subject",
        list(firsts),
        [task.kommune for task in firsts.values()],
        [task.eier for task in firsts.values()],
        now,
    )
    begun = [firsts[str(row["subject"])] for row in rows]
    for task in begun:
        first = Steg(
            task.subject, task.subject, task.kommune, "mottatt", now, fra=task.eier, til=task.eier, versjon=1
        )
        await add(db, [first], 0)
    return begun


async def any_baton(db: asyncpg.Connection, subjects: Sequence[str]) -> bool:
    """Whether one of the subjects has a baton."""
    found: bool = await db.fetchval(
        "SELECT EXISTS (SELECT 1 FROM stafett WHERE subject = ANY($1::uuid[]))", subjects
    )
    return found


async def whose_baton(db: asyncpg.Connection, subject: str) -> str | None:
    """The one of the child's subjects whose baton is the child's: the first that began. None before the first
    cooperation."""
    found: str | None = await db.fetchval(
        f"SELECT s.subject::text FROM stafett s JOIN steg f ON f.gjelder = s.subject AND f.nr = 1"  # noqa: S608
        f" WHERE s.subject = ANY({of_child(1)}) ORDER BY f.tid, s.subject LIMIT 1",
        subject,
    )
    return found


async def baton(db: asyncpg.Connection, subject: str) -> tuple[str, Stafett] | None:
    """(kommune, baton); None before the first cooperation."""
    row = await db.fetchrow(
        "SELECT kommune, innehaver, tilbudt_til, svar_innen, avslag, steg FROM stafett WHERE subject = $1::uuid",
        subject,
    )
    return None if row is None else (row[0], Stafett(*row[1:]))


async def save_baton(db: asyncpg.Connection, subject: str, baton: Stafett, now: datetime) -> None:
    await db.execute(
        "UPDATE stafett SET innehaver = $2, tilbudt_til = $3, svar_innen = $4, avslag = $5, steg = $6, endret = $7"
        " WHERE subject = $1::uuid",
        subject, baton.innehaver, baton.tilbudt_til, baton.svar_innen, baton.avslag, baton.steg, now,
    )  # fmt: skip


async def unanswered(db: asyncpg.Connection, today: date, limit: int) -> list[tuple[str, str, bool]]:
    """(subject, what the offer is of, whether that is the baton) of offers whose date to answer has gone by."""
    rows = await db.fetch(
        "SELECT subject::text, id::text, false FROM oppgave WHERE svar_innen < $1 AND status = 'aapen'"
        " UNION ALL SELECT subject::text, subject::text, true FROM stafett WHERE svar_innen < $1"
        " ORDER BY 1, 2 LIMIT $2",
        today,
        limit,
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def overdue(
    db: asyncpg.Connection, today: date, most: int, after: str, limit: int
) -> list[tuple[str, str, str, date, int]]:
    """(subject, id, kommune, date, step told) of open tasks whose date has gone by, that were told of fewer than `most`
    steps, by id from `after` on."""
    rows = await db.fetch(
        "SELECT subject::text, id::text, kommune, frist, trinn FROM oppgave"
        " WHERE status = 'aapen' AND frist < $1 AND trinn < $2 AND id > $3::uuid ORDER BY id LIMIT $4",
        today,
        most,
        after,
        limit,
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def happened(step: Lest) -> Pinnehendelse:
    """A baton's step as the event it records."""
    assert step.fra is not None and step.til is not None
    return Pinnehendelse(step.slag, step.fra, step.til, step.grunn, step.svar_innen)  # type: ignore[arg-type]  # stored
