"""What a municipality may set of the rules: dates, thresholds, and what holds for all rules. Pure data."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from backbone import frister

Enhet = Literal["dager", "arbeidsdager", "maneder"]


@dataclass(frozen=True, slots=True)
class Frist:
    """So long after a day: calendar days, working days or calendar months."""

    antall: int
    enhet: Enhet = "arbeidsdager"

    def after(self, day: date) -> date:
        if self.enhet == "maneder":
            return frister.months_after(day, self.antall)
        if self.enhet == "dager":
            return frister.calendar_days_after(day, self.antall)
        return frister.working_days_after(day, self.antall)


class Parametre(BaseModel):
    """What holds for every rule. Days are whole days of 24 hours."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    inaktiv_etter_dager: int = Field(
        default=180, ge=1, description="en tjeneste uten hendelser så lenge følger ikke lenger opp barnet"
    )
    skolear_starter_maned: int = Field(default=8, ge=1, le=12, description="måneden skoleåret begynner")

    @cached_property
    def inactive_after(self) -> int:
        """In µs."""
        return int(timedelta(days=self.inaktiv_etter_dager) / timedelta(microseconds=1))
