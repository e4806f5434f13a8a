"""How coordination names the events about a task, so that a reader can tell which task one is about by its id."""

import uuid


def step_event_id(oppgave: str, steg: str, versjon: int) -> str:
    """Id of the event that tells of a task's step: UUIDv5 of the task, the step (opprettet, utfort, bortfalt …) and
    the task's version, so that the same step is never told twice."""
    return str(uuid.uuid5(uuid.UUID(oppgave), f"{steg}\n{versjon}"))
