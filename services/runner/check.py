"""From a draft to an event we accept: the pure part, shared by the runner and by `samspor send --dry-run`."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from pydantic import ValidationError

from backbone.clock import OSLO
from contracts.catalogue import Catalogue, UnknownType
from contracts.envelope import Content
from contracts.innboks import CONTENT_BYTES_MAX
from contracts.personnummer import Identitet, InvalidNumber, classify, identity_numbers
from services.format import EventDraft, Problem
from services.skjema import problems_of

OLDEST_YEARS = 25
AHEAD_MOST = timedelta(days=1)


@dataclass(frozen=True)
class Checked:
    """`full_type` and the content to seal, when there are no problems."""

    full_type: str
    content: Content


def check(
    draft: EventDraft, pointer: str, tjeneste: str, catalogue: Catalogue, now: datetime, demo: bool
) -> Checked | tuple[Problem, ...]:
    """The event that the draft becomes, or all that is wrong with it. `demo`: synthetic persons only."""
    try:
        event_type = catalogue.accepted_from(tjeneste, draft.type)
    except UnknownType:
        known = ", ".join(sorted((*catalogue.names_for(tjeneste), *catalogue.lanes_of(tjeneste))))
        return (Problem(f"{pointer}/type", "ukjent-type", {"tjeneste": tjeneste, "kjente": known}),)
    problems = [*person_problems(draft, pointer, now, demo)]
    if draft.time > now + AHEAD_MOST:
        problems.append(Problem(f"{pointer}/tid", "i-fremtiden"))
    if any(identity_numbers(draft.nokkel)) or (draft.id and any(identity_numbers(draft.id))):
        problems.append(Problem(f"{pointer}/nokkel", "nummer-i-nokkel"))
    if event_type.egen_kanal:
        # A report is sealed whole and never refused for whom or when it is about: its reader finds that out.
        problems = [problem for problem in problems if problem.code == "ekte-nummer"]
    data: dict[str, Any] = {}
    try:
        parsed = event_type.data.model_validate_json(orjson.dumps(draft.data))
        data = parsed.model_dump(mode="json", exclude_none=True)
    except ValidationError as error:
        # A retraction says only what it takes back.
        if draft.data or not draft.tilbaketrukket:
            problems += problems_of(error, f"{pointer}/data")
    content = Content(
        nokkel=draft.nokkel, versjon=draft.versjon, tilbaketrukket=draft.tilbaketrukket, data=data
    )
    if event_type.egen_kanal and len(content.model_dump_json().encode()) > CONTENT_BYTES_MAX:
        problems.append(Problem(f"{pointer}/data", "melding-for-stor", {"maks": CONTENT_BYTES_MAX}))
    if problems:
        return tuple(problems)
    return Checked(catalogue.full_type(tjeneste, draft.type), content)


def person_problems(draft: EventDraft, pointer: str, now: datetime, demo: bool) -> tuple[Problem, ...]:
    """What is wrong with whom the draft is about: no one, an invalid number, a grown-up, or a real one in a demo."""
    place = f"{pointer}/person"
    if draft.person is None:
        return () if draft.sak else (Problem(place, "person-mangler"),)
    today = now.astimezone(OSLO).date()
    try:
        identitet = classify(draft.person, today)
    except InvalidNumber as error:
        return (Problem(place, error.code),)
    if not identitet.identifies:
        return (Problem(place, "plassholder"),)
    if demo and not identitet.synthetic:
        return (Problem(place, "ekte-nummer"),)
    if _age(identitet, draft.time.astimezone(OSLO).date()) > OLDEST_YEARS:
        return (Problem(place, "for-gammel", {"alder": OLDEST_YEARS}),)
    return ()


def _age(identitet: Identitet, at: date) -> int:
    born = identitet.fodselsdato
    if born is None:
        return 0
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))
