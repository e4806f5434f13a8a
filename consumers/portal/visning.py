"""What the templates show: plain values, made from what the gate let through. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from urllib.parse import quote

from consumers.portal.lesing import Sett
from consumers.portal.naboer import Json
from consumers.portal.texts import Texts, local_date
from contracts.catalogue import Catalogue, UnknownType
from contracts.hendelser import Involvering

UKE_DAGER = 7


@dataclass(frozen=True)
class Felt:
    navn: str
    verdi: str


@dataclass(frozen=True)
class Hendelse:
    """One row of the timeline. `vei` is the path of its way, None where the viewer may not follow it."""

    tid: datetime
    tjeneste: str
    tjenestenavn: str
    hva: str
    merke: str | None
    felter: tuple[Felt, ...]
    uleselig: bool
    trukket: bool
    vei: str | None


@dataclass(frozen=True)
class Dag:
    dato: date
    hendelser: tuple[Hendelse, ...]


@dataclass(frozen=True)
class Tjenestebilde:
    """A service around the child, as far as the viewer may know: how many events, the last one's date, or that only
    its being there is shown (`kun_status`)."""

    tjeneste: str
    navn: str
    antall: int
    siste: datetime
    kun_status: bool
    status: str | None


@dataclass(frozen=True)
class Bestemmelse:
    henvisning: str
    ukvalitetssikret: bool


@dataclass(frozen=True)
class Utloser:
    """A fact that the task rests on, with the way of its event; None where the way would name a place."""

    hva: str
    vei: str | None


@dataclass(frozen=True)
class Oppgave:
    """A task. `dager` is days left until the date, negative when it has gone by, None without a date."""

    id: str
    subject: str
    barn: str
    tittel: str
    status: str
    aapen: bool
    eier: str | None
    frist: date | None
    fristslag: str | None
    dager: int | None
    forklaring: str | None
    uleselig: bool
    bestemmelser: tuple[Bestemmelse, ...]
    lukkes_av: tuple[str, ...]
    utlosere: tuple[Utloser, ...]
    metadata: bool
    flyt: str | None = None

    @property
    def forfalt(self) -> bool:
        return self.aapen and self.dager is not None and self.dager < 0


@dataclass(frozen=True)
class Steg:
    """Something that happened to a task or baton."""

    tid: datetime
    hva: str
    grunn: str | None
    svar_innen: date | None
    kommentar: str | None


@dataclass(frozen=True)
class Flytbilde:
    """What the viewer may do now, decided on what `versjon` says; `mottakere` are (code, name) of services."""

    versjon: int
    handlinger: tuple[str, ...]
    mottakere: tuple[tuple[str, str], ...]
    steg: tuple[Steg, ...]


@dataclass(frozen=True)
class Forklartfakta:
    """A fact that the viewer may know of, and its day."""

    hva: str
    dato: date | None


@dataclass(frozen=True)
class Forklart:
    """Which rule in which version, how the date was counted, and the facts."""

    regel: str
    frist: str
    fakta: tuple[Forklartfakta, ...]


@dataclass(frozen=True)
class Oppgavegruppe:
    """A heading's worth of tasks; `id` names it in the catalogue (`start-<id>`)."""

    id: str
    oppgaver: tuple[Oppgave, ...]


@dataclass(frozen=True)
class Samtykke:
    """A consent as it stands: `statusslag` is its code, "kommende" for one that has not begun."""

    status: str
    statusslag: str
    fra: str
    til: tuple[str, ...]
    kategorier: tuple[str, ...]
    hvem: str
    formal: str
    gyldig_fra: datetime
    utloper: datetime | None


@dataclass(frozen=True)
class Grunn:
    """Why the gate decided as it did; `samtykke` is the start of a consent's id."""

    tekst: str
    bestemmelse: Bestemmelse | None
    lovversjon: str | None
    samtykke: str | None


@dataclass(frozen=True)
class Vei:
    """The stations of an event; a time is None where it has not come to that station, or the station did not say."""

    skjult: bool
    mottatt: datetime | None
    status: str
    grunner: tuple[Grunn, ...]
    publisert: datetime | None
    emne: str | None
    plass: str | None
    behandlet: datetime | None


STATUS = {"release": "frigitt", "shield": "skjermet"}
"""A receipt's word for what an envelope calls the decision."""


class Visning:
    """Makes the views, in words."""

    def __init__(self, texts: Texts, catalogue: Catalogue) -> None:
        self._t = texts
        self._catalogue = catalogue

    def event(self, seen: Sett) -> Hendelse:
        row = seen.rad
        content = seen.innhold if isinstance(seen.innhold, dict) else {}
        hidden = seen.type_hidden
        return Hendelse(
            tid=instant(row["time"]),
            tjeneste="skjermet" if hidden else row["tjeneste"],
            tjenestenavn=self._t.tjeneste("skjermet" if hidden else row["tjeneste"]),
            hva=self._what(seen),
            merke=self._mark(seen),
            felter=self.fields(content.get("data", {})),
            uleselig=seen.uleselig,
            trukket=bool(content.get("tilbaketrukket")),
            vei=way_to(seen),
        )

    def _what(self, seen: Sett) -> str:
        if seen.type_hidden:
            return self._t("type-skjermet")
        if seen.tilgang == "status":
            return self.status_of(seen.rad["type"])
        return self._t.event(seen.rad["type"])

    def _mark(self, seen: Sett) -> str | None:
        if seen.type_hidden:
            return self._t("barn-skjermet")
        marks = {"status": "barn-kun-status", "metadata": "barn-kun-metadata"}
        return self._t(marks[seen.tilgang]) if seen.tilgang in marks else None

    def status_of(self, full_type: str) -> str:
        """All that "kun status" tells: whether contact began, goes on or ended."""
        try:
            what = self._catalogue.event_type(full_type).involvering
        except UnknownType:
            what = Involvering.INGEN
        return self._t.name("status", str(what))

    def fields(self, data: Mapping[str, Any]) -> tuple[Felt, ...]:
        return tuple(
            Felt(self._t.name("felt", name), self._t.value(name, value))
            for name, value in data.items()
            if value is not None and value != []
        )

    def days(self, seen: Iterable[Sett]) -> tuple[Dag, ...]:
        """The timeline, newest first, a heading a date."""
        events = sorted((self.event(s) for s in seen), key=lambda e: e.tid, reverse=True)
        return tuple(Dag(day, tuple(of)) for day, of in groupby(events, key=lambda e: local_date(e.tid)))

    def services(self, seen: Iterable[Sett]) -> tuple[Tjenestebilde, ...]:
        """The services around the child, the one heard from last first; not our own registers."""
        by_name: dict[str, list[Sett]] = {}
        for one in seen:
            if not one.type_hidden and one.rad["tjeneste"] in self._catalogue.tjenester:
                by_name.setdefault(one.rad["tjeneste"], []).append(one)
        found = [self._service(name, events) for name, events in by_name.items()]
        return tuple(sorted(found, key=lambda s: s.siste, reverse=True))

    def _service(self, navn: str, events: Sequence[Sett]) -> Tjenestebilde:
        latest = max(events, key=lambda s: instant(s.rad["time"]))
        only_status = all(s.tilgang == "status" for s in events)
        return Tjenestebilde(
            navn,
            self._t.tjeneste(navn),
            len(events),
            instant(latest.rad["time"]),
            only_status,
            self.status_of(latest.rad["type"]) if only_status else None,
        )

    def task(self, seen: Sett, name: str | None, grounds: Iterable[Sett], today: date) -> Oppgave:
        """`grounds` are the facts beneath it that the viewer may see."""
        task = seen.rad
        due = date.fromisoformat(task["frist"]) if task["frist"] else None
        hidden = not seen.full
        return Oppgave(
            id=task["id"],
            subject=task["subject"],
            barn=name or self.short_name(task["subject"]),
            tittel=self._t("oppgave-skjult") if seen.type_hidden else self._t.name("regel", task["regel"]),
            status=self._t.name("oppgave-status", task["status"]),
            aapen=task["status"] == "aapen",
            eier=None if seen.type_hidden else self._t.tjeneste(task["eier"]),
            frist=due,
            fristslag=task["fristslag"],
            dager=None if due is None else (due - today).days,
            forklaring=_explanation(seen.innhold),
            uleselig=seen.uleselig,
            bestemmelser=() if seen.type_hidden else tuple(self.provision(b) for b in task["bestemmelser"]),
            lukkes_av=() if hidden else tuple(self._t.short_event(navn) for navn in task["lukkes_av"]),
            utlosere=tuple(self._cause(g) for g in grounds),
            metadata=hidden,
            flyt=None if hidden or task["status"] != "aapen" else self._flow(task),
        )

    def _flow(self, task: Json) -> str | None:
        """Where an open task is on its way from hand to hand; nothing of one that simply lies with its owner."""
        state = task.get("flyt", "aapen")
        if state == "aapen":
            return None
        to = task.get("tilbudt_til") or task.get("avgjores_av")
        return self._t(f"flyt-{state}", til=self._t.tjeneste(to) if to else "")

    def explained(self, said: Json | None) -> "Forklart | None":
        """Why a task is as it is; `said` is coordination's word to this viewer, None where it can't say."""
        if said is None:
            return None
        facts = (
            Forklartfakta(
                f"{self._t.tjeneste(f['tjeneste'])}: {self._t.event(f['type'])}",
                date.fromisoformat(f["dato"]) if f["dato"] else None,
            )
            for f in said["fakta"]
        )
        return Forklart(said["regel"], said["frist"], tuple(facts))

    def flow(self, said: Json) -> "Flytbilde":
        """What may be done with a task or baton, and what was; `said` is coordination's word to this viewer."""
        return Flytbilde(
            said["versjon"],
            tuple(said["handlinger"]),
            tuple((t, self._t.tjeneste(t)) for t in said["mottakere"]),
            tuple(self._step(step) for step in said["steg"]),
        )

    def _step(self, step: Json) -> "Steg":
        names = {
            f: self._t.tjeneste(step[f]) if step[f] else self._t("steg-tiden") for f in ("av", "fra", "til")
        }
        kind = "begynte" if step["slag"] == "mottatt" and step["fra"] == step["til"] else step["slag"]
        return Steg(
            instant(step["tid"]),
            self._t(f"steg-{kind}", **names),
            self._t.name("avslag", step["grunn"]) if step["grunn"] else None,
            date.fromisoformat(step["svar_innen"]) if step["svar_innen"] else None,
            step["kommentar"],
        )

    def _cause(self, ground: Sett) -> Utloser:
        row = ground.rad
        what = f"{self._t.tjeneste(row['tjeneste'])}: {self._t.event(row['type'])}"
        return Utloser(what, way_to(ground))

    def provision(self, id_: str) -> Bestemmelse:
        """An id that the law table lacks is shown as it is, and marked."""
        found = self._t.bestemmelse(id_)
        if found is None:
            return Bestemmelse(id_, ukvalitetssikret=True)
        return Bestemmelse(found.henvisning, found.status == "ikke kvalitetssikret")

    def short_name(self, subject: str) -> str:
        return self._t("barn-uten-navn", kort=subject[:8])

    def consent(self, row: Json, now: datetime) -> Samtykke:
        begins, ends = instant(row["gyldig_fra"]), instant(row["utloper"]) if row["utloper"] else None
        kind = row["status"]
        if kind == "gitt" and ends is not None and ends <= now:
            kind = "utlopt"
        elif kind == "gitt" and begins > now:
            kind = "kommende"
        return Samtykke(
            status=self._t(f"samtykke-status-{kind}"),
            statusslag=kind,
            fra=self._t.tjeneste(row["fra_tjeneste"]),
            til=tuple(self._t.tjeneste(t) for t in row["til_tjenester"]),
            kategorier=tuple(self._t.name("kategori", k) for k in row["kategorier"]),
            hvem=self._t.name("samtykke-hvem", row["hvem"]),
            formal=row["formal"],
            gyldig_fra=begins,
            utloper=ends,
        )

    def way_of(self, seen: Sett, row: Json | None, receipt: Json | None) -> Vei:
        """`row` is coordination's, None while it has not seen the event; `receipt` the service's, None where the
        service keeps none."""
        place = (receipt or {}).get("publisert") or row
        return Vei(
            skjult=seen.type_hidden,
            mottatt=_maybe((receipt or {}).get("mottatt") or (row or {}).get("recordedtime")),
            status=receipt["status"]
            if receipt
            else STATUS.get(str((row or {}).get("beslutning")), "mottatt"),
            grunner=tuple(self._reasons(receipt, seen.rad)),
            publisert=_maybe(((receipt or {}).get("publisert") or {}).get("tid")),
            emne=place["topic"] if place else None,
            plass=self._t("vei-partisjon", partisjon=str(place["partition"]), offset=str(place["offset"]))
            if place
            else None,
            behandlet=_maybe((row or {}).get("mottatt")),
        )

    def _reasons(self, receipt: Json | None, row: Json) -> Iterator[Grunn]:
        """The receipt's reasons; of an event without a receipt, what its envelope carries."""
        for given in (receipt or {}).get("grunner") or _carried(row):
            yield Grunn(
                self._t.name("grunn", given["kode"]),
                self.provision(given["bestemmelse"]) if given.get("bestemmelse") else None,
                given.get("lovversjon"),
                str(given["samtykke"])[:8] if given.get("samtykke") else None,
            )


def _carried(row: Json) -> list[Json]:
    basis = row.get("grunnlag")
    if not basis:
        return []
    consent = basis.removeprefix("samtykke:") if basis.startswith("samtykke:") else None
    return [
        {
            "kode": "samtykke" if consent else "lov",
            "bestemmelse": None if consent else basis,
            "lovversjon": row.get("lovversjon"),
            "samtykke": consent,
        }
    ]


def _maybe(text: str | None) -> datetime | None:
    return instant(text) if text else None


def groups(tasks: Sequence[Oppgave]) -> tuple[Oppgavegruppe, ...]:
    """Open tasks by urgency: overdue, within a week, later, without a date. Empty groups are left out."""
    ordered = sorted(tasks, key=lambda o: (o.frist is None, o.frist or date.max, o.barn))
    named = groupby(ordered, key=_urgency)
    return tuple(Oppgavegruppe(id_, tuple(of)) for id_, of in named)


def _urgency(task: Oppgave) -> str:
    if task.dager is None:
        return "uten-frist"
    if task.dager < 0:
        return "forfalt"
    return "denne-uken" if task.dager <= UKE_DAGER else "senere"


def way_to(seen: Sett) -> str | None:
    """The path of an event's page, where the viewer may follow it: one that names no source where its service is
    hidden."""
    if seen.tilgang == "status" or seen.uten_sted:
        return None
    id_: str = seen.rad["id"]
    return quote(f"/hendelser/{id_}") if seen.type_hidden else way(seen.rad["source"], id_)


def way(source: str, id_: str) -> str:
    """The path of an event's page; `source` is "/<kommune>/<tjeneste>/<orgnr>"."""
    return quote(f"/hendelser{source}/{id_}")


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _explanation(opened: Any) -> str | None:
    if isinstance(opened, Mapping):
        opened = opened.get("tekst")
    return opened if isinstance(opened, str) else None


def grounds_of(task: Json) -> list[Json]:
    """The facts a task rests on, as rows the gate can be asked about; no key is asked for."""
    return [
        {**ground, "subject": task["subject"], "kommune": task["kommune"], "time": task["opprettet"]}
        for ground in task["hviler_pa"]
        if ground.get("source") and ground.get("id")
    ]
