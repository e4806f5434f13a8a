"""SSB's code lists, by number: which codes there are. What they mean is in SSB's own list (Barnevern v4)."""

from services.barnevern.ssb.verdier import Koder


def _upto(last: int, first: int = 1) -> tuple[str, ...]:
    return tuple(str(n) for n in range(first, last + 1))


def _under(prefix: str, last: int, width: int = 1) -> tuple[str, ...]:
    return tuple(f"{prefix}.{n:0{width}}" for n in range(1, last + 1))


def _with_other(chapter: str, last: int) -> tuple[str, ...]:
    return (*_under(chapter, last), f"{chapter}.99")


KJONN = Koder(("0", "1", "2"))
MELDER = Koder(_upto(25))
MELDING_KONKLUSJON = Koder(_upto(10))
SAKSINNHOLD = Koder(
    (
        *_upto(36),
        *_under("1.1", 4, 2),
        *_under("1.2", 3, 2),
        *_under("1.3", 11, 2),
        *_under("1.4", 4, 2),
        *_under("2.1", 3, 2),
        *_under("2.2", 3, 2),
        *_under("2.3", 2, 2),
        *_under("2.4", 9, 2),
        *_under("3.1", 10, 2),
        *_under("3.2", 2, 2),
        *_under("3.3", 6, 2),
    )
)
MEDVIRKNING = Koder((*_under("1", 4), *_under("2", 2)))
INNVILGET = Koder(("1", "2"))
UNDERSOKELSE_KONKLUSJON = Koder(_upto(9))
PLANTYPE = Koder(_upto(8))
LOV = Koder(("BVL", "BVL2021", "BL1981"))
KATEGORI = Koder(
    (
        *_with_other("1", 2),
        *_with_other("2", 6),
        *_with_other("3", 10),
        *_with_other("4", 9),
        *_with_other("5", 4),
        *_with_other("6", 4),
        *_with_other("7", 3),
        *_with_other("8", 5),
    )
)
OPPHEVELSE = Koder(_upto(4))
HYPPIGHET = Koder(("2", "4"))
VEDTAK_STATUS = Koder(_upto(4))
KRAV_KONKLUSJON = Koder(("1", "2", "9"))
ETTERVERN_KONKLUSJON = Koder(_upto(3))
ARSAK_FRA = Koder((*_under("1.1", 5), *_under("1.2", 3), "1.3", *_under("2", 9)))
FLYTTING_TIL = Koder(_upto(9))
BEGREP = Koder(
    (
        "Personalia",
        "Melding",
        "Undersokelse",
        "Plan",
        "Tiltak",
        "Vedtak",
        "Ettervern",
        "OversendelseFylkesnemnd",
        "Flytting",
        "Relasjon",
    )
)
