"""What people, and time, do with tasks and batons: one way in for the portal's pages, the fagsystemer and the clock.

Each command asks samtykke's read gate whether the caller may see the task at all, locks the child, checks that nothing
has happened since the caller looked (`versjon`), lets the pure rules decide, and writes the step, what then holds and
the event that tells of it in one transaction.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from backbone.clock import Clock
from backbone.database import driver
from backbone.frister import local_date
from backbone.http import busy
from backbone.journal import Journal
from backbone.meldinger import messages
from backbone.problems import ProblemError
from backbone.seal import SealBroken, open_sealed, seal
from backbone.settings import Settings
from backbone.tokens import Principal
from consumers.coordination import oppgaveflyt, queries, stafett, steglager, store, undersokelser
from consumers.coordination.facts import FactSet, merged
from consumers.coordination.forklaring import forklar
from consumers.coordination.forteller import told_baton, told_flow
from consumers.coordination.handler import Keys, fact_context
from consumers.coordination.oppgaveflyt import Flytregler, Kommando, NotAllowed, Onske, Part
from consumers.coordination.oppgaver import Oppgave
from consumers.coordination.regler import samarbeid
from consumers.coordination.regler.eskalering import LEDER, Trinn, eskalering
from consumers.coordination.regler.regel import Grunn
from consumers.coordination.regler.regelverk import Regelverk
from consumers.coordination.sak import Sak, betrays
from consumers.coordination.steglager import Lest, Steg, comment_context
from contracts import samtykke_api as api
from contracts.oppgave import lesing_item
from contracts.tjenester import KOORDINERENDE_ENHET, SAMORDNING

Json = dict[str, Any]

PACKAGE = "consumers.coordination"
FORMAL = "oppfølging av oppgave"
COMMENT_MAX = 2_000
KOORDINATOR = "koordinator"
TIME = frozenset[Part]({"tid"})
FIRST_ID = "00000000-0000-0000-0000-000000000000"


class Gate(Keys, Protocol):
    """samtykke. Raises Retry when it can't answer."""

    async def read(
        self, viewer: Principal, formal: str, items: Sequence[api.LesingItem], sporing: str | None = None
    ) -> list[api.Lesing]: ...


@dataclass(frozen=True, slots=True)
class Ordre:
    """A command as it was given. `versjon` is what the caller saw, None: whatever it is now."""

    kommando: Kommando
    versjon: int | None = None
    til: str | None = None
    grunn: str | None = None
    kommentar: str | None = None


@dataclass(frozen=True, slots=True)
class Barn:
    """A child under lock: its case now, and the key of what coordination keeps of it."""

    sak: Sak
    subjects: tuple[str, ...]
    nokkelid: str
    key: bytes

    def may_own(self, grunner: Sequence[Grunn]) -> oppgaveflyt.MayOwn:
        """Whether a service may be asked to hold what rests on these facts."""

        def may(tjeneste: str) -> bool:
            known = tjeneste in self.sak.tjenester or tjeneste == KOORDINERENDE_ENHET
            return known and not betrays(tjeneste, grunner) and self.sak.knows(tjeneste, grunner)

        return may

    def recipients(self, grunner: Sequence[Grunn], eier: str) -> list[str]:
        """Who else it may be offered to."""
        may = self.may_own(grunner)
        return sorted(t for t in {*self.sak.tjenester, KOORDINERENDE_ENHET} - {eier} if may(t))


class Kommandoer:
    """Every method raises ProblemError when it says no: 404 for what is not there or not the caller's to see, 409 for
    what cannot be done now, 412 when something has happened since."""

    def __init__(
        self,
        engine: AsyncEngine,
        samtykke: Gate,
        settings: Settings,
        rules: Regelverk,
        clock: Clock,
        flytregler: Callable[[str], Flytregler] = lambda kommune: Flytregler(),
    ) -> None:
        self._engine = engine
        self._samtykke = samtykke
        self._rules = rules
        self._clock = clock
        self._flytregler = flytregler
        self._journal = Journal(settings, SAMORDNING)

    # Tasks

    async def mine(self, who: Principal) -> list[Json]:
        """The open tasks that lie with the caller's service: held, offered or to settle, as far as she may see them."""
        unit = _unit(who)
        if unit is None:
            return []
        async with self._engine.connect() as conn:
            rows = await queries.tasks(await driver(conn), kommune=who.kommune, eier=unit)
        rows = [row for row in rows if row["status"] == "aapen"]
        seen = await self._seen(who, rows)
        return [_shown(row, who, key) for row, key in zip(rows, seen, strict=True) if key is not None]

    async def one(self, who: Principal, id_: str) -> Json:
        """A task with what has happened to it and what the caller may do."""
        row, key = await self._visible(who, id_)
        keys = await self._keys_of(row["subject"])
        async with self._engine.begin() as conn:
            db = await driver(conn)
            steps = await steglager.of(db, id_)
            child = await self._child(db, keys, self._clock())
        return {
            **_shown(row, who, key),
            "mottakere": child.recipients(_grounds(row), row["eier"]),
            "steg": [_step(id_, step, key) for step in steps],
            "forklart": forklar(
                child.sak,
                self._rules.for_kommune(row["kommune"]),
                row["regel"],
                row["anledning"],
                None if who.rolle == KOORDINATOR else _unit(who),
                messages(PACKAGE),
            ),
        }

    async def act(self, who: Principal, id_: str, ordre: Ordre) -> Json:
        """Follows the command; the task as it then is."""
        row, _ = await self._visible(who, id_)
        unit, kontakt = _unit(who), who.rolle == KOORDINATOR

        def wish(task: Oppgave, _: Barn) -> Onske:
            return _onske(ordre, oppgaveflyt.parter(task.flyt, task.eier, unit, kontakt), unit or who.rolle)

        await self._task(row["subject"], id_, ordre, wish, who)
        try:
            return await self.one(who, id_)
        except ProblemError:
            # It was theirs to give away, and having given it they may not see it any more.
            return {"id": id_}

    async def comment(self, who: Principal, id_: str, text: str) -> Json:
        """Adds a word, sealed, for those who may see the task."""
        row, _ = await self._visible(who, id_)
        if not text.strip() or len(text) > COMMENT_MAX:
            raise problem(409, "kommentar-mangler")
        subject, now = row["subject"], self._clock()
        keys = await self._keys_of(subject)
        async with self._engine.begin() as conn:
            db = await driver(conn)
            child = await self._locked(db, keys, now)
            if id_ not in (await store.tasks_of(db, [subject])).get(subject, {}):
                raise ProblemError(404, "finnes-ikke")
            await self._append(
                db,
                [
                    Steg(
                        id_,
                        subject,
                        row["kommune"],
                        "kommentar",
                        now,
                        _unit(who) or who.rolle,
                        who.sub,
                        who.rolle,
                    )
                ],
                child,
                text,
            )
        return await self.one(who, id_)

    async def _task(
        self,
        subject: str,
        id_: str,
        ordre: Ordre,
        onske_of: Callable[[Oppgave, Barn], Onske],
        who: Principal | None,
    ) -> int:
        """How many things it made happen."""
        now, keys = self._clock(), await self._keys_of(subject)
        async with self._engine.begin() as conn:
            db = await driver(conn)
            child = await self._locked(db, keys, now)
            task = (await store.tasks_of(db, [subject])).get(subject, {}).get(id_)
            if task is None:
                raise ProblemError(404, "finnes-ikke")
            _check(task.versjon, ordre)
            if task.status != "aapen":
                raise problem(409, "oppgave-avsluttet")
            onske, regler = onske_of(task, child), self._flytregler(task.kommune)
            try:
                found = oppgaveflyt.decide(
                    task.flyt, task.eier, onske, child.may_own(task.hviler_pa), regler, now
                )
            except NotAllowed as error:
                raise problem(409, error.kode) from None
            events, steps = [], []
            for hendelse in found:
                task = _after(task, hendelse)
                events.append(told_flow(task, hendelse, onske.av, now))
                steps.append(
                    Steg(
                        id_,
                        subject,
                        task.kommune,
                        hendelse.slag,
                        now,
                        onske.av,
                        who.sub if who else None,
                        who.rolle if who else None,
                        None,
                        hendelse.til,
                        hendelse.grunn,
                        hendelse.svar_innen,
                        task.versjon,
                        hendelse.trinn,
                    )
                )
            if found:
                await self._append(db, steps, child, ordre.kommentar)
                await steglager.save_flow(db, task, now)
                await self._journal.append(db, events, now)
        return len(found)

    # The baton

    async def baton(self, who: Principal, subject: str) -> Json:
        """Who holds the child's baton, what has happened to it, and what the caller may do."""
        subject, kommune, found, row, key = await self._visible_baton(who, subject)
        keys = await self._keys_of(subject)
        async with self._engine.begin() as conn:
            db = await driver(conn)
            steps = await steglager.of(db, subject)
            child = await self._child(db, keys, self._clock())
        parts = stafett.parter(found, _unit(who), who.rolle == KOORDINATOR)
        return {
            "subject": subject,
            "kommune": kommune,
            "innehaver": found.innehaver,
            "tilbudt_til": found.tilbudt_til,
            "svar_innen": _text(found.svar_innen),
            "versjon": found.steg,
            "handlinger": list(stafett.kommandoer(found, parts)),
            "mottakere": child.recipients(_grounds(row), found.innehaver),
            "steg": [_step(subject, step, key) for step in steps],
        }

    async def act_baton(self, who: Principal, subject: str, ordre: Ordre) -> Json:
        subject, *_ = await self._visible_baton(who, subject)
        unit, kontakt = _unit(who), who.rolle == KOORDINATOR

        def wish(held: stafett.Stafett) -> Onske:
            return _onske(ordre, stafett.parter(held, unit, kontakt), unit or who.rolle)

        await self._baton(subject, ordre, wish, who)
        try:
            return await self.baton(who, subject)
        except ProblemError:
            return {"subject": subject}

    async def _baton(
        self,
        subject: str,
        ordre: Ordre,
        onske_of: Callable[[stafett.Stafett], Onske],
        who: Principal | None,
    ) -> None:
        now, keys = self._clock(), await self._keys_of(subject)
        async with self._engine.begin() as conn:
            db = await driver(conn)
            child = await self._locked(db, keys, now)
            stored = await steglager.baton(db, subject)
            if stored is None:
                raise ProblemError(404, "finnes-ikke")
            kommune, held = stored
            _check(held.steg, ordre)
            held_tasks = await store.tasks_of(db, child.subjects)
            task = _cooperation(t for own in held_tasks.values() for t in own.values())
            onske, regler = onske_of(held), self._flytregler(kommune)
            try:
                found = stafett.decide(
                    held, onske, child.may_own(task.hviler_pa if task else ()), regler, now
                )
            except NotAllowed as error:
                raise problem(409, error.kode) from None
            events, steps = [], []
            for hendelse in found:
                held = stafett.evolve(held, hendelse)
                events.append(told_baton(kommune, subject, hendelse, held.steg, onske.av, now))
                steps.append(
                    Steg(
                        subject,
                        subject,
                        kommune,
                        hendelse.slag,
                        now,
                        onske.av,
                        who.sub if who else None,
                        who.rolle if who else None,
                        hendelse.fra,
                        hendelse.til,
                        hendelse.grunn,
                        hendelse.svar_innen,
                        held.steg,
                    )
                )
            if found:
                await self._append(db, steps, child, ordre.kommentar)
                await steglager.save_baton(db, subject, held, now)
                await self._journal.append(db, events, now)

    # What goes on

    async def undersokelse_pagar(self, subject: str) -> bool:
        """Whether barnevernet is looking into the child's case; in doubt, and where something of the child's is not
        read yet, it is. Raises Retry when samtykke is away."""
        try:
            keys = await self._keys_of(subject)
            async with self._engine.begin() as conn:
                db = await driver(conn)
                child = await self._child(db, keys, self._clock())
                unread = await store.anything_waits(db, list(keys))
        except ProblemError:
            return True
        return unread or undersokelser.pagar(child.sak)

    # Time

    async def raise_unanswered(self, limit: int) -> int:
        """Raises offers whose date to answer has gone by; how many there were. Those of a blocked child wait."""
        async with self._engine.connect() as conn:
            late = await steglager.unanswered(await driver(conn), local_date(self._clock()), limit)
        for subject, id_, is_baton in late:
            ordre, onske = Ordre("svarfrist"), Onske("svarfrist", TIME)
            try:
                if is_baton:
                    await self._baton(subject, ordre, lambda _, o=onske: o, None)  # type: ignore[misc]  # bound now
                else:
                    await self._task(subject, id_, ordre, lambda *_, o=onske: o, None)  # bound now
            except ProblemError:
                continue  # answered meanwhile, or the child is blocked
        return len(late)

    async def raise_overdue(self, limit: int) -> int:
        """Tells of each open task whose own date has gone by, the step of its municipality's escalation it has reached:
        each step once, and none of those before it. How many were told. Those of a blocked child wait."""
        now, after, told = self._clock(), FIRST_ID, 0
        today = local_date(now)
        while True:
            async with self._engine.connect() as conn:
                db = await driver(conn)
                late = await steglager.overdue(db, today, self._rules.most_steps(today), after, limit)
            for subject, id_, kommune, frist, trinn in late:
                reached = eskalering(frist, self._steps(kommune, now), now, lambda _: True)
                if reached is None or reached.trinn <= trinn:
                    continue
                try:
                    told += await self._task(subject, id_, Ordre("fristbrudd"), self._raise, None)
                except ProblemError:
                    continue  # done meanwhile, or the child is blocked
            if len(late) < limit:
                return told
            after = late[-1][1]

    def _raise(self, task: Oppgave, child: Barn) -> Onske:
        """As the facts, the date and the rules are, now that the child is locked."""
        may_know = child.may_own(task.hviler_pa)
        now = child.sak.at
        found = eskalering(task.frist, self._steps(task.kommune, now), now, may_know)
        if found is None:
            return Onske("fristbrudd", TIME)
        til = task.eier if found.til == LEDER else found.til
        return Onske("fristbrudd", TIME, til=til, trinn=found.trinn)

    def _steps(self, kommune: str, now: datetime) -> Sequence[Trinn]:
        return self._rules.for_kommune(kommune).versjon(local_date(now)).trinn

    # What they share

    async def _keys_of(self, subject: str) -> dict[str, api.Nokkel]:
        """The keys of the child's fact sets, by its subjects, this one first. Asked for before the child is locked, so
        that nobody waits for samtykke behind a lock."""
        [answer] = await self._samtykke.keys([{"subject": subject, "nokkelider": []}])
        others = [s for s in answer.get("koblet", ()) if s != subject]
        asked: list[api.NokkelItem] = [{"subject": s, "nokkelider": []} for s in others]
        found: dict[str, api.Nokkel] = {}
        for one in (answer, *(await self._samtykke.keys(asked) if asked else ())):
            own = one["samordning"]
            if own is None or one["status"] != "aktiv":
                raise problem(409, "barn-sperret")
            found[one["subject"]] = own
        return found

    async def _locked(self, db: asyncpg.Connection, keys: Mapping[str, api.Nokkel], now: datetime) -> Barn:
        """The child, locked until the transaction ends."""
        await db.execute(
            "SELECT FROM faktasett WHERE subject = ANY($1::uuid[]) ORDER BY subject FOR UPDATE", list(keys)
        )
        return await self._child(db, keys, now)

    async def _child(self, db: asyncpg.Connection, keys: Mapping[str, api.Nokkel], now: datetime) -> Barn:
        rows = await db.fetch(
            "SELECT subject::text, kommune, innhold FROM faktasett WHERE subject = ANY($1::uuid[])"
            " ORDER BY subject",
            list(keys),
        )
        subject, own = next(iter(keys.items()))
        sets = []
        try:
            for row in rows:
                if row["innhold"] is not None:
                    key = base64.b64decode(keys[row["subject"]]["nokkel"])
                    opened = open_sealed(key, row["innhold"], fact_context(row["subject"]))
                    sets.append(FactSet.decode(row["subject"], opened))
        except (SealBroken, ValueError):
            raise busy("utilgjengelig") from None
        rules = self._rules.for_kommune(rows[0]["kommune"] if rows else "")
        sak = Sak(merged(subject, sets), rules, now)
        return Barn(sak, tuple(keys), own["nokkelid"], base64.b64decode(own["nokkel"]))

    async def _append(
        self, db: asyncpg.Connection, steps: Sequence[Steg], child: Barn, comment: str | None
    ) -> None:
        last = await steglager.last(db, steps[0].gjelder)
        sealed = None
        if comment:
            context = comment_context(steps[0].gjelder, last + 1)
            sealed = child.nokkelid, seal(child.key, comment.encode(), context)
        await steglager.add(db, steps, last, sealed)

    async def _visible(self, who: Principal, id_: str) -> tuple[Json, bytes]:
        """The task and the key of what is sealed of it."""
        async with self._engine.connect() as conn:
            rows = await queries.tasks(await driver(conn), id_=id_)
        [key] = await self._seen(who, rows[:1]) or [None]
        if key is None:
            raise ProblemError(404, "finnes-ikke")
        return rows[0], key

    async def _visible_baton(
        self, who: Principal, subject: str
    ) -> tuple[str, str, stafett.Stafett, Json, bytes]:
        """(its subject, kommune, baton, task, key): seen by those who may see the cooperation it is about."""
        async with self._engine.connect() as conn:
            db = await driver(conn)
            mine = await steglager.whose_baton(db, subject)
            stored = await steglager.baton(db, mine) if mine else None
            rows = [t for t in await queries.tasks(db, subject=subject) if t["regel"] == samarbeid.REGEL.navn]
        if mine is None or stored is None or not rows:
            raise ProblemError(404, "finnes-ikke")
        kommune, held = stored
        row = max(rows, key=lambda t: (t["status"] == "aapen", t["opprettet"]))
        asked = {**row, "tilbudt_til": held.tilbudt_til, "avgjores_av": held.innehaver}
        [key] = await self._seen(who, [asked])
        if key is None:
            raise ProblemError(404, "finnes-ikke")
        return mine, kommune, held, row, key

    async def _seen(self, who: Principal, rows: Sequence[Json]) -> list[bytes | None]:
        """Per task the key of its seals, None for what she may not see in full."""
        if not rows:
            return []
        reader = _reader(who)
        items = [api.LesingItem({**lesing_item(row, _unit(who)), "ref": ref}) for ref, row in enumerate(rows)]
        answers = {a["ref"]: a for a in await self._samtykke.read(reader, FORMAL, items)}
        return [_key(answers.get(ref)) for ref in range(len(rows))]


def problem(status: int, code: str) -> ProblemError:
    return ProblemError(status, code, package=PACKAGE)


def _unit(who: Principal) -> str | None:
    """The service or unit she acts for; None for a contact person, who acts for the child."""
    return KOORDINERENDE_ENHET if who.rolle == KOORDINERENDE_ENHET else who.tjeneste


def _onske(ordre: Ordre, parts: frozenset[Part], av: str) -> Onske:
    return Onske(ordre.kommando, parts, av, ordre.til, ordre.grunn, bool(ordre.kommentar))


def _reader(who: Principal) -> Principal:
    """A service's own system sees what its staff see, and no more."""
    return who.model_copy(update={"rolle": "fagperson"}) if who.rolle == "fagsystem" else who


def _key(answer: api.Lesing | None) -> bytes | None:
    if answer is None or answer["tilgang"] != "full" or answer["nokkel"] is None:
        return None
    return base64.b64decode(answer["nokkel"])


def _check(versjon: int, ordre: Ordre) -> None:
    if ordre.versjon is not None and ordre.versjon != versjon:
        raise problem(412, "versjon-endret")


def _after(task: Oppgave, hendelse: oppgaveflyt.Hendelse) -> Oppgave:
    flyt = oppgaveflyt.evolve(task.flyt, hendelse)
    taken = hendelse.slag in ("overtatt", "avgjort") and hendelse.til is not None
    return replace(
        task,
        flyt=flyt,
        eier=hendelse.til if taken and hendelse.til else task.eier,
        status="oppfylt" if flyt.tilstand == "utfort" else task.status,
        versjon=task.versjon + 1,
    )


def _cooperation(tasks: Any) -> Oppgave | None:
    """The task the baton is about: the open one, else one of those before."""
    found = [t for t in tasks if t.regel == samarbeid.REGEL.navn]
    return max(found, key=lambda t: (t.status == "aapen", t.frist), default=None)


def _grounds(row: Json) -> list[Grunn]:
    return [Grunn(**ground) for ground in row["hviler_pa"]]


def _shown(row: Json, who: Principal, key: bytes) -> Json:
    """A task as a fagsystem gets it. `hendelser` are the caller's own events among those it rests on."""
    unit = _unit(who)
    flyt = oppgaveflyt.Flyt(
        row["flyt"],
        row["ansvarlig"],
        row["tilbudt_til"],
        avgjores_av=row["avgjores_av"],
        loftet_til=row["loftet_til"],
    )
    parts = oppgaveflyt.parter(flyt, row["eier"], unit, who.rolle == KOORDINATOR)
    can = oppgaveflyt.kommandoer(flyt, parts) if row["status"] == "aapen" else ()
    kept = (
        "id", "subject", "regel", "regelversjon", "regelsett", "anledning", "status", "eier", "frist", "fristslag",
        "bestemmelser", "lukkes_av", "flyt", "tilbudt_til", "svar_innen", "avgjores_av", "loftet_til", "versjon",
        "opprettet", "endret",
    )  # fmt: skip
    return {
        **{name: row[name] for name in kept},
        "forklaring": _opened(key, base64.b64decode(row["forklaring"]), f"oppgave|{row['id']}".encode()),
        "hendelser": [g["id"] for g in row["hviler_pa"] if g["tjeneste"] == unit],
        "handlinger": [*can, "kommenter"],
    }


def _step(gjelder: str, step: Lest, key: bytes) -> Json:
    out: Mapping[str, Any] = step._asdict()
    text = _opened(key, step.kommentar, comment_context(gjelder, step.nr)) if step.kommentar else None
    return {
        **{name: value for name, value in out.items() if name not in ("nokkelid", "kommentar")},
        "svar_innen": _text(step.svar_innen),
        "kommentar": text,
    }


def _opened(key: bytes, blob: bytes, context: bytes) -> str | None:
    try:
        return open_sealed(key, blob, context).decode()
    except SealBroken:
        return None


def _text(day: Any) -> str | None:
    return None if day is None else day.isoformat()
