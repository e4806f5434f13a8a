"""The contract as it was recorded against the contract as the code has it: what would break, and what is only new."""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.narrowing import narrowings
from contracts.skjema import ALLE, JsonSchema, SkjemaId, X

PROMISED = ("kategori", "skjerming")
"""What the catalogue says of a type that others rest on: consents name the category, and readers are trimmed by it
and by the class."""


@dataclass(frozen=True, slots=True)
class Brudd:
    """A breaking change of `skjema`; `felt`, `fra` and `til` as in contracts.narrowing, `kode` also one of
    hendelse-fjernet, versjon-fjernet and egenskap-endret."""

    skjema: SkjemaId
    felt: str
    kode: str
    fra: str = ""
    til: str = ""


@dataclass(frozen=True, slots=True)
class Sammenligning:
    """`nye` and `endret` are not recorded yet, or not as they are now; `foreldet` are recorded and no longer the
    code's: broken, or covered by the schema of every service."""

    brudd: tuple[Brudd, ...]
    nye: tuple[SkjemaId, ...]
    endret: tuple[SkjemaId, ...]
    foreldet: tuple[SkjemaId, ...]

    @property
    def a_jour(self) -> bool:
        return not (self.brudd or self.nye or self.endret or self.foreldet)


def sammenlign(
    recorded: Mapping[SkjemaId, JsonSchema], current: Mapping[SkjemaId, JsonSchema]
) -> Sammenligning:
    """`current` must read all that `recorded` reads. A schema of every service stands in for each service's own."""
    brudd: list[Brudd] = []
    for id_, old in sorted(recorded.items()):
        new = current.get(id_) or current.get(id_._replace(avsender=ALLE))
        brudd += [_gone(id_, current)] if new is None else _changes(id_, old, new)
    return Sammenligning(
        tuple(brudd),
        nye=tuple(sorted(current.keys() - recorded.keys())),
        endret=tuple(sorted(id_ for id_, old in recorded.items() if current.get(id_, old) != old)),
        foreldet=tuple(sorted(id_ for id_ in recorded.keys() - current.keys())),
    )


def _gone(id_: SkjemaId, current: Mapping[SkjemaId, JsonSchema]) -> Brudd:
    others = any(c.navn == id_.navn and c.avsender in (id_.avsender, ALLE) for c in current)
    return Brudd(id_, "", "versjon-fjernet" if others else "hendelse-fjernet")


def _changes(id_: SkjemaId, old: JsonSchema, new: JsonSchema) -> list[Brudd]:
    before, after = old.get(X, {}), new.get(X, {})
    return [
        *(Brudd(id_, n.felt, n.kode, n.fra, n.til) for n in narrowings(old, new)),
        *(
            Brudd(id_, name, "egenskap-endret", str(before[name]), str(after.get(name)))
            for name in PROMISED
            if name in before and before[name] != after.get(name)
        ),
    ]
