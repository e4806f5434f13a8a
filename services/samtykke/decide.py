"""The one decision: may this event go, and who may read this. Pure: no I/O, no clock, nothing remembered.

Both gates call `decide`. Without a viewer it is the publish gate: release, shield, withhold or refuse.
With one it is the read gate: full, status, metadata or deny, by the table in contracts/tilgang.py.
Secrecy and the GDPR basis are two questions, each with its own reason: a consent lifts the first and never
replaces the second.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from backbone.clock import OSLO
from contracts import tilgang
from contracts.alder import Aldersregel
from contracts.catalogue import Catalogue, UnknownType, split
from contracts.hendelser.begrep import HELSETJENESTER
from contracts.lov import Lov
from contracts.samtykke_api import (
    FORESATT,
    KOORDINATOR,
    Familierolle,
    Grunn,
    Personstatus,
    Samtykkegiver,
    Samtykkestatus,
    Slag,
    Sporsmal,
    Tilgang,
    Utfall,
)
from contracts.tilgang import LESETABELL, SKJERMEDE_TJENESTER, Kolonne, Krav, Regel, Vilkar
from contracts.tjenester import SAMTYKKE
from services.samtykke.alder import age

AGE_MAX = 25
"""Whole years; events on older persons are refused (the welfare services' help to the young ends there)."""

CONSENT_LIFTS_SECRECY = "forvaltningsloven-13-a-1"
PROCESSING = "gdpr-6-1-e"
PROCESSING_HEALTH = "gdpr-9-2-g"
ACCESS = "gdpr-15"
"""Basis of what a family sees of its own."""
PARENTS: frozenset[Samtykkegiver] = frozenset({"forelder", "begge-foreldre"})
"""Whose consents lapse as the child grows up; a verge's appointment has an end of its own."""
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
    tasks and children). `eier`, `koordinering`, `ingen_undersokelse` and `hviler_pa` as in
    contracts.samtykke_api.LesingItem.
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
    ingen_undersokelse: bool = False
    hviler_pa: tuple[Fakta, ...] = ()


@dataclass(frozen=True, slots=True)
class Child:
    """What the register knows. `tjenester` have sent something about the child, `koordinatorer` are user
    subs, `familie` the subs of the child itself and its guardians, each with what she is.
    """

    kommune: str
    status: Personstatus = "aktiv"
    fodselsdato: date | None = None
    koordinatorer: frozenset[str] = frozenset()
    tjenester: frozenset[str] = frozenset()
    familie: frozenset[tuple[str, Familierolle]] = frozenset()
    adressebeskyttelse: bool = False


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
        return PARTIES.get(self.rolle, self.tjeneste)


PARTIES = {tilgang.KOORDINATOR: KOORDINATOR, tilgang.FORESATT: FORESATT, tilgang.BARN: None}
FAMILY: dict[str, frozenset[Familierolle]] = {
    tilgang.BARN: frozenset({"barn"}),
    tilgang.FORESATT: frozenset({"forelder", "verge"}),
}
"""What the register must say of a viewer in a family's role."""


@dataclass(frozen=True, slots=True)
class Consent:
    """`utloper` None means until withdrawn. A parent's consent counts, category by category, until the child is of the
    age that contracts.alder sets.
    """

    id: str
    status: Samtykkestatus
    fra_tjeneste: str
    til_tjenester: frozenset[str]
    kategorier: frozenset[str]
    gyldig_fra: datetime
    utloper: datetime | None = None
    hvem: Samtykkegiver = "selv"

    def counts(self, at: datetime) -> bool:
        return self.status == "gitt" and self.gyldig_fra <= at and (self.utloper is None or at < self.utloper)

    def covers(self, tjeneste: str, kategori: str) -> bool:
        return self.fra_tjeneste == tjeneste and kategori in self.kategorier

    def opens_for(self, party: str) -> bool:
        """Only the child itself opens for its guardians what its age keeps from them."""
        return party in self.til_tjenester and (party != FORESATT or self.hvem == "selv")

    def names(self, party: str) -> bool:
        return party == self.fra_tjeneste or party in self.til_tjenester


@dataclass(frozen=True, slots=True)
class Decision:
    """`grunner` as in contracts.samtykke_api.Grunn, the one that decided first. `grunnlag` is what let it go: a law
    id, or "samtykke:<id>"; None when it did not. `vilkar` are left for whoever opens the seal.
    """

    outcome: Utfall | Tilgang
    grunner: tuple[Grunn, ...]
    grunnlag: str | None = None
    vilkar: tuple[Vilkar, ...] = ()


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


# What both gates ask


def lifting(
    event: Event, child: Child, consents: Sequence[Consent], law: Lov, at: datetime, party: str | None = None
) -> Consent | None:
    """The first consent that lifts the secrecy of the event now; towards `party` where one is named."""
    for consent in consents:
        if (
            consent.counts(at)
            and consent.covers(event.tjeneste, event.kategori)
            and (party is None or consent.opens_for(party))
            and not outgrown(consent.hvem, event.tjeneste, event.kategori, child.fodselsdato, law, at)
        ):
            return consent
    return None


def outgrown(
    hvem: Samtykkegiver, tjeneste: str, kategori: str, fodselsdato: date | None, law: Lov, at: datetime
) -> bool:
    """Whether the child has come of the age at which its parents' consent to this lapses."""
    if hvem not in PARENTS or fodselsdato is None:
        return False
    return age(fodselsdato, at) >= age_rule(law, tjeneste, kategori).foreldre_til


def guardians_may_know(consent: Consent, fodselsdato: date | None, law: Lov, at: datetime) -> bool:
    """Whether a guardian may know of the consent, whatever has become of it: the child lets her see what it is about,
    or guardians gave it and the child is so young that they see all of what it is about.
    """
    if FORESATT in consent.til_tjenester:
        return True
    if consent.hvem == "selv" or fodselsdato is None:
        return False
    years = age(fodselsdato, at)
    return all(
        years < age_rule(law, consent.fra_tjeneste, kategori).foresatt_begrenset
        for kategori in consent.kategorier
    )


def age_rule(law: Lov, tjeneste: str, kategori: str) -> Aldersregel:
    """The ages that hold for what `tjeneste` tells in `kategori`."""
    return law.aldre.regel(kategori, helse=tjeneste in HELSETJENESTER)


def _basis(event: Event, law: Lov, at: datetime, first: str = PROCESSING) -> tuple[Grunn, ...] | None:
    """The GDPR basis, article 6 before article 9; None where the law table has none in force."""
    wanted = (first, PROCESSING_HEALTH) if event.skjerming == "H" else (first,)
    if not all(_in_force(law, provision, at) for provision in wanted):
        return None
    return tuple(
        _resting(_reason("behandlingsgrunnlag", "behandlingsgrunnlag"), law, provision)
        for provision in wanted
    )


def _in_force(law: Lov, provision: str | None, at: datetime) -> str | None:
    if provision and provision in law and law.in_force(provision, at.astimezone(OSLO).date()):
        return provision
    return None


Inndata = dict[str, str | int | bool | None]
"""What was looked at, none of it about who the child is."""


def _reason(sporsmal: Sporsmal, kode: str, inndata: Inndata | None = None) -> Grunn:
    reason = Grunn(kode=kode, bestemmelse=None, lovversjon=None, samtykke=None, sporsmal=sporsmal)
    if inndata is not None:
        reason["inndata"] = inndata
    return reason


def _resting(reason: Grunn, law: Lov, provision: str | None, consent: Consent | None = None) -> Grunn:
    """The reason with the provision of the law table, and the consent, that it rests on."""
    if provision is not None:
        reason["bestemmelse"], reason["lovversjon"] = provision, law.versjon
    if consent is not None:
        reason["samtykke"] = consent.id
    return reason


# The publish gate


def _publish(
    event: Event | None, child: Child | Unknown, consents: Sequence[Consent], law: Lov, at: datetime
) -> Decision:
    if event is None:
        return _stopped("ukjent-type")
    if isinstance(child, Unknown):
        return _stopped(child.kode)
    if child.status == "slettet":
        return _stopped("slettet")
    if child.kommune != event.kommune:
        return _stopped("annen-kommune")
    if child.fodselsdato and event.time and age(child.fodselsdato, event.time) > AGE_MAX:
        return _stopped("for-gammel")
    basis = _basis(event, law, at)
    if basis is None:
        return Decision("refuse", (_reason("behandlingsgrunnlag", "uten-grunnlag"),))
    if child.status == "sperret":
        return Decision("withhold", (_reason("adgang", "sperret"),))
    outcome, kode, provision, consent = _secrecy(event, child, consents, law, at)
    inndata: Inndata = {
        "skjerming": event.skjerming,
        "egen_plikt": event.egen_plikt,
        "samtykker": len(consents),
    }
    grunner = (_resting(_reason("taushetsplikt", kode, inndata), law, provision, consent), *basis)
    if outcome == "withhold":
        return Decision(outcome, grunner)
    return Decision(outcome, grunner, f"samtykke:{consent.id}" if consent else provision)


def _stopped(kode: str) -> Decision:
    """Nothing that could be decided on: no basis at all."""
    return Decision("refuse", (_reason("adgang", kode),))


def _secrecy(
    event: Event, child: Child, consents: Sequence[Consent], law: Lov, at: datetime
) -> tuple[Utfall, str, str | None, Consent | None]:
    """Outcome, why, the provision, and the consent that lifts the secrecy where one does."""
    basis = PROCESSING_HEALTH if event.skjerming == "H" else PROCESSING
    if event.skjerming == "N":
        return "release", "administrativ", _in_force(law, event.plikt, at) or basis, None
    consent = lifting(event, child, consents, law, at)
    if consent:
        return "release", "samtykke", CONSENT_LIFTS_SECRECY, consent
    if event.skjerming == "X":
        return "shield", "skjermet", basis, None
    if event.egen_plikt:
        return "shield", "egen-plikt", basis, None
    return "withhold", "mangler-samtykke", event.taushetsplikt, None


# The read gate


def _read(
    event: Event | None,
    child: Child | Unknown,
    viewer: Viewer,
    consents: Sequence[Consent],
    law: Lov,
    at: datetime,
) -> Decision:
    if event is None:
        return _denied("adgang", "ukjent-type")
    if viewer.kommune != event.kommune:
        return _denied("adgang", "annen-kommune")
    basis = _basis(event, law, at, ACCESS if viewer.rolle in FAMILY else PROCESSING)
    if basis is None:
        return _denied("behandlingsgrunnlag", "uten-grunnlag")
    column = _column(event, viewer)
    rules = LESETABELL.get((viewer.rolle, column), ())
    if column is Kolonne.TALL:  # about no child, so without conditions that look at one
        return _granted(rules[0], basis) if rules else _denied("taushetsplikt", "rolle-uten-tilgang")
    if isinstance(child, Unknown):
        return _denied("adgang", child.kode)
    if child.kommune != event.kommune:
        return _denied("adgang", "annen-kommune")
    if child.status != "aktiv":
        rules = tuple(rule for rule in rules if rule.tilgang == "metadata")
        if not rules:
            return _denied("adgang", child.status)
    question = _Question(event, child, viewer, consents, law, at)
    failed = "rolle-uten-tilgang"
    for rule in rules:
        missing = question.missing(rule)
        if missing is None:
            return question.grant(rule, basis)
        failed = missing
    return _denied("taushetsplikt", failed, question.inndata())


def _denied(sporsmal: Sporsmal, kode: str, inndata: Inndata | None = None) -> Decision:
    return Decision("deny", (_reason(sporsmal, kode, inndata),))


def _granted(rule: Regel, basis: tuple[Grunn, ...]) -> Decision:
    return Decision(rule.tilgang, (_reason("taushetsplikt", rule.grunn), *basis), vilkar=rule.vilkar)


def _column(event: Event, viewer: Viewer) -> Kolonne:
    if event.slag != "hendelse":
        return Kolonne(event.slag)
    if event.tjeneste == viewer.tjeneste and (viewer.rolle, Kolonne.EGEN) in LESETABELL:
        return Kolonne.EGEN
    # A transition that samtykke tells of betrays no consent's parties.
    consents = event.tjeneste == SAMTYKKE and event.kategori != "overgang"
    return Kolonne.SAMTYKKE if consents else Kolonne(event.skjerming)


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

    def grant(self, rule: Regel, basis: tuple[Grunn, ...]) -> Decision:
        consent = self.consent() if Krav.SAMTYKKE in rule.krav else None
        provision = CONSENT_LIFTS_SECRECY if consent else None
        reason = _reason("taushetsplikt", rule.grunn, self.inndata())
        _resting(reason, self.law, provision, consent)
        hidden = (Vilkar.UTEN_STED,) if self.child.adressebeskyttelse else ()
        return Decision(rule.tilgang, (reason, *basis), vilkar=(*rule.vilkar, *hidden))

    def inndata(self) -> Inndata:
        return {
            "rolle": self.viewer.rolle,
            "skjerming": self.event.skjerming,
            "skjermet_rett": self.viewer.skjermet,
            "samtykker": len(self.consents),
        }

    def consent(self) -> Consent | None:
        party = self.viewer.party
        if party is None:
            return None
        return lifting(self.event, self.child, self.consents, self.law, self.at, party)

    def betrays_nobody(self) -> bool:
        """Whoever learns of a consent learns of its parties, whatever has become of it since."""
        return all(
            self.viewer.party is not None and consent.names(self.viewer.party)
            for consent in self.consents
            if any(consent.names(shielded) for shielded in SKJERMEDE_TJENESTER)
        )

    def guardians_know_all(self) -> bool:
        """An event of samtykke's does not say of which consent, so one that she may not know of bars them all."""
        born = self.child.fodselsdato
        return all(guardians_may_know(consent, born, self.law, self.at) for consent in self.consents)

    def known(self) -> bool:
        own = self.viewer.tjeneste
        return own is not None and (
            own in self.child.tjenester
            or own == self.event.eier
            or any(c.counts(self.at) and own in c.til_tjenester for c in self.consents)
        )

    def of_the_family(self) -> bool:
        return any((self.viewer.sub, rolle) in self.child.familie for rolle in FAMILY[self.viewer.rolle])

    def ages(self) -> Aldersregel:
        return self.law.aldre.regel(self.event.kategori, helse=self.event.skjerming == "H")

    def younger_than(self, years: int) -> bool:
        """Of a child whose birth date is unknown nothing is said, so neither this nor its opposite lets anybody in."""
        born = self.child.fodselsdato
        return born is not None and age(born, self.at) < years

    def old_enough(self) -> bool:
        born = self.child.fodselsdato
        return born is not None and age(born, self.at) >= self.ages().barn_innsyn

    def reader_may_be_named(self) -> bool:
        reader = self.event.eier
        if reader not in SKJERMEDE_TJENESTER:
            return True
        return self.sees_in_full(Fakta(reader, reader, "X"))

    def sees_in_full(self, fact: Fakta) -> bool:
        event = Event(
            fact.tjeneste,
            fact.kategori,
            fact.skjerming,
            self.event.kommune,
            ingen_undersokelse=self.event.ingen_undersokelse,
        )
        decision = _read(event, self.child, self.viewer, self.consents, self.law, self.at)
        return decision.outcome == "full"

    def rests_on_foreign_x(self) -> bool:
        """What a shielded service holds or has read tells of the connection to it, whatever it rests on."""
        shielded = {f.tjeneste for f in self.event.hviler_pa if f.skjerming == "X"}
        if self.event.eier in SKJERMEDE_TJENESTER:
            shielded.add(self.event.eier)
        return any(tjeneste != self.viewer.tjeneste for tjeneste in shielded)


CONDITIONS: dict[Krav, Callable[[_Question], bool]] = {
    Krav.KOORDINATOR_FOR_BARNET: lambda q: q.viewer.sub in q.child.koordinatorer,
    Krav.SAMTYKKE: lambda q: q.consent() is not None,
    Krav.SKJERMET_RETT: lambda q: q.viewer.skjermet,
    Krav.INGEN_SKJERMET_PART: lambda q: q.betrays_nobody(),
    Krav.KJENTE_SAMTYKKER: lambda q: q.guardians_know_all(),
    Krav.KOORDINERING: lambda q: q.event.koordinering,
    Krav.EIER: lambda q: q.viewer.tjeneste is not None and q.event.eier == q.viewer.tjeneste,
    Krav.SYNLIG_GRUNNLAG: lambda q: all(q.sees_in_full(fact) for fact in q.event.hviler_pa),
    Krav.UTEN_X: lambda q: not q.rests_on_foreign_x(),
    Krav.KJENT_BARN: lambda q: q.known(),
    Krav.EGET_BARN: lambda q: q.of_the_family(),
    Krav.BARNETS_ALDER: lambda q: q.old_enough(),
    Krav.FORESATTES_ALDER: lambda q: q.younger_than(q.ages().foresatt_begrenset),
    Krav.FORESATTES_BEGRENSEDE_ALDER: lambda q: q.younger_than(q.ages().foresatt_slutt),
    Krav.IKKE_UNDER_UNDERSOKELSE: lambda q: q.event.ingen_undersokelse,
    Krav.LESER_KAN_NEVNES: lambda q: q.reader_may_be_named(),
}
