"""The rules together, read against a catalogue: which facts they read, and which of them a child can concern."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import copy
from datetime import date, datetime

from consumers.coordination.facts import ConsentStanding, FactSet, Key, Standing, micros
from consumers.coordination.regler.lokale import Lokal, Lokalversjon, standard
from consumers.coordination.regler.oppsett import Parametre
from consumers.coordination.regler.regel import Her, Regel
from consumers.coordination.sak import INVOLVEMENT_FIELDS, Kind
from contracts.catalogue import Catalogue
from contracts.envelope import Content
from contracts.hendelser import Innsats, Involvering
from contracts.tjenester import SAMTYKKE

_OPENS = frozenset({Involvering.APNER, Involvering.FORTSETTER})
_CLOSES = frozenset({Involvering.LUKKER, Involvering.LUKKER_ALLE})
_CONSENT = f"no.samspor.{SAMTYKKE}.samtykke."

COMBINATIONS_MAX = 10_000
"""Of rules set off together, kept in mind; few are ever met."""


class Regelverk:
    """The rules with their parameters, read against a catalogue."""

    def __init__(
        self, catalogue: Catalogue, regler: Sequence[Regel], lokale: Mapping[str, Lokal] | None = None
    ) -> None:
        self.catalogue = catalogue
        self.regler = tuple(regler)
        self.lokale = lokale or {}
        self.versjoner: tuple[Lokalversjon, ...] = (standard(self.regler),)
        self._reads: dict[str, frozenset[str]] = defaultdict(frozenset)
        for reads in (INVOLVEMENT_FIELDS, *(r.leser for r in self.regler)):
            for navn, fields in reads.items():
                self._reads[navn] |= frozenset(fields)
        self._kinds: dict[str, Kind | None] = {}
        self._candidates: dict[tuple[int, int], tuple[Regel, ...]] = {}
        self._of_kommune: dict[str, Regelverk] = {}

    def for_kommune(self, kommune: str) -> "Regelverk":
        """The same rules as the municipality has set them."""
        if kommune not in self.lokale:
            return self
        if kommune not in self._of_kommune:
            theirs = copy(self)
            theirs.versjoner = (*self.versjoner[:1], *self.lokale[kommune].versjoner)
            self._of_kommune[kommune] = theirs
        return self._of_kommune[kommune]

    def versjon(self, day: date) -> Lokalversjon:
        """What the municipality says, or the standard, that day."""
        return next(v for v in reversed(self.versjoner) if v.gyldig_fra <= day)

    def most_steps(self, day: date) -> int:
        """The most steps of escalation that any municipality has that day."""
        return max(len(r.versjon(day).trinn) for r in (self, *map(self.for_kommune, self.lokale)))

    def parametre(self, day: date) -> Parametre:
        return self.versjon(day).parametre

    def her(self, rule: Regel, day: date) -> Her | None:
        """The rule as it holds that day; None when it does not."""
        return self.versjon(day).her.get(rule.navn) if rule.in_force(day) else None

    def kind(self, full_type: str) -> Kind | None:
        """None for a type that no rule reads. Raises UnknownType."""
        if full_type not in self._kinds:
            self._kinds[full_type] = self._kind(full_type)
        return self._kinds[full_type]

    def _kind(self, full_type: str) -> Kind | None:
        found = self.catalogue.event_type(full_type)
        tjeneste = full_type.removeprefix("no.samspor.").partition(".")[0]
        targeted = found.innsats in (Innsats.SELEKTERT, Innsats.INDIKERT)
        opens = targeted and found.involvering in _OPENS
        closes_all = found.involvering is Involvering.LUKKER_ALLE
        closes = closes_all or (targeted and found.involvering in _CLOSES)
        if not (opens or closes or found.navn in self._reads):
            return None
        return Kind(
            tjeneste,
            found.navn,
            found.kategori,
            str(found.skjerming_for(tjeneste)),
            opens,
            closes,
            closes_all,
            tuple(sorted(self._reads.get(found.navn, ()))),
            sum(1 << i for i, rule in enumerate(self.regler) if found.navn in rule.utloses_av),
        )

    def candidates(self, facts: FactSet) -> tuple[Regel, ...]:
        """The rules that these facts can give a duty, today or another day. Of most children it is none, so what a
        child costs does not grow with the number of rules."""
        set_off, involved = 0, set[str]()
        for _, full_type, _ in facts.facts:
            kind = self.kind(full_type)
            if kind is not None:
                set_off |= kind.sets_off
                if kind.opens:
                    involved.add(kind.tjeneste)
        if not facts.facts:
            return ()
        seen = set_off, len(involved)
        if seen not in self._candidates:
            if len(self._candidates) >= COMBINATIONS_MAX:
                self._candidates.clear()
            self._candidates[seen] = tuple(
                rule
                for i, rule in enumerate(self.regler)
                if len(involved) >= rule.involverte_minst and (set_off >> i & 1 or not rule.utloses_av)
            )
        return self._candidates[seen]

    def tell(
        self, facts: FactSet, source: str, full_type: str, time: datetime, id_: str, content: Content
    ) -> bool:
        """Add an event to `facts`; whether it changed anything. Raises UnknownType, KeyError or ValueError
        for a consent whose data is not one."""
        if full_type.startswith(_CONSENT):
            status = "avslatt" if content.tilbaketrukket else full_type.removeprefix(_CONSENT)
            return facts.add_consent(content.nokkel, _consent(content, status, micros(time), id_))
        kind = self.kind(full_type)
        if kind is None:
            return False
        kept = {f: content.data[f] for f in kind.fields if f in content.data}
        key: Key = (source, full_type, content.nokkel)
        standing: Standing = (content.versjon, content.tilbaketrukket, micros(time), id_, kept)
        return facts.add(key, standing)


def _consent(content: Content, status: str, time: int, id_: str) -> ConsentStanding:
    data = content.data
    til, kategorier, utloper = data["til_tjenester"], data["kategorier"], data.get("utloper")
    if not isinstance(til, list) or not isinstance(kategorier, list):
        raise ValueError("til_tjenester, kategorier")
    return ConsentStanding(
        content.versjon,
        time,
        id_,
        status,
        str(data["fra_tjeneste"]),
        tuple(sorted(map(str, til))),
        tuple(sorted(map(str, kategorier))),
        _instant(data["gyldig_fra"]),
        None if utloper is None else _instant(utloper),
    )


def _instant(value: object) -> int:
    at = datetime.fromisoformat(str(value))
    if at.tzinfo is None:
        raise ValueError("a time without an offset")
    return micros(at)
