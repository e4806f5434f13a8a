"""SSB Barnevern v4 as a table: each element's attributes and children, in order, with how often they come."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.barnevern.ssb import koder
from services.barnevern.ssb.verdier import Boolsk, Dato, Koder, Tekst, Tidspunkt, Verdi

MANY = 2**31


@dataclass(frozen=True)
class Element:
    """`attributes`: value and whether it must be there. `content`: children in order, a value, or () for none.

    `type_name` is the type that a file may repeat by `xsi:type`; `unique` names what tells the children of one
    name apart.
    """

    attributes: Mapping[str, tuple[Verdi, bool]] = field(default_factory=dict)
    content: "tuple[Child, ...] | Verdi" = ()
    type_name: str | None = None
    unique: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    required: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "required", frozenset(n for n, (_, must) in self.attributes.items() if must))


@dataclass(frozen=True)
class Child:
    name: str
    element: Element
    least: int
    most: int


def one(name: str, element: Element) -> Child:
    return Child(name, element, 1, 1)


def maybe(name: str, element: Element, most: int = 1) -> Child:
    return Child(name, element, 0, most)


def some(name: str, element: Element) -> Child:
    return Child(name, element, 1, MANY)


def many(name: str, element: Element) -> Child:
    return Child(name, element, 0, MANY)


XSD = "{http://www.w3.org/2001/XMLSchema}"
UUID = Tekst(
    36, 36, "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
)
REFERANSE = Tekst(1, 36)
PRESISERING = (Tekst(1, 10_000), False)
DATO, BOOLSK = Dato(), Boolsk()

Attributes = Mapping[str, tuple[Verdi, bool]]
ID: Attributes = {"Id": (UUID, True)}
START: Attributes = {"StartDato": (DATO, True)}
SLUTT: Attributes = {"SluttDato": (DATO, True)}
UTFORT: Attributes = {"UtfortDato": (DATO, True)}
SLETTBAR: Attributes = {"ErSlettet": (BOOLSK, False)}
TING: Attributes = {**ID, "MigrertId": (REFERANSE, False), **SLETTBAR}  # what most things of a case have


def _digits(count: int) -> Tekst:
    return Tekst(count, count, rf"\d{{{count}}}")


def _coded(codes: Koder, type_name: str | None = None) -> Element:
    return Element({"Kode": (codes, True), "Presisering": PRESISERING}, (), type_name)


def _ended(**more: tuple[Verdi, bool]) -> Child:
    return maybe("Konklusjon", Element({**SLUTT, **more}))


def _text(least: int, most: int, pattern: str) -> Element:
    return Element(content=Tekst(least, most, pattern))


FAGSYSTEM = Element(
    {
        "Leverandor": (Tekst(3, 300), True),
        "Navn": (Tekst(1, 300), True),
        "Versjon": (Tekst(1, 100), True),
    },
    type_name="FagsystemType",
)
AVGIVER = Element(
    {
        "Organisasjonsnummer": (_digits(9), True),
        "Kommunenummer": (_digits(4), True),
        "Kommunenavn": (Tekst(1, 250), True),
        "Bydelsnummer": (_digits(2), False),
        "Bydelsnavn": (Tekst(1, 250), False),
    },
    type_name="AvgiverType",
)
PERSONALIA = Element(
    {
        **ID,
        **START,
        "Fodselsnummer": (_digits(11), True),
        "Fodseldato": (DATO, True),
        "Kjonn": (koder.KJONN, True),
        "DUFnummer": (_digits(12), False),
        **SLETTBAR,
    }
)
INNHOLD = _coded(koder.SAKSINNHOLD, "SaksinnholdType")
MELDING = Element(
    {**TING, **START},
    (
        many("Melder", _coded(koder.MELDER, "MelderType")),
        many("Saksinnhold", INNHOLD),
        _ended(Kode=(koder.MELDING_KONKLUSJON, True), ErSlettet=(BOOLSK, False)),
    ),
    "MeldingType",
)
UNDERSOKELSE = Element(
    {**TING, **START},
    (
        many("Vedtaksgrunnlag", INNHOLD),
        maybe(
            "BarnetsMedvirkning",
            Element(
                content=(
                    one("StartDato", Element(content=DATO, type_name=f"{XSD}date")),
                    one("MedvirkningType", Element(content=koder.MEDVIRKNING)),
                ),
                type_name="BarnetsMedvirkningType",
            ),
        ),
        maybe("UtvidetFrist", Element({**START, "Innvilget": (koder.INNVILGET, False)})),
        _ended(Kode=(koder.UNDERSOKELSE_KONKLUSJON, True), Presisering=PRESISERING),
    ),
    "UndersokelseType",
)
PLAN = Element(
    {**TING, **START, "Plantype": (koder.PLANTYPE, True)},
    (many("Evaluering", Element(UTFORT)), _ended()),
    "PlanType",
)
LOVHJEMMEL = Element(
    content=(
        one("Lov", Element(content=koder.LOV)),
        one("Kapittel", _text(1, 3, r"\d+[a-z]*")),
        one("Paragraf", _text(1, 4, r"\d+[a-z]*")),
        many("Ledd", _text(1, 3, r"\d+")),
        many("Bokstav", _text(1, 1, "[a-z]")),
        many("Punktum", _text(1, 3, r"\d+")),
    ),
    type_name="LovhjemmelType",
)
HJEMLER = (one("Lovhjemmel", LOVHJEMMEL), maybe("JmfrLovhjemmel", LOVHJEMMEL, 3))
TILSYN = Element(
    content=(
        some(
            "Ansvarlig",
            Element({**ID, **START, "Kommunenummer": (_digits(4), True)}, (), "TilsynAnsvarligType"),
        ),
        some(
            "Hyppighet", Element({**ID, **START, "Kode": (koder.HYPPIGHET, True)}, (), "TilsynHyppighetType")
        ),
        many("Utfort", Element({**ID, **UTFORT}, (), "TilsynUtfortType")),
    ),
    type_name="TilsynType",
)
OPPFOLGING = Element(
    content=(
        some(
            "Hyppighet",
            Element({**ID, **START, "Kode": (koder.HYPPIGHET, True)}, (), "OppfolgingHyppighetType"),
        ),
        many("Utfort", Element({**ID, **UTFORT}, (), "OppfolgingUtfortType")),
    ),
    type_name="OppfolgingType",
)
TILTAK = Element(
    {**TING, **START},
    (
        *HJEMLER,
        one("Kategori", _coded(koder.KATEGORI, "KategoriType")),
        many("Tiltaksgrunnlag", INNHOLD),
        maybe("Tilsyn", TILSYN),
        maybe("Oppfolging", OPPFOLGING),
        maybe("Opphevelse", _coded(koder.OPPHEVELSE, "OpphevelseType")),
        _ended(),
    ),
    "TiltakType",
)
KRAV = Element(
    {**ID, **START},
    (_ended(Kode=(koder.KRAV_KONKLUSJON, True), Presisering=PRESISERING),),
    "OversendelsePrivatKravType",
)
VEDTAK = Element(
    {**TING, **START},
    (
        *HJEMLER,
        many("Krav", KRAV),
        some("Status", Element({**ID, "EndretDato": (DATO, True), "Kode": (koder.VEDTAK_STATUS, True)})),
        _ended(),
    ),
    "VedtakType",
)
ETTERVERN = Element(
    {**TING, "TilbudSendtDato": (DATO, True)},
    (_ended(Kode=(koder.ETTERVERN_KONKLUSJON, True)),),
    "EttervernType",
)
OVERSENDELSE = Element({**TING, **START}, HJEMLER, "OversendelseBarneverntjenesteType")
FLYTTING = Element(
    {**TING, **SLUTT},
    (
        one("ArsakFra", _coded(koder.ARSAK_FRA, "ArsakFraType")),
        one("FlyttingTil", _coded(koder.FLYTTING_TIL, "FlyttingTilType")),
    ),
    "FlyttingType",
)
RELASJON = Element(
    {
        **ID,
        "FraId": (Tekst(1, 50), True),
        "FraType": (koder.BEGREP, True),
        "TilId": (UUID, True),
        "TilType": (koder.BEGREP, True),
        **SLETTBAR,
    },
    type_name="RelasjonType",
)
SLETTET = Element({**ID, "Type": (koder.BEGREP, True), **SLUTT})
SAK = Element(
    {
        **TING,
        **START,
        "SluttDato": (DATO, False),
        "Journalnummer": (REFERANSE, True),
        "Avsluttet": (BOOLSK, False),
    },
    (
        many("Personalia", PERSONALIA),
        many("Melding", MELDING),
        many("Undersokelse", UNDERSOKELSE),
        many("Plan", PLAN),
        many("Tiltak", TILTAK),
        many("Vedtak", VEDTAK),
        many("Ettervern", ETTERVERN),
        many("OversendelseFylkesnemnd", OVERSENDELSE),
        many("Flytting", FLYTTING),
        many("Relasjon", RELASJON),
        many("Slettet", SLETTET),
    ),
    "SakType",
    {**dict.fromkeys(koder.BEGREP.koder, ("Id",)), "Slettet": ("Id", "Type")},
)
BARNEVERN = Element(
    {**ID, "DatoUttrekk": (Tidspunkt(), True), "ForrigeId": (UUID, False)},
    (one("Fagsystem", FAGSYSTEM), one("Avgiver", AVGIVER), one("Sak", SAK)),
    "BarnevernType",
)
ROOT = "Barnevern"
