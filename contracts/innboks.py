"""The lane to barnevern's inbox: the neutral envelope that travels, and the plaintext inside its seal.

The envelope is CloudEvents 1.0 in Kafka binary mode with the required attributes alone, each the same for every
report, but for a random id and the name of the key that opens the body. Who sent it, about whom, when and what is
inside (domain notes §3, `bekymringsmelding.sendt`; the meldeplikt: barnevernsloven § 13-2).
"""

from collections.abc import Iterable
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

from contracts.envelope import Content, FutureVersion, Headers, MalformedEnvelope

MOTTAKER: Final = "barnevern"
"""The one service that reads the inbox."""
TYPE: Final = "no.samspor.innboks.melding"
SOURCE: Final = "/innboks"
SEALED: Final = "application/vnd.samspor.hpke"
PADDED_BYTES: Final = 1024
"""The plaintext is filled with blanks to a multiple of this, so that its length tells little."""


class Innboksmelding(BaseModel):
    """One report as its sender gave it. `person` is the national id as written, valid or not, `sak` the sender's case
    reference; both may be missing, for a concern is never refused for want of a number."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    id: str
    source: str
    type: str
    time: AwareDatetime
    recordedtime: AwareDatetime
    kommune: str
    orgnr: str
    person: str | None
    sak: str | None
    innhold: Content


def to_bytes(melding: Innboksmelding) -> bytes:
    text = melding.model_dump_json().encode()
    return text + b" " * (-len(text) % PADDED_BYTES)


def to_headers(id_: str, nokkelid: str) -> Headers:
    """The record's headers. `id_` is random: the lane's own id, not the event's."""
    attributes = {"specversion": "1.0", "id": id_, "source": SOURCE, "type": TYPE, "nokkelid": nokkelid}
    return [("content-type", SEALED.encode()), *((f"ce_{k}", v.encode()) for k, v in attributes.items())]


def from_headers(headers: Iterable[tuple[str, bytes | None]]) -> tuple[str, str]:
    """(id, nokkelid). Raises MalformedEnvelope or FutureVersion; unknown headers are ignored."""
    found = {name: value.decode("ascii", "replace") for name, value in headers if value is not None}
    specversion = found.get("ce_specversion", "")
    if specversion.partition(".")[0] != "1":
        raise (FutureVersion if specversion[:1].isdigit() else MalformedEnvelope)("specversion")
    if found.get("ce_type") != TYPE:
        raise MalformedEnvelope("type")
    for name in ("id", "nokkelid"):
        if not found.get(f"ce_{name}"):
            raise MalformedEnvelope(name)
    return found["ce_id"], found["ce_nokkelid"]


def context(id_: str, nokkelid: str) -> bytes:
    """What the seal binds, so that no body can be put under another envelope unnoticed."""
    return f"{TYPE}\n{id_}\n{nokkelid}".encode()
