"""The page that says who may read what, and from which age, made from the data. Pure; its words are given."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from contracts.alder import Aldre
from contracts.lov import Lov
from contracts.tilgang import LESETABELL, Kolonne, Regel

Text = Callable[[str], str]
"""The text of a code of contracts/nb.ftl."""

AGES: Final = (
    "samtykker_selv",
    "foreldre_til",
    "begge_foreldre",
    "foresatt_begrenset",
    "foresatt_slutt",
    "barn_innsyn",
)


def render(lov: Lov, text: Text) -> str:
    """Markdown, ending in a newline."""
    roles = list(dict.fromkeys(rolle for rolle, _ in LESETABELL))
    lines = [f"# {text('tilgang-tittel')}", "", text("tilgang-innledning")]
    for rolle in roles:
        rows = [(k, LESETABELL[rolle, k]) for k in Kolonne if (rolle, k) in LESETABELL]
        heads = (text(f"tilgang-{word}") for word in ("hva", "ser", "nar", "vilkar"))
        lines += ["", f"## {text(f'tilgang-rolle-{rolle}')}", "", _line(heads), _line(["---"] * 4)]
        lines += [_line(_cells(k, regel, text)) for k, regler in rows for regel in regler]
    lines += ["", f"## {text('tilgang-aldre')}", "", text("tilgang-aldre-innledning"), ""]
    lines += [_line(_age_heads(text)), _line(["---"] * (len(AGES) + 2))]
    lines += [_line(_ages(kategori, lov, text)) for kategori, _ in Aldre()]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(kolonne: Kolonne, regel: Regel, text: Text) -> Iterator[str]:
    yield text(f"tilgang-kolonne-{kolonne.value.lower()}")
    yield text(f"tilgang-{regel.tilgang}")
    yield "; ".join(text(f"tilgang-krav-{krav.name.lower().replace('_', '-')}") for krav in regel.krav) or "–"
    yield "; ".join(text(f"tilgang-vilkar-{vilkar.value}") for vilkar in regel.vilkar) or "–"


def _age_heads(text: Text) -> Iterator[str]:
    yield text("tilgang-kategori")
    for name in AGES:
        yield text(f"tilgang-alder-{name.replace('_', '-')}")
    yield text("tilgang-bestemmelser")


def _ages(kategori: str, lov: Lov, text: Text) -> Iterator[str]:
    regel = dict(Aldre())[kategori]
    yield f"`{kategori}`"
    for name in AGES:
        value = getattr(regel, name)
        yield text("tilgang-ja" if value else "tilgang-nei") if isinstance(value, bool) else str(value)
    yield ", ".join(f"{lov[id_].henvisning} ({lov[id_].status})" for id_ in regel.bestemmelser)
