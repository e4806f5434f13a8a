"""The one decision: may this event go, and who may read this. Pure: no I/O, no clock, nothing remembered.

Both gates call `decide`. Without a viewer it is the publish gate: release, shield, withhold or refuse.
With one it is the read gate: full, status, metadata or deny, by the table in contracts/tilgang.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from backbone.clock import OSLO
from contracts.catalogue import Catalogue, UnknownType, split
from contracts.lov import Lov
from contracts.samtykke_api import KOORDINATOR, Grunn, Personstatus, Samtykkestatus, Slag, Tilgang, Utfall
from contracts.tilgang import LESETABELL, SKJERMEDE_TJENESTER, Kolonne, Krav, Regel
from contracts.tjenester import SAMTYKKE
from services.samtykke.alder import age

AGE_MAX = 25
"""Whole years; events on older persons are refused (the welfare services' help to the young ends there)."""

CONSENT_LIFTS_SECRECY = "forvaltningsloven-13-a-1"
PROCESSING = "gdpr-6-1-e"
PROCESSING_HEALTH = "gdpr-9-2-g"
OWN_REGISTER = "samtykke-koordinering"
"""Basis of what samtykke itself publishes: that a consent was given, withdrawn or ran out."""


@dataclass(frozen=True, slots=True)
class Fakta:
    """A fact that a task rests on."""

    tjeneste: str
    kategori: str
    skjerming: str


@dataclass(frozen=True, slots=True)
class Event:
    """What is to go, or to be read: an event, a task, or the child as such.

    `plikt` and `taushetsplikt` are the law ids that bind the sender; `time` is when it happened (None for
    tasks and children). `eier`, `koordinering` and `hviler_pa` as in contracts.samtykke_api.LesingItem.
    """

    tjeneste: str
    kategori: str
    skjerming: str
    kommune: str
    slag: Slag = "hendelse"
    egen_plikt: bool = False
    plikt: str | None = None
    taushetsplikt: str | None = None
    time: datetime | None = None
    eier: str | None = None
    koordinering: bool = False
    hviler_pa: tuple[Fakta, ...] = ()


@dataclass(frozen=True, slots=True)
class Child:
    """What the register knows. `tjenester` have sent something about the child, `koordinatorer` are user
    subs.
    """

    kommune: str
    status: Personstatus = "aktiv"
    fodselsdato: date | None = None
    koordinatorer: frozenset[str] = frozenset()
    tjenester: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody that a decision could be about, and why."""

    kode: str


@dataclass(frozen=True, slots=True)
class Viewer:
    sub: str
    rolle: str
    kommune: str
    tjeneste: str | None = None
    skjermet: bool = False

    @property
    def party(self) -> str | None:
        """The word by which a consent names this viewer."""
        return KOORDINATOR if self.rolle == "koordinator" else self.tjeneste


@dataclass(frozen=True, slots=True)
class Consent:
    """`utloper` None means until withdrawn; a parent's consent has the child's eighteenth birthday here at
    the latest.
    """

    id: str
    status: Samtykkestatus
    fra_tjeneste: str
    til_tjenester: frozenset[str]
    kategorier: frozenset[str]
    gyldig_fra: datetime
    utloper: datetime | None = None

    def counts(self, at: datetime) -> bool:
        return self.status == "gitt" and self.gyldig_fra <= at and (self.utloper is None or at < self.utloper)

    def covers(self, tjeneste: str, kategori: str) -> bool:
        return self.fra_tjeneste == tjeneste and kategori in self.kategorier

    def names(self, party: str) -> bool:
        return party == self.fra_tjeneste or party in self.til_tjenester


@dataclass(frozen=True, slots=True)
class Decision:
    """`grunnlag` is what let it go: a law id, or "samtykke:<id>"; None when it did not."""

    outcome: Utfall | Tilgang
    grunner: tuple[Grunn, ...]
    grunnlag: str | None = None


def decide(
    event: Event | None,
    child: Child | Unknown,
    viewer: Viewer | None,
    consents: Sequence[Consent],
    law: Lov,
    at: datetime,
) -> Decision:
    """`event` None: the service may not send that type.

    `consents` are all of the child's, whatever their state; `at` is now, aware. Never raises.
    """
    if viewer is None:
        return _publish(event, child, consents, law, at)
    return _read(event, child, viewer, consents, law, at)


def describe(
    catalogue: Catalogue,
    full_type: str,
    kommune: str,
    time: datetime | None = None,
    *,
    koordinering: bool = False,
) -> Event | None:
    """The event as the catalogue knows its type, never as its sender says; None for a type that does not
    exist.
    """
    try:
        event_type = catalogue.event_type(full_type)
        tjeneste = split(full_type)[0]
    except UnknownType:
        return None
    known = catalogue.tjenester.get(tjeneste)
    return Event(
        tjeneste=tjeneste,
        kategori=event_type.kategori,
        skjerming=str(event_type.skjerming_for(tjeneste)),
        kommune=kommune,
        egen_plikt=event_type.egen_plikt,
        plikt=known.samarbeidsplikt if known else OWN_REGISTER,
        taushetsplikt=known.taushetsplikt if known else None,
        time=time,
        koordinering=koordinering,
    )


# The publish gate


def _publish(
    event: Event | None, child: Child | Unknown, consents: Sequence[Consent], law: Lov, at: datetime
) -> Decision:
    def because(
        outcome: Utfall, kode: str, provision: str | None = None, consent: Consent | None = None
    ) -> Decision:
        reason = _reason(law, kode, provision, consent)
        if outcome in ("withhold", "refuse"):
            return Decision(outcome, (reason,))
        return Decision(outcome, (reason,), f"samtykke:{consent.id}" if consent else reason["bestemmelse"])

    if event is None:
        return because("refuse", "ukjent-type")
    if isinstance(child, Unknown):
        return because("refuse", child.kode)
    if child.status == "slettet":
        return because("refuse", "slettet")
    if child.kommune != event.kommune:
        return because("refuse", "annen-kommune")
    if child.fodselsdato and event.time and age(child.fodselsdato, event.time) > AGE_MAX:
        return because("refuse", "for-gammel")
    if child.status == "sperret":
        return because("withhold", "sperret")
    basis = PROCESSING_HEALTH if event.skjerming == "H" else PROCESSING
    if event.skjerming == "N":
        return because("release", "administrativ", _in_force(law, event.plikt, at) or basis)
    consent = next((c for c in consents if c.counts(at) and c.covers(event.tjeneste, event.kategori)), None)
    if consent:
        return because("release", "samtykke", CONSENT_LIFTS_SECRECY, consent)
    if event.skjerming == "X":
        return because("shield", "skjermet", basis)
    if event.egen_plikt:
        return because("shield", "egen-plikt", basis)
    return because("withhold", "mangler-samtykke", event.taushetsplikt)


def _in_force(law: Lov, provision: str | None, at: datetime) -> str | None:
    if provision and provision in law and law.in_force(provision, at.astimezone(OSLO).date()):
        return provision
    return None


# The read gate


def _read(
    event: Event | None,
    child: Child | Unknown,
    viewer: Viewer,
    consents: Sequence[Consent],
    law: Lov,
    at: datetime,
) -> Decision:
    def deny(kode: str) -> Decision:
        return Decision("deny", (_reason(law, kode),))

    if event is None:
        return deny("ukjent-type")
    if isinstance(child, Unknown):
        return deny(child.kode)
    if not viewer.kommune == event.kommune == child.kommune:
        return deny("annen-kommune")
    rules = LESETABELL.get((viewer.rolle, _column(event, viewer)), ())
    if child.status != "aktiv":
        rules = tuple(rule for rule in rules if rule.tilgang == "metadata")
        if not rules:
            return deny(child.status)
    question = _Question(event, child, viewer, consents, law, at)
    failed = "rolle-uten-tilgang"
    for rule in rules:
        missing = question.missing(rule)
        if missing is None:
            return question.grant(rule)
        failed = missing
    return deny(failed)


def _column(event: Event, viewer: Viewer) -> Kolonne:
    if event.slag == "oppgave":
        return Kolonne.OPPGAVE
    if event.slag == "barn":
        return Kolonne.BARN
    if event.tjeneste == viewer.tjeneste and (viewer.rolle, Kolonne.EGEN) in LESETABELL:
        return Kolonne.EGEN
    return Kolonne.SAMTYKKE if event.tjeneste == SAMTYKKE else Kolonne(event.skjerming)


@dataclass(frozen=True, slots=True)
class _Question:
    """One read, with everything its conditions look at."""

    event: Event
    child: Child
    viewer: Viewer
    consents: Sequence[Consent]
    law: Lov
    at: datetime

    def missing(self, rule: Regel) -> str | None:
        """The first condition of the rule that does not hold."""
        return next((str(krav) for krav in rule.krav if not CONDITIONS[krav](self)), None)

    def grant(self, rule: Regel) -> Decision:
        consent = self.consent() if Krav.SAMTYKKE in rule.krav else None
        provision = CONSENT_LIFTS_SECRECY if consent else None
        return Decision(rule.tilgang, (_reason(self.law, rule.grunn, provision, consent),))

    def consent(self) -> Consent | None:
        return next(
            (
                c
                for c in self.consents
                if c.counts(self.at)
                and c.covers(self.event.tjeneste, self.event.kategori)
                and self.viewer.party in c.til_tjenester
            ),
            None,
        )

    def betrays_nobody(self) -> bool:
        """Whoever learns of a consent learns of its parties, whatever has become of it since."""
        return all(
            self.viewer.party is not None and consent.names(self.viewer.party)
            for consent in self.consents
            if any(consent.names(shielded) for shielded in SKJERMEDE_TJENESTER)
        )

    def known(self) -> bool:
        own = self.viewer.tjeneste
        return own is not None and (
            own in self.child.tjenester
            or own == self.event.eier
            or any(c.counts(self.at) and own in c.til_tjenester for c in self.consents)
        )

    def sees_in_full(self, fact: Fakta) -> bool:
        event = Event(fact.tjeneste, fact.kategori, fact.skjerming, self.event.kommune)
        decision = _read(event, self.child, self.viewer, self.consents, self.law, self.at)
        return decision.outcome == "full"

    def rests_on_foreign_x(self) -> bool:
        return any(f.skjerming == "X" and f.tjeneste != self.viewer.tjeneste for f in self.event.hviler_pa)


CONDITIONS: dict[Krav, Callable[[_Question], bool]] = {
    Krav.KOORDINATOR_FOR_BARNET: lambda q: q.viewer.sub in q.child.koordinatorer,
    Krav.SAMTYKKE: lambda q: q.consent() is not None,
    Krav.SKJERMET_RETT: lambda q: q.viewer.skjermet,
    Krav.INGEN_SKJERMET_PART: lambda q: q.betrays_nobody(),
    Krav.KOORDINERING: lambda q: q.event.koordinering,
    Krav.EIER: lambda q: q.viewer.tjeneste is not None and q.event.eier == q.viewer.tjeneste,
    Krav.SYNLIG_GRUNNLAG: lambda q: all(q.sees_in_full(fact) for fact in q.event.hviler_pa),
    Krav.UTEN_X: lambda q: not q.rests_on_foreign_x(),
    Krav.KJENT_BARN: lambda q: q.known(),
}


def _reason(law: Lov, kode: str, provision: str | None = None, consent: Consent | None = None) -> Grunn:
    return Grunn(
        kode=kode,
        bestemmelse=provision,
        lovversjon=law.versjon if provision else None,
        samtykke=consent.id if consent else None,
    )
