"""Who sent the concern, by SSB's codes (Barnevern v4, Melder), where the free text leaves no doubt."""

import re
from datetime import date

LEGE_SYKEHUS, TANNLEGE, LEGE_OG_TANNLEGE = "24", "25", "15"
SPLIT_FROM = date(2025, 1, 1)  # code 15 became 24 and 25

_OFFENTLIG = {
    "5": ("barnevern", "barneverntjeneste", "barnevernstjeneste", "barnevernskontakt"),
    "6": ("nav", "nav-veileder", "veileder i nav"),
    "7": ("barnevernvakt", "barnevernsvakt"),
    "8": ("politi", "politiet", "politibetjent", "politioverbetjent", "lensmann"),
    "9": ("barnehage", "barnehagelærer", "barnehagestyrer", "førskolelærer"),
    "10": ("helsestasjon", "helsesykepleier", "helsesøster", "skolehelsetjenesten", "skolehelsesykepleier"),
    "11": ("skole", "lærer", "kontaktlærer", "rektor", "inspektør", "sosiallærer", "avdelingsleder skole"),
    "12": ("ppt", "ppt-rådgiver", "pedagogisk-psykologisk tjeneste"),
    "13": ("bup", "barne- og ungdomspsykiatri"),
    "14": ("dps", "distriktspsykiatrisk senter"),
    LEGE_SYKEHUS: ("lege", "fastlege", "legevakt", "sykehus", "sykehuslege"),
    TANNLEGE: ("tannlege", "tannpleier", "tannhelsetjenesten"),
    "16": ("familievern", "familievernkontor", "familieterapeut ved familievernkontor"),
    "18": ("krisesenter",),
    "19": ("asylmottak", "udi", "utlendingsdirektoratet"),
    "20": ("utekontakt", "fritidsklubb"),
}
_PRIVAT = {
    "1": ("barnet selv", "meg selv", "jeg er barnet"),
    "2": ("mor", "far", "mamma", "pappa", "medmor", "forelder", "foresatt", "foreldre", "foresatte"),
    "3": ("bestemor", "besteforelder", "besteforeldre", "bestefar", "mormor", "morfar", "farmor", "farfar"),
    "4": ("nabo", "venn", "venninne", "bekjent", "familievenn", "trener"),
}
_FAMILIE = ("tante", "onkel", "søster", "bror", "søsken", "fetter", "kusine")

_CODE_OF_ROLLE = {rolle: code for code, roller in _OFFENTLIG.items() for rolle in roller}
_CODE_OF_RELASJON = {ord_: code for code, alle in (*_PRIVAT.items(), ("3", _FAMILIE)) for ord_ in alle}


def offentlig_melderkode(rolle: str, at: date) -> str | None:
    """The code of a public melder's role, or None where it is not a word that can mean one thing only."""
    code = _CODE_OF_ROLLE.get(_word(rolle))
    return LEGE_OG_TANNLEGE if code in (LEGE_SYKEHUS, TANNLEGE) and at < SPLIT_FROM else code


def privat_melderkode(relasjon: str) -> str | None:
    """The code of a private melder's relation to the child, by the words before the first comma."""
    return _CODE_OF_RELASJON.get(_word(relasjon.partition(",")[0]))


def _word(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip(" .").lower()
