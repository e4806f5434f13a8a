"""Who is whose: which users are a child itself, its parent or its guardian."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

import asyncpg

from contracts import samtykke_api as api

INSERT = """
    INSERT INTO familie (subject, bruker, rolle) VALUES ($1, $2, $3)
    ON CONFLICT (subject, bruker) DO UPDATE SET rolle = excluded.rolle
"""
DELETE = "DELETE FROM familie WHERE subject = ANY($1::uuid[]) AND bruker = $2"
CHILDREN = """
    SELECT DISTINCT coalesce(p.kanonisk, f.subject) AS subject
    FROM familie f JOIN person p USING (subject) WHERE f.bruker = $1 ORDER BY subject
"""
ROLES = "SELECT subject, rolle FROM familie WHERE bruker = $1 AND subject = ANY($2::uuid[])"


async def families_of(
    db: asyncpg.Connection, bruker: str, subjects: Collection[UUID]
) -> Mapping[UUID, frozenset[tuple[str, api.Familierolle]]]:
    """What the user is to each of the children; those that are none of hers are left out."""
    found: dict[UUID, set[tuple[str, api.Familierolle]]] = defaultdict(set)
    for row in await db.fetch(ROLES, bruker, list(subjects)) if subjects else ():
        found[row["subject"]].add((bruker, row["rolle"]))
    return {subject: frozenset(roles) for subject, roles in found.items()}
