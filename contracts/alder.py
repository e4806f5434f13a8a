"""Ages that rights hang on, per information category: data that a lawyer can correct and a municipality can change.

Whole years by the Norwegian calendar. How far each provision has been checked stands in contracts.lov.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

MYNDIG = 18
"""Majority: parents' consents lapse."""

HORES, VEKT = 7, 12
"""The child is to be heard, and its opinion is to be given weight."""


@dataclass(frozen=True)
class Aldersregel:
    """What holds for one category.

    From `samtykker_selv` the child may consent, and from `foreldre_til` its parents no longer can. A guardian sees
    everything below `foresatt_begrenset`, "kun status" from there, and nothing from `foresatt_slutt` on unless the
    child lets her. The child sees its own from `barn_innsyn`. `begge_foreldre`: one parent's consent waits for the
    other's. `bestemmelser` are ids in contracts.lov.
    """

    samtykker_selv: int = 15
    foreldre_til: int = MYNDIG
    foresatt_begrenset: int = MYNDIG
    foresatt_slutt: int = MYNDIG
    barn_innsyn: int = 15
    begge_foreldre: bool = False
    bestemmelser: tuple[str, ...] = ("vergemalsloven-9", "forvaltningsloven-18")

    def __post_init__(self) -> None:
        if not all(0 <= age <= MYNDIG for age in self.aldre):
            raise ValueError("an age is 0–18: from 18 on nobody consents for another")
        if self.foresatt_begrenset > self.foresatt_slutt or self.samtykker_selv > self.foreldre_til:
            raise ValueError("foresatt_begrenset <= foresatt_slutt and samtykker_selv <= foreldre_til")

    @property
    def aldre(self) -> tuple[int, ...]:
        return (
            self.samtykker_selv,
            self.foreldre_til,
            self.foresatt_begrenset,
            self.foresatt_slutt,
            self.barn_innsyn,
        )


ANDRE = "andre"
HELSE = "helse"
_HELSE = Aldersregel(16, 16, 12, 16, 16, bestemmelser=("pbrl-4-3", "pbrl-3-4"))

STANDARD: Mapping[str, Aldersregel] = MappingProxyType(
    {
        ANDRE: Aldersregel(),
        HELSE: _HELSE,
        "helseprogram": _HELSE,
        "helseoppfolging": replace(
            _HELSE, begge_foreldre=True, bestemmelser=("pbrl-4-3", "pbrl-3-4", "pbrl-4-4")
        ),
        "barnevern": Aldersregel(
            begge_foreldre=True, bestemmelser=("barnevernsloven-12-3", "barneloven-30", "vergemalsloven-9")
        ),
    }
)
"""By category; `helse` holds for what a health service tells in other categories, `andre` for all the rest."""


class UnknownAgeRule(ValueError):
    """A setting that names no field of an Aldersregel, or an age that cannot be; the text says which."""


class Aldre:
    """Look-up in a set of age rules."""

    def __init__(self, regler: Mapping[str, Aldersregel] = STANDARD) -> None:
        self._regler = dict(regler)

    def changed(self, valg: Mapping[str, Mapping[str, int]]) -> "Aldre":
        """With a municipality's own ages by category: {"helseprogram": {"foresatt_begrenset": 13}}.

        A category without a rule of its own starts from `andre`. Raises UnknownAgeRule.
        """
        known = {f.name for f in fields(Aldersregel)} - {"bestemmelser"}
        regler = dict(self._regler)
        for kategori, ages in valg.items():
            if unknown := ages.keys() - known:
                raise UnknownAgeRule(
                    f"{kategori}: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}"
                )
            values = {name: bool(age) if name == "begge_foreldre" else age for name, age in ages.items()}
            try:
                regler[kategori] = replace(regler.get(kategori, regler[ANDRE]), **values)  # type: ignore[arg-type]
            except ValueError as error:
                raise UnknownAgeRule(f"{kategori}: {error}") from None
        return Aldre(regler)

    def regel(self, kategori: str, *, helse: bool) -> Aldersregel:
        """`helse`: the information is a health service's."""
        found = self._regler.get(kategori)
        return found if found is not None else self._regler[HELSE if helse else ANDRE]

    def __iter__(self) -> Iterator[tuple[str, Aldersregel]]:
        return iter(self._regler.items())

    @property
    def grenser(self) -> tuple[int, ...]:
        """Every age at which something changes, ascending."""
        own = {age for regel in self._regler.values() for age in regel.aldre}
        return tuple(sorted({HORES, VEKT, MYNDIG, *own} - {0}))
