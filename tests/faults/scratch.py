"""The duties from scratch: the timeline's rows opened one by one, and nothing that coordination has kept."""

import base64
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

import asyncpg

from backbone.samtykke_client import SamtykkeClient
from backbone.seal import open_sealed
from backbone.settings import Settings
from consumers.coordination.duties import duties
from consumers.coordination.facts import FactSet
from consumers.coordination.regler.standard import regelverk
from contracts import samtykke_api as api
from contracts.catalogue import Catalogue
from contracts.envelope import Content
from tests.faults.check import Duty

ROWS = (
    "SELECT source, id, subject::text, type, time, nokkelid::text, innhold, aad FROM tidslinje"
    " WHERE subject = ANY($1::uuid[])"
)


async def derived(
    rows: Collection[asyncpg.Record], settings: Settings, catalogue: Catalogue, at: datetime
) -> frozenset[Duty]:
    """What is due at the moment `at`, from `ROWS`. Raises SealBroken, and Retry when samtykke is away."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        wanted[row["subject"]].add(row["nokkelid"])
    items: list[api.NokkelItem] = [{"subject": s, "nokkelider": list(ids)} for s, ids in wanted.items()]
    async with SamtykkeClient(settings, "samordning") as samtykke:
        keys = {
            id_: base64.b64decode(key)
            for answer in await samtykke.keys(items)
            for id_, key in answer["nokler"].items()
        }
    rules = regelverk(catalogue)
    facts = {subject: FactSet(subject) for subject in wanted}
    for row in rows:
        content = Content.model_validate_json(open_sealed(keys[row["nokkelid"]], row["innhold"], row["aad"]))
        rules.tell(facts[row["subject"]], row["source"], row["type"], row["time"], row["id"], content)
    return frozenset(
        (d.subject, d.regel, d.anledning, d.tilstand, d.eier, d.frist.isoformat())
        for one in facts.values()
        for d in duties(one, rules, at)
    )
