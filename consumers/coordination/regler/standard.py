"""The rules in use. A new rule is a module and a line here."""

from collections.abc import Mapping
from pathlib import Path

from consumers.coordination.regler import (
    barnekoordinator,
    barnekoordinator_oppnevning,
    barnets_syn,
    bekymringsmelding,
    eget_samtykke,
    ettervern_oppfolging,
    ettervern_svar,
    ettervern_tilbud,
    flyttet_kommune,
    frafall,
    henvisning,
    hjelp_virker_ikke,
    ikke_mott,
    individuell_plan,
    kasteball,
    koordinator,
    overgang,
    plassering_helse,
    plassering_skole,
    ppt_henvisning,
    samarbeid,
    skolemiljo_evaluering,
    skolemiljo_plan,
    tilbakemelding_konklusjon,
    tilbakemelding_mottak,
    tiltak_evaluering,
    tiltak_slutt,
    undersokelse,
    undersokelse_start,
    undring,
    ute_av_skole,
)
from consumers.coordination.regler.lokale import Lokal, read_folder
from consumers.coordination.regler.regel import Regel
from consumers.coordination.regler.regelverk import Regelverk
from contracts.catalogue import Catalogue

STANDARD: tuple[Regel, ...] = (
    barnekoordinator.REGEL,
    barnekoordinator_oppnevning.REGEL,
    barnets_syn.REGEL,
    bekymringsmelding.REGEL,
    eget_samtykke.REGEL,
    ettervern_oppfolging.REGEL,
    ettervern_svar.REGEL,
    ettervern_tilbud.REGEL,
    flyttet_kommune.REGEL,
    frafall.REGEL,
    henvisning.REGEL,
    hjelp_virker_ikke.REGEL,
    ikke_mott.REGEL,
    individuell_plan.REGEL,
    kasteball.REGEL,
    koordinator.REGEL,
    overgang.REGEL,
    plassering_helse.REGEL,
    plassering_skole.REGEL,
    ppt_henvisning.REGEL,
    samarbeid.REGEL,
    skolemiljo_evaluering.REGEL,
    skolemiljo_plan.REGEL,
    tilbakemelding_konklusjon.REGEL,
    tilbakemelding_mottak.REGEL,
    tiltak_evaluering.REGEL,
    tiltak_slutt.REGEL,
    undersokelse.REGEL,
    undersokelse_start.REGEL,
    undring.REGEL,
    ute_av_skole.REGEL,
)


def with_local(catalogue: Catalogue, folder: Path | None) -> Regelverk:
    """With the local rules in the folder, where one is named. Raises InvalidLocalRules and OSError."""
    return regelverk(catalogue, read_folder(folder, STANDARD, catalogue) if folder else None)


def regelverk(catalogue: Catalogue, lokale: Mapping[str, Lokal] | None = None) -> Regelverk:
    """`lokale` by municipality."""
    return Regelverk(catalogue, STANDARD, lokale)
