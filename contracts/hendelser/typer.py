"""Every event type of the standard catalogue, service by service (domain table: category, class, effort, effect)."""

from typing import Literal

from pydantic import Field

from contracts.hendelser.begrep import EventData, EventType, Innsats, Involvering, Skjerming
from contracts.tidsrom import Dato

N, T, H, X = Skjerming.N, Skjerming.T, Skjerming.H, Skjerming.X
U, S, I = Innsats.UNIVERSELL, Innsats.SELEKTERT, Innsats.INDIKERT  # noqa: E741 - the table's own letters
PLUSS, LIK, MINUS = Involvering.APNER, Involvering.FORTSETTER, Involvering.LUKKER
ALLE_LUKKES, INGEN = Involvering.LUKKER_ALLE, Involvering.INGEN

Kode = str | None


class Tom(EventData):
    """Nothing beyond the key."""


class Elevforhold(EventData):
    """Pupil at a school; `trinn` 1–13 (upper secondary: 11–13)."""

    trinn: int | None = Field(default=None, ge=1, le=13)


class FravaerTerskel(EventData):
    """Absence passed a threshold: whole school days and school hours missed so far. `dokumentert` says whether the
    counted absence is documented (None: both kinds count). `periode` is the school year ("2026-2027") or the window
    the rule counts in, `regel` the id of the threshold."""

    dager: int = Field(ge=0)
    timer: int = Field(ge=0)
    dokumentert: bool | None = None
    periode: str
    regel: str


class Sak(EventData):
    """A case; `sak` is the sender's own reference, `ansvarlig_rolle` a role and never a person's name."""

    sak: str | None = None
    ansvarlig_rolle: str | None = None
    evalueringsdato: Dato | None = None


class Konsultasjon(EventData):
    """A programme contact; `programpunkt` as the national programme names it. No findings."""

    programpunkt: str | None = None
    dato: Dato


class JournalOverfort(EventData):
    """A health-station journal moved; kommunenummer of both sides where known."""

    fra_kommune: str | None = None
    til_kommune: str | None = None


class BehovMeldt(EventData):
    """The four conditions for barnekoordinator (hol. § 7-2 a); no diagnosis."""

    langvarig: bool
    sammensatt: bool
    alvorlig: bool
    familien_onsker: bool


class Oppnevnt(EventData):
    """Appointed: the unit that the coordinator belongs to, never a name."""

    enhet: str | None = None


class Henvendelse(EventData):
    """Something came to barnevern: `slag` 1 application, 2 melding. `melderkode` and `saksinnhold` are SSB's codes
    (Barnevern v4, Melder and Saksinnhold); `orientert` as the melder said; `ufodt`: the child is expected."""

    slag: Literal[1, 2]
    melderkode: Kode = None
    saksinnhold: tuple[str, ...] = ()
    barn_orientert: bool | None = None
    foresatte_orientert: bool | None = None
    ufodt: bool = False


class Konklusjon(EventData):
    """A conclusion with SSB's code of its kind (melding 8 and undersøkelse 6: to another agency, 7: moved);
    `undersokelse` tells whether an investigation follows."""

    kode: Kode = None
    undersokelse: bool | None = None


class Tilbakemelding(EventData):
    """Feedback to the melder: that the report is received, or what the investigation concluded in."""

    slag: Literal["mottak", "konklusjon"] | None = None


class Undersokelse(EventData):
    """An investigation begun or extended; `frist` is the date by which it is to be concluded."""

    frist: Dato | None = None


class Plan(EventData):
    """A plan of barnevernet: SSB's plan type code, and the date it is to be evaluated by."""

    plantype: Kode = None
    evalueres_innen: Dato | None = None


class Tiltak(EventData):
    """A measure: SSB's category code and the dates that frame it."""

    kategori: Kode = None
    evalueres_innen: Dato | None = None
    slutt: Dato | None = None


class Vedtak(EventData):
    """A decision: its outcome (SSB's status code) and legal basis (SSB's Lovhjemmel). Never an amount."""

    utfall: Kode = None
    lovhjemmel: Kode = None


class Flytting(EventData):
    """A move of placement: SSB's code for where to and why."""

    arsak: Kode = None
    til: Kode = None


class NavStatus(EventData):
    """A NAV case's status, in digisos-soker's own words. `gjelder`: the person's own case, or a parent's.
    Never an amount."""

    status: str | None = None
    gjelder: Literal["egen", "foresatt"] = "egen"
    nav_kontor: str | None = None


class NavFrist(EventData):
    """Something NAV asked for, and by when."""

    frist: Dato | None = None
    status: str | None = None
    gjelder: Literal["egen", "foresatt"] = "egen"


class Undring(EventData):
    """A concern registered: BTI level 0 (clarified) to 3 (several services, coordinated), and the date of the next
    step when one is agreed."""

    bti_niva: int = Field(ge=0, le=3)
    neste_steg: Dato | None = None


class Henvisning(EventData):
    """A referral to `mottaker` (a service, never a person), and when answered its outcome."""

    mottaker: str | None = None
    utfall: Literal["mottatt", "avslatt", "videresendt"] | None = None


class Bekymringsmelding(EventData):
    """A report to barnevernet, for barnevernet alone: it goes by a lane of its own, past consent, queues and every
    approval, and never on a timeline. `saksinnhold` are SSB's codes; `orientert` whether they have been told."""

    beskrivelse: str = Field(min_length=1)
    saksinnhold: tuple[str, ...] = ()
    barn_orientert: bool | None = None
    foresatte_orientert: bool | None = None
    ufodt: bool = False


class Medvirkning(EventData):
    """The child was heard: the form it took; no content."""

    form: str | None = None


class Overgang(EventData):
    """A transition between services, sides or ages: from where, to where, and the date it takes effect."""

    slag: Literal[
        "barnehage-skole", "skole-vgs", "skole-nav", "sykehus-kommune", "kommune-kommune", "omsorg-ettervern"
    ]
    fra: str | None = None
    til: str | None = None
    dato: Dato | None = None


class TjenesteTildelt(EventData):
    """A service granted to the family: avlastning, støttekontakt, miljøterapi …"""

    slag: str


class Lag(EventData):
    """The roles around the child; roles only."""

    roller: tuple[str, ...] = ()


class SamtykkeData(EventData):
    """A consent as the rules need it: whose information, to whom, about what categories, and from when until when
    (RFC 3339 with an offset; `utloper` None: until withdrawn)."""

    fra_tjeneste: str
    til_tjenester: tuple[str, ...]
    kategorier: tuple[str, ...]
    gyldig_fra: str
    utloper: str | None = None


class Identitet(EventData):
    """Two subjects are the same child (or no longer)."""

    annen_subject: str


class Fodselsdag(EventData):
    """An age that rights hang on was reached; `alder` in whole years."""

    alder: int = Field(ge=0, le=25)


class Plikt(EventData):
    """A duty arose or fell away: its id, the rule that says so and the provisions (ids of the law table)."""

    plikt: str
    regel: str
    bestemmelser: tuple[str, ...] = ()


class Oppgave(EventData):
    """A samarbeidsplikt task's step. `eier` holds it after the step, `frist` is a date, `fristslag` says whether law
    sets it. `aktor` is the service or unit that acted, where somebody did; never a person."""

    oppgave: str
    regel: str
    eier: str
    frist: Dato | None = None
    fristslag: Literal["lovfrist", "lokal_frist"] | None = None
    aktor: Kode = None


class Oppgaveflyt(Oppgave):
    """A task on its way to another owner: offered `til` a service, `svar_innen` is the last Norwegian date to answer,
    and the code of why it was refused or raised."""

    til: str | None = None
    grunn: Kode = None
    svar_innen: Dato | None = None


class Stafett(EventData):
    """Who holds the baton for the child: offered by `fra` to `til` (services); `fra` keeps it until `til` has
    accepted. `grunn` is the code of a refusal, `aktor` the service or unit that acted (nobody: time did, or a rule)."""

    fra: str
    til: str
    grunn: Kode = None
    svar_innen: Dato | None = None
    aktor: Kode = None


class Varsel(EventData):
    """An alert's delivery: its stable id, the subscription it went to (never a person's name or address) and the id
    of the event or task it tells of."""

    varsel: str
    abonnement: str
    gjelder: str | None = None
    kanal: Literal["sse", "webhook", "epost"] | None = None


class FamilieTilbakemelding(EventData):
    """The family's word on whether help worked, before or after: five measures, 1 (not at all) to 5 (very much)."""

    tidspunkt: Literal["for", "etter"]
    nytte: int = Field(ge=1, le=5)
    virkning: int = Field(ge=1, le=5)
    tillit: int = Field(ge=1, le=5)
    medvirkning: int = Field(ge=1, le=5)
    hjelpernes_kunnskap: int = Field(ge=1, le=5)


def _of(*tjenester: str) -> frozenset[str]:
    return frozenset(tjenester)


SKOLE, HELSE, BARNEVERN, NAV = _of("skole"), _of("helsestasjon"), _of("barnevern"), _of("nav")
BEHOV = _of("helsestasjon", "helse", "koordinerende-enhet")
ENHET = _of("koordinerende-enhet")

STANDARD: tuple[EventType, ...] = (
    EventType("elevforhold.startet", SKOLE, "skolegang", N, U, PLUSS, Elevforhold),
    EventType("elevforhold.avsluttet", SKOLE, "skolegang", N, U, MINUS, Elevforhold),
    EventType("fravaer.terskel-passert", SKOLE, "fravar", T, S, LIK, FravaerTerskel, egen_plikt=True),
    EventType("skolemiljo.meldt", SKOLE, "skolemiljo", T, I, PLUSS, Sak, egen_plikt=True),
    EventType("skolemiljo.plan-opprettet", SKOLE, "skolemiljo", T, I, LIK, Sak, egen_plikt=True),
    EventType("skolemiljo.evaluert", SKOLE, "skolemiljo", T, I, LIK, Sak, egen_plikt=True),
    EventType("skolemiljo.avsluttet", SKOLE, "skolemiljo", T, I, MINUS, Sak, egen_plikt=True),
    EventType("ppt.henvist", SKOLE, "tilrettelegging", T, I, PLUSS, Sak),
    EventType("sakkyndig-vurdering.mottatt", SKOLE, "tilrettelegging", T, I, LIK, Sak),
    EventType("ito.vedtak", SKOLE, "tilrettelegging", T, I, LIK, Sak),
    EventType("oppfolgingstjenesten.tilmeldt", SKOLE, "skolegang", T, S, PLUSS, Tom),
    EventType("oppfolgingstjenesten.avsluttet", SKOLE, "skolegang", T, S, MINUS, Tom),
    EventType("konsultasjon.gjennomfort", HELSE, "helseprogram", H, U, LIK, Konsultasjon),
    EventType("konsultasjon.ikke-mott", HELSE, "helseprogram", H, U, LIK, Konsultasjon),
    EventType("skolestartundersokelse.gjennomfort", HELSE, "helseprogram", H, U, LIK, Konsultasjon),
    EventType("atte-trinnssamtale.gjennomfort", HELSE, "helseprogram", H, U, LIK, Konsultasjon),
    EventType("oppfolging.utvidet", HELSE, "helseoppfolging", H, I, PLUSS, Sak),
    EventType("oppfolging.avsluttet", HELSE, "helseoppfolging", H, I, MINUS, Sak),
    EventType("journal.overfort", HELSE, "overgang", T, U, INGEN, JournalOverfort),
    EventType("behov.meldt", BEHOV, "koordinering", H, I, PLUSS, BehovMeldt, egen_plikt=True),
    EventType("barnekoordinator.vurdert", ENHET, "koordinering", T, I, LIK, Oppnevnt, egen_plikt=True),
    EventType("barnekoordinator.oppnevnt", ENHET, "koordinering", T, I, LIK, Oppnevnt, egen_plikt=True),
    EventType("barnekoordinator.avslatt", ENHET, "koordinering", T, I, LIK, Oppnevnt, egen_plikt=True),
    EventType("koordinator.oppnevnt", ENHET, "koordinering", T, I, LIK, Oppnevnt, egen_plikt=True),
    EventType("individuell-plan.tilbudt", ENHET, "koordinering", T, I, LIK, Tom, egen_plikt=True),
    EventType("individuell-plan.takket-nei", ENHET, "koordinering", T, I, LIK, Tom, egen_plikt=True),
    EventType("individuell-plan.opprettet", ENHET, "koordinering", T, I, LIK, Tom, egen_plikt=True),
    EventType("individuell-plan.evaluert", ENHET, "koordinering", T, I, LIK, Tom, egen_plikt=True),
    EventType("henvendelse.mottatt", BARNEVERN, "barnevern", X, I, PLUSS, Henvendelse, egen_plikt=True),
    EventType("henvendelse.konkludert", BARNEVERN, "barnevern", X, I, LIK, Konklusjon, egen_plikt=True),
    EventType("tilbakemelding.sendt", BARNEVERN, "barnevern", X, I, LIK, Tilbakemelding, egen_plikt=True),
    EventType("undersokelse.startet", BARNEVERN, "barnevern", X, I, LIK, Undersokelse, egen_plikt=True),
    EventType("undersokelse.frist-utvidet", BARNEVERN, "barnevern", X, I, LIK, Undersokelse, egen_plikt=True),
    EventType("undersokelse.konkludert", BARNEVERN, "barnevern", X, I, LIK, Konklusjon, egen_plikt=True),
    EventType("tiltak.iverksatt", BARNEVERN, "barnevern", X, I, LIK, Tiltak, egen_plikt=True),
    EventType("tiltak.evaluert", BARNEVERN, "barnevern", X, I, LIK, Tiltak, egen_plikt=True),
    EventType("tiltak.avsluttet", BARNEVERN, "barnevern", X, I, LIK, Tiltak, egen_plikt=True),
    EventType("plan.opprettet", BARNEVERN, "barnevern", X, I, LIK, Plan, egen_plikt=True),
    EventType("vedtak.fattet", BARNEVERN, "barnevern", X, I, LIK, Vedtak, egen_plikt=True),
    EventType("flytting", BARNEVERN, "barnevern", X, I, LIK, Flytting, egen_plikt=True),
    EventType("ettervern.tilbudt", BARNEVERN, "barnevern", X, I, LIK, Tom, egen_plikt=True),
    EventType("ettervern.konkludert", BARNEVERN, "barnevern", X, I, LIK, Konklusjon, egen_plikt=True),
    EventType("nav-kontor.tildelt", NAV, "nav-sosial", T, I, LIK, NavStatus),
    EventType("soknad.status-endret", NAV, "nav-sosial", T, I, PLUSS, NavStatus),
    EventType("sak.status-endret", NAV, "nav-sosial", T, I, LIK, NavStatus),
    EventType("sak.avsluttet", NAV, "nav-sosial", T, I, MINUS, NavStatus),
    EventType("vedtak.fattet", NAV, "nav-sosial", T, I, LIK, NavStatus),
    EventType("dokumentasjon.etterspurt", NAV, "nav-sosial", T, I, LIK, NavFrist),
    EventType("forelopig-svar.gitt", NAV, "nav-sosial", T, I, LIK, NavStatus),
    EventType("vilkar.satt", NAV, "nav-sosial", T, I, LIK, NavFrist),
    EventType("oppfolging.startet", NAV, "nav-oppfolging", T, I, PLUSS, Tom),
    EventType("oppfolging.avsluttet", NAV, "nav-oppfolging", T, I, MINUS, Tom),
    EventType("kontaktperson.tildelt", NAV, "nav-oppfolging", T, I, LIK, Tom),
    EventType("aktivitet.endret", NAV, "nav-oppfolging", T, I, LIK, NavStatus),
    EventType("undring.registrert", None, "bekymring", T, S, PLUSS, Undring, egen_plikt=True),
    EventType("henvisning.sendt", None, "henvisning", T, I, LIK, Henvisning, egen_plikt=True),
    EventType("henvisning.besvart", None, "henvisning", T, I, LIK, Henvisning, egen_plikt=True),
    EventType(
        "bekymringsmelding.sendt", None, "barnevern", X, None, INGEN, Bekymringsmelding, egen_kanal=True
    ),
    EventType("medvirkning.gjennomfort", None, "medvirkning", T, None, INGEN, Medvirkning),
    EventType("overgang.planlagt", None, "overgang", N, None, INGEN, Overgang),
    EventType("overgang.mottak-bekreftet", None, "overgang", N, None, INGEN, Overgang),
    EventType("tjeneste.innvilget", None, "tjeneste", T, I, PLUSS, TjenesteTildelt),
    EventType("tjeneste.avsluttet", None, "tjeneste", T, I, MINUS, TjenesteTildelt),
    EventType("lag.endret", None, "koordinering", T, None, LIK, Lag),
    EventType("samarbeid.avsluttet", None, "koordinering", T, None, ALLE_LUKKES, Tom, egen_plikt=True),
    EventType("tilbakemelding.gitt", _of("familie"), "medvirkning", T, None, INGEN, FamilieTilbakemelding),
    *(
        EventType(f"samtykke.{steg}", _of("samtykke"), "samtykke", N, None, INGEN, SamtykkeData)
        for steg in ("gitt", "trukket", "utlopt", "avslatt")
    ),
    EventType("overgang.planlagt", _of("samtykke"), "overgang", N, None, INGEN, Overgang),
    EventType("overgang.mottak-bekreftet", _of("samtykke"), "overgang", N, None, INGEN, Overgang),
    EventType("identitet.koblet", _of("samtykke"), "identitet", N, None, INGEN, Identitet),
    EventType("identitet.frakoblet", _of("samtykke"), "identitet", N, None, INGEN, Identitet),
    EventType("kontekst.fodselsdag-passert", _of("samtykke"), "identitet", N, None, INGEN, Fodselsdag),
    *(
        EventType(navn, _of("samordning"), "koordinering", T, None, INGEN, data, egen_plikt=True)
        for navn, data in (
            ("plikt.utlost", Plikt),
            ("plikt.bortfalt", Plikt),
            ("oppgave.opprettet", Oppgave),
            ("oppgave.tilbudt", Oppgaveflyt),
            ("oppgave.overtatt", Oppgaveflyt),
            ("oppgave.utfort", Oppgave),
            ("oppgave.avvist", Oppgaveflyt),
            ("oppgave.eskalert", Oppgaveflyt),
            ("oppgave.bortfalt", Oppgave),
            ("stafett.tilbudt", Stafett),
            ("stafett.mottatt", Stafett),
            ("stafett.avslatt", Stafett),
            ("varsel.sendt", Varsel),
            ("varsel.kvittert", Varsel),
            ("varsel.bortfalt", Varsel),
        )
    ),
)
