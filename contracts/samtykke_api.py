"""What is said to and answered by samtykke over its internal HTTP API, as JSON.

Bodies are plain dictionaries on both sides, so that a call with thousands of items builds no objects: the
server validates the bytes with a `TypeAdapter`, the client passes dictionaries to orjson. Ids of subjects,
keys and consents are lower-case UUID strings, keys are base64 of 32 bytes, times are RFC 3339 with an
offset (`orjson` writes an aware `datetime` so).
"""

from typing import Annotated, Literal, NotRequired

from pydantic import AwareDatetime, ConfigDict, StringConstraints, with_config
from typing_extensions import TypedDict

from contracts.tidsrom import Dato, Tidspunkt

Uuid = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
Kommune = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
Orgnr = Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")]
Navn = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Kode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,99}$")]

Utfall = Literal["release", "shield", "withhold", "refuse"]
Tilgang = Literal["full", "status", "metadata", "deny"]
Slag = Literal["hendelse", "oppgave", "barn", "lesing", "tall"]
Sporsmal = Literal["adgang", "taushetsplikt", "behandlingsgrunnlag"]
Familierolle = Literal["barn", "forelder", "verge"]
Skjermingsklasse = Literal["N", "T", "H", "X"]
Personstatus = Literal["aktiv", "sperret", "slettet"]
Samtykkestatus = Literal["venter", "gitt", "avslatt", "trukket", "utlopt"]
"""`venter`: one parent has consented to what takes both."""
Samtykkesteg = Literal[
    "venter", "gitt", "tiltradt", "avslatt", "trukket", "gitt-igjen", "erstattet", "innsnevret", "utlopt"
]
"""The steps of the ledger. `innsnevret`: some categories lapsed on a birthday; `erstattet`: superseded by others."""
Slettestatus = Literal["foreslatt", "godkjent", "fullfort", "forkastet"]
Samtykkegiver = Literal["selv", "forelder", "begge-foreldre", "verge"]
Koordinatorrolle = Literal["koordinator", "barnekoordinator"]

KOORDINATOR = "koordinator"
"""The recipient a consent names in `til_tjenester` to let the child's own coordinator read; it is no
service.
"""

FORESATT = "foresatt"
"""The recipient that a child's own consent names to let its guardians read what its age keeps from them."""

_wire = with_config(ConfigDict(strict=True, extra="forbid"))


@_wire
class Grunn(TypedDict):
    """One machine-readable reason: a code of ours, the provision and law-table version, the consent it
    rests on.

    `sporsmal` is the question it answers: whether this can be decided at all (adgang), whether secrecy is kept or
    lifted (taushetsplikt), on which GDPR basis it is processed (behandlingsgrunnlag). The first reason of a decision
    decided it and has what was looked at in `inndata`. Reasons written before these two lack them.
    """

    kode: str
    bestemmelse: str | None
    lovversjon: str | None
    samtykke: str | None
    sporsmal: NotRequired[Sporsmal]
    inndata: NotRequired[dict[str, str | int | bool | None]]


# The publish gate: POST /samtykke/avgjorelser


@_wire
class AvgjorelseItem(TypedDict):
    """Exactly one of `person` (national id), `sak` (case id of `orgnr`, when no number is known) and
    `subject`. `flytting`: the event confirms that a child who moved here is received (its content says so, which the
    gate does not see).
    """

    ref: int
    person: str | None
    sak: str | None
    subject: Uuid | None
    kommune: Kommune
    orgnr: Orgnr
    type: str
    time: AwareDatetime
    flytting: NotRequired[bool]


@_wire
class AvgjorelserInn(TypedDict):
    """A relay's batch of one service; `ref` is the caller's own and comes back."""

    tjeneste: Kode
    items: list[AvgjorelseItem]


@_wire
class Avgjorelse(TypedDict):
    """`subject`, `nokkelid` and `nokkel` are null when refused; a withheld row is given its key all the
    same.
    """

    ref: int
    outcome: Utfall
    subject: str | None
    nokkelid: str | None
    nokkel: str | None
    grunnlag: str | None
    lovversjon: str | None
    grunner: list[Grunn]


@_wire
class AvgjorelserUt(TypedDict):
    items: list[Avgjorelse]


# Keys in bulk for the coordination consumer: POST /samtykke/nokler


@_wire
class NokkelItem(TypedDict):
    subject: Uuid
    nokkelider: list[Uuid]


@_wire
class NoklerInn(TypedDict):
    formal: Literal["samordning"]
    items: list[NokkelItem]


@_wire
class Nokkel(TypedDict):
    nokkelid: str
    nokkel: str


@_wire
class NokkelSvar(TypedDict):
    """A blocked or erased child has no keys here, and `samordning` (the fact set's key) is null. `koblet` is there for
    a child that has several subjects: all of them, the canonical one first.
    """

    subject: str
    status: Personstatus
    nokler: dict[str, str]
    samordning: Nokkel | None
    koblet: NotRequired[list[str]]


@_wire
class NoklerUt(TypedDict):
    items: list[NokkelSvar]


# The change feed: GET /samtykke/endringer?etter=N&ventetid_s=S


@_wire
class EndringerUt(TypedDict):
    """Subjects to ask about again; pass `siste` as the next `etter`."""

    siste: int
    subjects: list[str]


# The read gate: POST /samtykke/lesinger


@with_config(ConfigDict(strict=True, extra="ignore"))
class Viewer(TypedDict):
    """The reader, as her token names her: the JSON of backbone.tokens.Principal, which may grow."""

    sub: str
    rolle: str
    orgnr: str
    kommune: str
    tjeneste: NotRequired[str | None]
    skjermet: NotRequired[bool]
    navn: NotRequired[str | None]


@_wire
class Hvilegrunn(TypedDict):
    """A fact a task rests on."""

    tjeneste: str
    kategori: str
    skjerming: Skjermingsklasse


@_wire
class LesingItem(TypedDict):
    """One thing somebody wants to see.

    `koordinering` says that the task, or for an event or a child page any open need or duty of the child,
    is about naming a coordinator or making a plan. `eier`, `regel` and `hviler_pa` belong to tasks; of a reading
    (`slag` lesing) `eier` is the service that read and `hviler_pa` what it read.
    `ingen_undersokelse` says that the caller has seen that none goes on (contracts.innsyn); without it the gate
    takes it that one does. `nokkelid` names the key to hand out with a "full"; null asks for none. `hendelse` is the
    event's or task's id, for the ledger.
    """

    ref: int
    subject: Uuid
    slag: Slag
    type: str
    tjeneste: str
    kategori: str
    skjerming: Skjermingsklasse
    nokkelid: Uuid | None
    kommune: str
    eier: NotRequired[str | None]
    regel: NotRequired[str | None]
    koordinering: NotRequired[bool]
    ingen_undersokelse: NotRequired[bool]
    hviler_pa: NotRequired[list[Hvilegrunn]]
    hendelse: NotRequired[str]


@_wire
class LesingerInn(TypedDict):
    viewer: Viewer
    formal: Navn
    items: list[LesingItem]
    sporing: NotRequired[str | None]  # W3C trace id, for the access log


@_wire
class Lesing(TypedDict):
    """`nokkel` is there with "full" alone. A revisor's "metadata" with the reason "skjermet" hides the type
    too. `vilkar` are what whoever opens the seal must still do (contracts.tilgang.Vilkar, contracts.innsyn).
    """

    ref: int
    tilgang: Tilgang
    grunner: list[Grunn]
    nokkel: str | None
    vilkar: NotRequired[list[str]]


@_wire
class LesingerUt(TypedDict):
    items: list[Lesing]


# Identity: /samtykke/personer, /samtykke/navn, /samtykke/sok


@_wire
class PersonInn(TypedDict):
    person: str
    kommune: Kommune
    navn: Navn
    adressebeskyttelse: NotRequired[bool]


@_wire
class PersonUt(TypedDict):
    subject: str


@_wire
class NavnInn(TypedDict):
    """What the caller knows of every one of these children: `koordinering`, an open need or duty about a
    coordinator (see LesingItem); `oppgave`, an open task that the viewer's own service owns.
    """

    viewer: Viewer
    subjects: list[Uuid]
    koordinering: NotRequired[bool]
    oppgave: NotRequired[bool]


@_wire
class NavnUt(TypedDict):
    """Only children the viewer may open and whose name is known."""

    navn: dict[str, str]


@_wire
class SokInn(TypedDict):
    """Exactly one of `person` and `navn`."""

    viewer: Viewer
    person: NotRequired[str]
    navn: NotRequired[Navn]


@_wire
class SokUt(TypedDict):
    subjects: list[str]


# Consents: /samtykke/samtykker


@_wire
class SamtykkeInn(TypedDict):
    """A consent (or, at `/avslag`, a refusal) as it was given; exactly one of `person` and `subject`.

    The same `id` again with the same content changes nothing, with another content replaces what stood
    there. `giver` is whoever consents, by the `sub` of her token or the sender's own lasting word for her; it must be
    there for one parent's consent to what takes both (contracts.alder), unless she has parental responsibility
    `alene`. The family's own token says who it is.
    """

    id: NotRequired[Uuid]
    person: NotRequired[str]
    subject: NotRequired[Uuid]
    kommune: Kommune
    hvem: Samtykkegiver
    fra_tjeneste: Kode
    til_tjenester: list[Kode]
    kategorier: list[Kode]
    formal: Navn
    gyldig_fra: Tidspunkt
    utloper: Tidspunkt | None
    barnets_syn: NotRequired[Literal["enig", "uenig", "ikke-spurt", "for-ung"]]
    metode: NotRequired[Navn]
    tekstversjon: NotRequired[Navn]
    sprak: NotRequired[Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]]
    bevis_sha256: NotRequired[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]]
    rettsgrunnlag: NotRequired[Kode]
    giver: NotRequired[Navn]
    foreldreansvar: NotRequired[Literal["felles", "alene"]]


@_wire
class TiltreInn(TypedDict):
    """The other parent's consent, at `/samtykker/{id}/tiltre`. `giver` as in SamtykkeInn."""

    giver: NotRequired[Navn]


@_wire
class SamtykkeUt(TypedDict):
    """`sekvens` is the number of the ledger entry, 1 for the first; the event's `versjon` is the same
    number.
    """

    samtykke: str
    subject: str
    status: Samtykkestatus
    sekvens: int


@_wire
class Samtykke(TypedDict):
    """A consent as it stands now."""

    samtykke: str
    subject: str
    kommune: str
    status: Samtykkestatus
    sekvens: int
    hvem: Samtykkegiver
    fra_tjeneste: str
    til_tjenester: list[str]
    kategorier: list[str]
    formal: str
    gyldig_fra: AwareDatetime
    utloper: AwareDatetime | None
    endret: AwareDatetime
    barnets_syn: NotRequired[str]
    metode: NotRequired[str]
    tekstversjon: NotRequired[str]
    sprak: NotRequired[str]
    bevis_sha256: NotRequired[str]
    rettsgrunnlag: NotRequired[str]


@_wire
class Samtykkehendelse(TypedDict):
    """One step of a consent's ledger."""

    sekvens: int
    steg: Samtykkesteg
    kategorier: list[str]
    utloper: AwareDatetime | None
    aktor: str
    tid: AwareDatetime


@_wire
class HistorikkUt(TypedDict):
    historikk: list[Samtykkehendelse]


@_wire
class SamtykkerUt(TypedDict):
    samtykker: list[Samtykke]


# Who coordinates whom: POST and DELETE /samtykke/tildelinger


@_wire
class TildelingInn(TypedDict):
    """`koordinator` is the `sub` of her token; exactly one of `person` and `subject`."""

    person: NotRequired[str]
    subject: NotRequired[Uuid]
    kommune: Kommune
    koordinator: Navn
    rolle: Koordinatorrolle


@_wire
class TildelingUt(TypedDict):
    subject: str


@_wire
class TildelingerUt(TypedDict):
    """The children a coordinator is assigned to; what she may see of each is for the read gate."""

    subjects: list[str]


@_wire
class SamtykkelesingInn(TypedDict):
    """POST /samtykke/samtykker/lesing: the child's consents as `viewer` may see them, logged as a read."""

    viewer: Viewer
    subject: Uuid
    koordinering: NotRequired[bool]
    oppgave: NotRequired[bool]


# Who is whose: POST and DELETE /samtykke/familie, GET /samtykke/familie?bruker=


@_wire
class FamilieInn(TypedDict):
    """`bruker` is the `sub` of the token of the child itself or of a guardian; one of `person` and `subject`."""

    person: NotRequired[str]
    subject: NotRequired[Uuid]
    kommune: Kommune
    bruker: Navn
    rolle: Familierolle


@_wire
class FamilieUt(TypedDict):
    subject: str


@_wire
class FamiliebarnUt(TypedDict):
    """Subjects of the children that a user belongs to."""

    subjects: list[str]


# What a family is told of others' reading: POST /samtykke/innsyn


@_wire
class Settlest(TypedDict):
    """An event or a task, and its type: what the ledger has of a reading of it."""

    id: Navn
    type: str


@_wire
class InnsynInn(TypedDict):
    """The child's own right to know, or its guardian's; `ingen_undersokelse` as in LesingItem. `sett` are the events
    and tasks that the viewer is shown in full, which only whoever opens the seals knows: of no other is a reading told.
    """

    viewer: Viewer
    subject: Uuid
    ingen_undersokelse: NotRequired[bool]
    sett: NotRequired[list[Settlest]]


@_wire
class Innsynslesing(TypedDict):
    """Somebody's reading within one minute: the role and the service, never who. `utfall` is what she got ("full",
    "status", "metadata") or that she was denied; `kategorier` of what, empty for the child as such.
    """

    tid: AwareDatetime
    rolle: str
    tjeneste: str | None
    formal: str
    utfall: Tilgang
    kategorier: list[str]


@_wire
class InnsynUt(TypedDict):
    """The newest first. `flere`: there are older ones that are not here."""

    lesinger: list[Innsynslesing]
    flere: bool


# Who is the same child: POST and DELETE /samtykke/koblinger


@_wire
class FlyttingInn(TypedDict):
    """POST /samtykke/flyttinger: a child of `kommune` moves to `til_kommune`; one of `person` and `subject`.

    `overgang` is the natural key of the sender's `overgang.planlagt`, `mottaker` the service that is to receive the
    child (the sender's own kind where none is named; the coordinating unit in place of a shielded one, whose name there
    would tell of the connection), `dato` the day. `samtykker` are the family's consents that say what goes over, at
    least one, each in force.
    """

    person: NotRequired[str]
    subject: NotRequired[Uuid]
    kommune: Kommune
    til_kommune: Kommune
    overgang: Navn
    mottaker: NotRequired[Kode]
    dato: NotRequired[Dato | None]
    samtykker: list[Uuid]


@_wire
class FlyttingUt(TypedDict):
    """Nothing of the new place: the old one is not to know the child's id there."""

    overgang: str


@_wire
class KoblingInn(TypedDict):
    """The case (`sak` of the caller's own organisation, or of `orgnr`, which our own processes alone may name) or the
    `subject` that turns out to be the child `person` or `til`. To part, `person` and `til` are left out.
    """

    kommune: Kommune
    sak: NotRequired[Navn]
    orgnr: NotRequired[Orgnr]
    subject: NotRequired[Uuid]
    person: NotRequired[str]
    til: NotRequired[Uuid]


@_wire
class KoblingUt(TypedDict):
    """`kanonisk` stands for the child from now on; `koblet` are all of the child's subjects, one when alone."""

    subject: str
    kanonisk: str
    koblet: list[str]


# Blocking: POST /samtykke/sperringer. Erasure: /samtykke/slettinger


@_wire
class SperringInn(TypedDict):
    """Exactly one of `person` and `subject`. `sperret` false lifts the blocking; `grunn` is a code for the ledger."""

    person: NotRequired[str]
    subject: NotRequired[Uuid]
    kommune: Kommune
    sperret: bool
    grunn: Kode


@_wire
class SperringUt(TypedDict):
    subject: str
    status: Personstatus


@_wire
class SlettingInn(TypedDict):
    """Exactly one of `person` and `subject`. `beslutning` is the reference of the decision that allows it, as in the
    municipality's own archive, never a person's number.
    """

    person: NotRequired[str]
    subject: NotRequired[Uuid]
    kommune: Kommune
    beslutning: Annotated[str, StringConstraints(pattern=r"^[\p{L}0-9][\p{L}0-9./:_-]{0,99}$")]


@_wire
class Sletting(TypedDict):
    """`gjenstar`: who has not yet said that it has forgotten the child; empty once `status` is "fullfort"."""

    sletting: str
    subjects: list[str]
    status: Slettestatus
    beslutning: str
    foreslatt_av: str
    godkjent_av: str | None
    gjenstar: list[str]


@_wire
class Glemsel(TypedDict):
    """What a part is to forget. `personer`: every number that the child is known by here (a D-number and, later, a
    fødselsnummer); none where only cases are known."""

    sletting: str
    subjects: list[str]
    personer: list[str]


@_wire
class GlemslerUt(TypedDict):
    """Approved erasures that `mottaker` has not yet carried out: GET /samtykke/slettinger?mottaker=…"""

    items: list[Glemsel]


@_wire
class GlemtInn(TypedDict):
    """POST /samtykke/slettinger/{id}/kvittering: the part has forgotten the child."""

    mottaker: Kode
