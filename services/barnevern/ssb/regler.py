"""SSB's controls of a valid file («Kravspesifikasjon for validering»), those that concern what becomes events.

None of them refuses: SSB takes in what follows the description and sends these back to the municipality. Each is told
with SSB's number and severity; a thing migrated from KOSTRA (MigrertId) has WARNING where SSB says ERROR.
Months are SSB's days here: the legal deadlines are computed by coordination, from the events.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from backbone.clock import OSLO
from contracts.personnummer import PLACEHOLDERS, InvalidNumber, Kind, classify
from services.barnevern.ssb.strom import Fil, Node
from services.format import Problem

ERROR, WARNING, INFO = "ERROR", "WARNING", "INFO"
YEARS_AWAY_MOST = 26
MELDING_DAYS, UNDERSOKELSE_DAYS, EXTENDED_DAYS = 7, 90, 180
NEW_LAW_FROM = date(2023, 1, 1)
UNBORN_MONTHS_MOST = 9
BYDELER = frozenset({"958935420", "964338531", "942110464"})  # Oslo, Bergen, Trondheim
FREE_MELDER, FREE_INNHOLD, FREE_OPPHEVELSE = "22", frozenset({"18", "19"}), "4"
FREE_KATEGORI = frozenset({"1.99", "2.99", "3.7", "3.99", "4.99", "5.99", "6.99", "7.99", "8.99"})
PLASSERING = frozenset({"1.1", "1.2", "1.99", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.99", "8.2"})
BARNEHAGE, SFO = ("4.1", 7, "5"), ("4.2", 11, "6")  # category, oldest age, SSB's control
_START = {"Ettervern": "TilbudSendtDato", "Flytting": "SluttDato"}
_DUPLICATES = {"Melding": INFO, "Undersokelse": ERROR, "Vedtak": INFO, "Tiltak": WARNING, "Plan": INFO}
_CONTENT = frozenset(
    {"Melding", "Undersokelse", "Vedtak", "Tiltak", "Plan", "Ettervern", "OversendelseFylkesnemnd"}
)

Relasjon = tuple[str, str, str, str]


@dataclass
class Regler:
    """Sees the things of a case as they pass, and says at the end what only the whole tells."""

    fil: Fil
    today: date
    fodt: date | None = None
    _seen: set[str] = field(default_factory=set)
    _open: bool = False  # something of the case has no end
    _born: bool = False  # the case has Personalia
    _contents: set[int] = field(default_factory=set)
    _relasjoner: set[Relasjon] = field(default_factory=set)
    _meldinger: dict[str, date] = field(default_factory=dict)
    _hjemler: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _undersokelser: list[tuple[Node, bool, str | None]] = field(
        default_factory=list
    )  # … extended, conclusion
    _tiltak: list[tuple[Node, tuple[str, ...]]] = field(default_factory=list)  # … legal basis

    def begin(self) -> Iterator[Problem]:
        """Of the file and the case themselves."""
        avgiver, sak = self.fil.avgiver, self.fil.sak
        if avgiver.get("Organisasjonsnummer") in BYDELER and not {"Bydelsnummer", "Bydelsnavn"} <= set(
            avgiver.attributes
        ):
            yield _told(avgiver, "ssb-bydel", "Avgiver kontroll 1")
        yield from self._dates(sak)
        start, slutt = sak.dato("StartDato"), sak.dato("SluttDato")
        if start and slutt and start > slutt:
            yield _told(sak, "ssb-start-etter-slutt", "Sak kontroll 2a")

    def see(self, ting: Node) -> Iterator[Problem]:
        if ting.name in ("Relasjon", "Slettet"):
            if ting.name == "Relasjon" and not ting.slettet:
                self._relasjoner.add(_relasjon(ting))
            return
        self._seen.add(ting.name)
        if ting.slettet:
            return
        yield from self._dates(ting)
        yield from self._order(ting)
        yield from (control for check in _BY_NAME.get(ting.name, ()) for control in check(self, ting))
        if ting.name in _DUPLICATES:
            content = hash(_content(ting))
            if content in self._contents:
                yield _told(ting, "ssb-dublett", f"{ting.name} kontroll 19", _DUPLICATES[ting.name])
            self._contents.add(content)

    def end(self) -> Iterator[Problem]:
        """What only the whole case tells."""
        sak = self.fil.sak
        ended = sak.dato("SluttDato") is not None
        if not self._born:
            yield _told(sak, "ssb-uten-personalia", "Personalia kontroll 11")
        if not ended and not self._seen & _CONTENT:
            yield _told(sak, "ssb-tom-sak", "Sak kontroll 21")
        if ended and self._open:
            yield _told(sak, "ssb-apent-i-lukket", "Sak kontroll 23", INFO)
        alder = self._age(self._extracted())
        if alder is not None and alder >= 25 and (not ended or self._open):
            yield _told(sak, "ssb-over-25", "Sak kontroll 7", WARNING)
        yield from self._related()

    def _dates(self, node: Node, migrert: bool = False) -> Iterator[Problem]:
        migrert = migrert or node.migrert
        first, last = self.today.year - YEARS_AWAY_MOST, self.today.year + YEARS_AWAY_MOST
        for name in node.attributes:
            if name.lower().endswith("dato"):
                dato = node.dato(name)
                if dato is None or not first <= dato.year <= last:
                    args: Mapping[str, str | int] = {
                        "regel": "Sak kontroll 1",
                        "alvorlighet": WARNING if migrert else ERROR,
                        "fra": first,
                        "til": last,
                    }
                    yield Problem(f"{node.pointer}/@{name}", "ssb-dato-grenser", args)
        for child in node.children:
            yield from self._dates(child, migrert)

    def _order(self, ting: Node) -> Iterator[Problem]:
        """The thing's dates against one another and the case's: controls 2a, 2c and 2e."""
        navn = ting.name
        start, slutt = ting.dato(_START.get(navn, "StartDato")), ting.slutt
        sak_start, sak_slutt = self.fil.sak.dato("StartDato"), self.fil.sak.dato("SluttDato")
        if navn not in ("Vedtak", "Personalia", "OversendelseFylkesnemnd") and slutt is None:
            self._open = True
        if navn == "Personalia":
            if start and sak_slutt and start > sak_slutt:
                yield _told(ting, "ssb-etter-sak", "Personalia kontroll 2f")
            return
        if start and slutt and start > slutt:
            yield _told(ting, "ssb-start-etter-slutt", f"{navn} kontroll 2a")
        if start and sak_start and start < sak_start:
            yield _told(ting, "ssb-for-sak", f"{navn} kontroll {'2f' if navn == 'Flytting' else '2e'}")
        ends = start if navn == "OversendelseFylkesnemnd" else slutt
        if ends and sak_slutt and ends > sak_slutt:
            yield _told(ting, "ssb-etter-sak", f"{navn} kontroll {'2f' if navn.startswith('Over') else '2c'}")

    def _personalia(self, ting: Node) -> Iterator[Problem]:
        self._born = True
        self.fodt = ting.dato("Fodseldato") or self.fodt
        nummer, start, fodt = (
            ting.attributes["Fodselsnummer"],
            ting.dato("StartDato"),
            ting.dato("Fodseldato"),
        )
        try:
            kind: Kind | None = classify(nummer, self.today).kind
        except InvalidNumber:
            kind = None
            yield _told(ting, "ssb-fodselsnummer", "Personalia kontroll 12")
        if kind in PLACEHOLDERS:
            yield _told(ting, "ssb-ufullstendig-nummer", "Personalia kontroll 18", INFO)
        if kind is Kind.D_NUMMER:
            yield _told(ting, "ssb-d-nummer", "Personalia kontroll 18", INFO)
        if (
            kind not in (None, Kind.FELLES_HJELPENUMMER)
            and fodt
            and _digits_of(nummer) != (fodt.day, fodt.month, fodt.year % 100)
        ):
            yield _told(ting, "ssb-nummer-og-dato", "Personalia kontroll 13", WARNING)
        if kind and nummer[6:] != "99999" and ting.get("Kjonn") != ("2" if int(nummer[8]) % 2 == 0 else "1"):
            yield _told(ting, "ssb-nummer-og-kjonn", "Personalia kontroll 14")
        if nummer[6:] == "99999" and start and fodt and start > fodt:
            yield _told(ting, "ssb-termin-for-fodt", "Personalia kontroll 15")
        if start and fodt and _months_after(start, UNBORN_MONTHS_MOST) < fodt:
            yield _told(ting, "ssb-start-for-fodt", "Personalia kontroll 16")
        if "DUFnummer" in ting.attributes and not _is_duf(ting.attributes["DUFnummer"], self.today):
            yield _told(ting, "ssb-duf", "Personalia kontroll 17")

    def _melding(self, ting: Node) -> Iterator[Problem]:
        start, slutt = ting.dato("StartDato"), ting.slutt
        if start:
            self._meldinger[ting.id] = start
        if start and slutt and slutt > start + timedelta(days=MELDING_DAYS):
            yield _told(ting, "ssb-melding-frist", "Melding kontroll 3", WARNING)
        if ting.one("Konklusjon"):
            if not ting.one("Melder"):
                yield _told(ting, "ssb-uten-melder", "Melding kontroll 4")
            if not ting.one("Saksinnhold"):
                yield _told(ting, "ssb-uten-saksinnhold", "Melding kontroll 5")
        for melder in ting.all("Melder"):
            yield from _unspecified(melder, melder.get("Kode") == FREE_MELDER, "Melder kontroll 2", ting)
        for innhold in ting.all("Saksinnhold"):
            yield from _unspecified(
                innhold, innhold.get("Kode") in FREE_INNHOLD, "Saksinnhold kontroll 2", ting
            )

    def _undersokelse(self, ting: Node) -> Iterator[Problem]:
        frist = ting.one("UtvidetFrist")
        konklusjon = ting.one("Konklusjon")
        kode = konklusjon.get("Kode") if konklusjon else None
        self._undersokelser.append((_place(ting), bool(frist and frist.get("Innvilget") == "1"), kode))
        for grunn in ting.all("Vedtaksgrunnlag"):
            yield from _unspecified(grunn, grunn.get("Kode") in FREE_INNHOLD, "Undersøkelse kontroll 3", ting)
        if kode in ("1", "2") and not ting.one("Vedtaksgrunnlag"):
            yield _told(ting, "ssb-uten-vedtaksgrunnlag", "Undersøkelse kontroll 7")

    def _vedtak(self, ting: Node) -> Iterator[Problem]:
        start, slutt = ting.dato("StartDato"), ting.slutt
        self._hjemler[ting.id] = _hjemmel(ting)
        for krav in ting.all("Krav"):
            begun, ended = krav.dato("StartDato"), krav.slutt
            if begun and ended and begun > ended:
                yield _told(krav, "ssb-start-etter-slutt", "Vedtak kontroll 2f")
            if ended and slutt and ended > slutt:
                yield _told(krav, "ssb-etter-vedtak", "Vedtak kontroll 2g")
            if begun and start and begun < start:
                yield _told(krav, "ssb-for-vedtak", "Vedtak kontroll 2h")
        for status in ting.all("Status"):
            endret = status.dato("EndretDato")
            if endret and slutt and endret > slutt:
                yield _told(status, "ssb-etter-vedtak", "Vedtak kontroll 2i", INFO)
            if endret and start and endret < start:
                yield _told(status, "ssb-for-vedtak", "Vedtak kontroll 2j", INFO)
            if status.get("Kode") in ("3", "4") and not ting.one("Konklusjon"):
                yield _told(status, "ssb-vedtak-uten-slutt", "Vedtak kontroll 3")
        yield from self._law(ting)

    def _tiltak_controls(self, ting: Node) -> Iterator[Problem]:
        kategori, opphevelse = ting.one("Kategori"), ting.one("Opphevelse")
        kode = (kategori and kategori.get("Kode")) or ""
        self._tiltak.append((_place(ting), _hjemmel(ting)))
        for oldest in (BARNEHAGE, SFO):
            alder = self._age(self._extracted())
            if kode == oldest[0] and alder is not None and alder > oldest[1]:
                yield _told(ting, "ssb-for-stor", f"Tiltak kontroll {oldest[2]}", WARNING)
        if kategori:
            yield from _unspecified(kategori, kode in FREE_KATEGORI, "Tiltak kontroll 7", ting)
        if opphevelse:
            free = opphevelse.get("Kode") == FREE_OPPHEVELSE
            yield from _unspecified(opphevelse, free, "Tiltak kontroll 8", ting)
        omsorg = _is_care_order(ting)
        if omsorg and kode in PLASSERING and ting.slutt and not opphevelse:
            yield _told(ting, "ssb-uten-opphevelse", "Tiltak kontroll 12")
        alder = self._age(self._extracted())
        if omsorg and not ting.one("Konklusjon") and alder is not None and alder >= 18:
            yield _told(ting, "ssb-omsorg-over-18", "Tiltak kontroll 13")
        if any(
            part.text.strip("0") == "" for part in _parts(ting, ("Kapittel", "Paragraf", "Ledd", "Punktum"))
        ):
            yield _told(ting, "ssb-hjemmel-null", "Tiltak kontroll 14")
        if kode in ("1.99", "2.99"):
            regel = f"Tiltak kontroll {22 if kode == '1.99' else 23}"
            yield _told(ting, "ssb-annet-plasseringstiltak", regel, WARNING)

    def _plan(self, ting: Node) -> Iterator[Problem]:
        start, slutt = self.fil.sak.dato("StartDato"), self.fil.sak.dato("SluttDato")
        for evaluering in ting.all("Evaluering"):
            done = evaluering.dato("UtfortDato")
            if done and slutt and done > slutt:
                yield _told(evaluering, "ssb-etter-sak", "Plan kontroll 2f")
            if done and start and done < start:
                yield _told(evaluering, "ssb-for-sak", "Plan kontroll 2g")

    def _law(self, ting: Node) -> Iterator[Problem]:
        start, lov = ting.dato("StartDato"), _hjemmel(ting)[0]
        if start and lov == ("BVL2021" if start < NEW_LAW_FROM else "BVL"):
            yield _told(ting, "ssb-feil-lov", f"{ting.name} kontroll 5")

    def _related(self) -> Iterator[Problem]:
        """Relations between things: told only where the file has both ends, for a file of changes may have one."""
        if not self._relasjoner:
            return
        melding_of = self._from("Melding", "Undersokelse")
        vedtak_of = self._from("Vedtak", "Tiltak")
        decided = set(self._from("Undersokelse", "Vedtak").values())
        for ting, extended, kode in self._undersokelser:
            if self._meldinger and ting.id not in melding_of:
                yield _told(ting, "ssb-uten-melding", "Undersøkelse kontroll 20")
            begun = self._meldinger.get(melding_of.get(ting.id, ""))
            days = MELDING_DAYS + (EXTENDED_DAYS if extended else UNDERSOKELSE_DAYS)
            if begun and kode is None and self._extracted() > begun + timedelta(days=days):
                yield _told(ting, "ssb-undersokelse-frist", "Undersøkelse kontroll 11", WARNING, dager=days)
            if kode in ("1", "2") and self._hjemler and ting.id not in decided:
                alvorlighet = ERROR if kode == "1" else WARNING
                yield _told(ting, "ssb-uten-vedtak", "Undersøkelse kontroll 21", alvorlighet)
        for ting, hjemmel in self._tiltak:
            vedtak = vedtak_of.get(ting.id)
            if self._hjemler and vedtak is None:
                yield _told(ting, "ssb-tiltak-uten-vedtak", "Tiltak kontroll 20")
            if vedtak in self._hjemler and self._hjemler[vedtak] != hjemmel:
                yield _told(ting, "ssb-annen-hjemmel", "Tiltak kontroll 21")

    def _from(self, fra: str, til: str) -> dict[str, str]:
        """Of the relations between these kinds, the first end by the second."""
        return {to: start for kind, start, other, to in self._relasjoner if (kind, other) == (fra, til)}

    def _extracted(self) -> date:
        at: datetime | None = self.fil.uttrekk
        return at.astimezone(OSLO).date() if at else self.today

    def _age(self, at: date) -> int | None:
        born = self.fodt
        return None if born is None else at.year - born.year - ((at.month, at.day) < (born.month, born.day))


Control = Callable[[Regler, Node], Iterator[Problem]]


def _told(node: Node, code: str, regel: str, alvorlighet: str = ERROR, **more: int) -> Problem:
    severity = WARNING if alvorlighet == ERROR and node.migrert else alvorlighet
    return Problem(node.pointer, code, {"regel": regel, "alvorlighet": severity, **more})


def _place(ting: Node) -> Node:
    """What of a thing is worth keeping until the end."""
    kept = {name: text for name, text in ting.attributes.items() if name in ("Id", "MigrertId")}
    return Node(ting.name, ting.pointer, kept)


def _unspecified(node: Node, free: bool, regel: str, ting: Node) -> Iterator[Problem]:
    """A code that must be explained in words, and is not."""
    if free and "Presisering" not in node.attributes:
        severity = WARNING if ting.migrert else ERROR
        yield Problem(node.pointer, "ssb-presisering", {"regel": regel, "alvorlighet": severity})


def _relasjon(ting: Node) -> Relasjon:
    a = ting.attributes
    return a["FraType"], a["FraId"], a["TilType"], a["TilId"]


def _content(node: Node) -> tuple[object, ...]:
    own = tuple(sorted((k, v) for k, v in node.attributes.items() if k not in ("Id", "MigrertId")))
    return node.name, own, node.text, tuple(_content(child) for child in node.children)


def _hjemmel(ting: Node) -> tuple[str, ...]:
    hjemmel = ting.one("Lovhjemmel")
    return tuple(hjemmel.text_of(n) if hjemmel else "" for n in ("Lov", "Kapittel", "Paragraf"))


def _parts(ting: Node, names: tuple[str, ...]) -> Iterator[Node]:
    for hjemmel in (*ting.all("Lovhjemmel"), *ting.all("JmfrLovhjemmel")):
        yield from (part for part in hjemmel.children if part.name in names)


def _is_care_order(ting: Node) -> bool:
    """SSB's «omsorgsovertakelse»."""
    lov, kapittel, paragraf = _hjemmel(ting)
    if (lov, kapittel) == ("BVL2021", "5"):
        return paragraf == "1"
    if (lov, kapittel) != ("BVL", "4"):
        return False
    hjemmel = ting.one("Lovhjemmel")
    parts = hjemmel.all("Ledd") if hjemmel else []
    compared = {(j.text_of("Kapittel"), j.text_of("Paragraf")) for j in ting.all("JmfrLovhjemmel")}
    return paragraf == "12" or (
        paragraf == "8" and (any(p.text in ("2", "3") for p in parts) or ("4", "12") in compared)
    )


def _digits_of(nummer: str) -> tuple[int, int, int]:
    """Day, month and year of the number's first six digits, without what a D-, H- or Tenor number adds."""
    day, month, year = int(nummer[:2]), int(nummer[2:4]), int(nummer[4:6])
    return day % 40, month - 80 if month > 80 else month - 40 if month > 40 else month, year


def _is_duf(nummer: str, today: date) -> bool:
    try:
        return classify(nummer, today).kind is Kind.DUF
    except InvalidNumber:
        return False


def _months_after(start: date, months: int) -> date:
    month = start.month - 1 + months
    year, month = start.year + month // 12, month % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(start.day, last))


_BY_NAME: Mapping[str, tuple[Control, ...]] = {
    "Personalia": (Regler._personalia,),
    "Melding": (Regler._melding,),
    "Undersokelse": (Regler._undersokelse,),
    "Vedtak": (Regler._vedtak,),
    "Tiltak": (Regler._tiltak_controls,),
    "Plan": (Regler._plan,),
    "OversendelseFylkesnemnd": (Regler._law,),
}
