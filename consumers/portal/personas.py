"""Who a visitor of the demonstration may sign in as. All of them, and every child they see, are synthetic."""

from dataclasses import dataclass

from backbone.tokens import Principal

KOMMUNE = "4601"
KOMMUNENS_ORGNR = "964338531"


@dataclass(frozen=True)
class Persona:
    """`id` names the persona in the sign-in form and in the message catalogue (`persona-<id>`)."""

    id: str
    principal: Principal


def _persona(id_: str, navn: str, rolle: str, tjeneste: str | None = None, skjermet: bool = False) -> Persona:
    return Persona(
        id_,
        Principal.model_validate(
            {
                "sub": f"demo:{id_}",
                "rolle": rolle,
                "orgnr": KOMMUNENS_ORGNR,
                "kommune": KOMMUNE,
                "tjeneste": tjeneste,
                "skjermet": skjermet,
                "navn": navn,
            }
        ),
    )


STANDARD: tuple[Persona, ...] = (
    _persona("barnekoordinator", "Berit Koordinator", "koordinator", skjermet=True),
    _persona("laerer", "Lars Lærer", "fagperson", "skole"),
    _persona("helsesykepleier", "Hanne Helsesykepleier", "fagperson", "helsestasjon"),
    _persona("barnevernspedagog", "Bjørn Barnevernspedagog", "fagperson", "barnevern"),
    _persona("nav-veileder", "Nina Veileder", "fagperson", "nav"),
    _persona("koordinerende-enhet", "Kari Enhetsleder", "koordinerende-enhet", "koordinerende-enhet"),
    _persona("foresatt", "Farah Foresatt", "foresatt"),
    _persona("barn", "Nora Lindås", "barn"),
    _persona("revisor", "Rune Revisor", "revisor"),
)
