"""Children with several subjects: what is due is derived from all of them at once, as of one child. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from consumers.coordination.oppgaveflyt import NY
from consumers.coordination.oppgaver import Oppgave
from consumers.coordination.regler.regel import Duty


def as_given(duties: Iterable[Duty], barn: Sequence[str], held: Mapping[str, Oppgave]) -> Iterator[Duty]:
    """The duties of a joined child, each under the subject whose task it is already: an id once given stays.

    `barn` are the child's subjects, the canonical one first; `held` the tasks of all of them by id. Where several of
    them had the same task, one stays: before others the one still open, the one somebody has done something with, and
    the canonical subject's.
    """

    def fallen(duty: Duty) -> tuple[bool, bool]:
        task = held[duty.oppgave_id]
        return task.status == "bortfalt", task.flyt == NY

    for duty in duties:
        candidates = [replace(duty, subject=subject) for subject in barn]
        given = [d for d in candidates if d.oppgave_id in held]
        yield min(given, key=fallen, default=duty)
