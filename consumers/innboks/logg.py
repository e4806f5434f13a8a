"""What the inbox's ledger keeps: who looked, and who was refused. Pure.

A row a call, whether anything lay there or not, so that how many there are tells nobody of a report. It names reports
by the lane's own random ids: never the child, the sender or what is said.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from backbone.ledger import Entry
from backbone.tokens import Principal

INNBOKS = "innboks"
FORMAL = "meldeplikt"


def given(who: Principal, reports: Iterable[UUID], after: int, every: bool, now: datetime) -> Entry:
    details = {"meldinger": [str(id_) for id_ in reports], "etter": after, "alle": every}
    return _row(who, "full", now, detaljer=details)


def refused(who: Principal, grunn: str, now: datetime) -> Entry:
    return _row(who, "deny", now, grunn=grunn)


def _row(who: Principal, utfall: str, now: datetime, **more: Any) -> Entry:
    return Entry(
        skriver=INNBOKS,
        tid=now,
        handling="lesing",
        aktor=who.sub,
        utfall=utfall,
        rolle=who.rolle,
        orgnr=who.orgnr,
        kommune=who.kommune,
        tjeneste=who.tjeneste,
        formal=FORMAL,
        slag=INNBOKS,
        **more,
    )
