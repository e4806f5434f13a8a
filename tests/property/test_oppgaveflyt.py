"""Tasks and batons in any hands, at any time: always exactly one holder, and no refusal is lost.

The machines know nothing of the rules of the flow: they keep the books (who accepted last, who refused since) and hold
the flow to them.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from backbone import frister
from consumers.coordination import oppgaveflyt, stafett
from consumers.coordination.oppgaveflyt import GRUNNER, Flytregler, Hendelse, NotAllowed, Onske
from consumers.coordination.oppgaver import Oppgave, steps
from consumers.coordination.regler.regel import Grunn
from contracts.tjenester import KOORDINERENDE_ENHET
from tests.unit.coordination.test_oppgaver import DUTY

SERVICES = ("skole", "helsestasjon", "nav", "barnevern", KOORDINERENDE_ENHET)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
RULES = Flytregler()
services = st.sampled_from(SERVICES)


class Task(RuleBasedStateMachine):
    """People's steps and the duty beneath interleave; consents come and go."""

    @initialize(owner=services)
    def opened(self, owner: str) -> None:
        self.now = START
        self.duty = replace(DUTY, eier=owner, hviler_pa=())
        self.may: set[str] = set(SERVICES)
        self.derived = True
        self.happened: list[Hendelse] = []
        self.held: dict[str, Oppgave] = {}
        self.told: list[str] = []
        self.accepted: str | None = None  # who last said yes
        self.refusals = 0  # since then
        self.settle()

    def knows(self, tjeneste: str, _: tuple[Grunn, ...]) -> bool:
        return tjeneste in self.may or tjeneste == self.duty.eier

    def settle(self) -> None:
        for step in steps(self.held, [self.duty] if self.derived else [], "4601", self.knows):
            self.held[step.oppgave.id] = step.oppgave
            if step.told:
                self.told.append(step.event_id)

    @property
    def task(self) -> Oppgave:
        return self.held[self.duty.oppgave_id]

    def do(self, onske: Onske) -> tuple[Hendelse, ...]:
        task, regler = self.task, RULES
        if task.status != "aapen":
            return ()
        found = oppgaveflyt.decide(task.flyt, task.eier, onske, lambda t: self.knows(t, ()), regler, self.now)
        flyt = task.flyt
        for hendelse in found:
            flyt = oppgaveflyt.evolve(flyt, hendelse)
        self.happened += found
        eier = flyt.ansvarlig if found and found[-1].slag in ("overtatt", "avgjort") else task.eier
        assert eier is not None
        status = "oppfylt" if flyt.tilstand == "utfort" else task.status
        self.held[task.id] = replace(task, flyt=flyt, eier=eier, status=status, versjon=task.versjon + 1)
        return found

    def command(self, av: str, kommando: oppgaveflyt.Kommando, til: str | None, grunn: str | None) -> None:
        task = self.task
        parts = oppgaveflyt.parter(task.flyt, task.eier, av, kontakt=False)
        may = kommando in oppgaveflyt.kommandoer(task.flyt, parts)
        holder = task.eier
        try:
            found = self.do(Onske(kommando, parts, av, til, grunn))
        except NotAllowed:
            return
        if task.status != "aapen":
            return
        assert may, "only what is offered as a choice can be done"
        if kommando in ("ta", "avgjor"):
            self.accepted, self.refusals = (av if kommando == "ta" else til), 0
        elif kommando == "avvis":
            self.refusals += 1
            assert found[0] == Hendelse("avvist", av, grunn)
            assert grunn in GRUNNER
        if kommando not in ("ta", "avgjor"):
            assert self.task.eier == holder, "the holder keeps it until the next accepts"

    @rule(av=services, til=services)
    def offer(self, av: str, til: str) -> None:
        self.command(av, "tilby", til, None)

    @rule(av=services)
    def take(self, av: str) -> None:
        self.command(av, "ta", None, None)

    @rule(av=services, grunn=st.sampled_from([*GRUNNER[:-1], None]))
    def refuse(self, av: str, grunn: str | None) -> None:
        self.command(av, "avvis", None, grunn)

    @rule(av=services, grunn=st.sampled_from(GRUNNER[:-1]))
    def disagree(self, av: str, grunn: str) -> None:
        self.command(av, "uenig", None, grunn)

    @rule(av=services, til=services)
    def settle_it(self, av: str, til: str) -> None:
        self.command(av, "avgjor", til, None)

    @precondition(lambda self: len(self.happened) > 4)
    @rule(av=services)
    def finish(self, av: str) -> None:
        self.command(av, "utfor", None, None)

    @rule(days=st.integers(1, 9))
    def time_goes(self, days: int) -> None:
        self.now += timedelta(days=days)
        task = self.task
        due = task.flyt.svar_innen is not None and frister.local_date(self.now) > task.flyt.svar_innen
        if task.flyt.tilstand == "tilbudt" and task.status == "aapen":
            found = self.do(Onske("svarfrist", frozenset({"tid"})))
            assert bool(found) == due, "an offer is raised when its date has gone by, and not before"
            assert self.task.eier == task.eier

    @rule(trinn=st.integers(1, 3), til=services)
    def date_passes(self, trinn: int, til: str) -> None:
        task = self.task
        found = self.do(Onske("fristbrudd", frozenset({"tid"}), til=til, trinn=trinn))
        assert bool(found) == (task.status == "aapen" and trinn > task.flyt.trinn), "each step once"
        before, after = task.flyt, self.task.flyt
        kept = replace(after, trinn=before.trinn, loftet_til=before.loftet_til, steg=before.steg)
        assert kept == before, "it takes nothing out of anybody's hands"
        assert after.trinn == max(before.trinn, trinn if found else 0)

    @rule(tjeneste=services)
    def consent_changes(self, tjeneste: str) -> None:
        self.may ^= {tjeneste}
        self.settle()

    @rule(derived=st.booleans(), met=st.booleans())
    def facts_change(self, derived: bool, met: bool) -> None:
        before = self.task.flyt
        self.derived = derived
        self.duty = replace(self.duty, tilstand="oppfylt" if met else "aapen")
        self.settle()
        assert self.task.flyt == before, "facts undo nothing that people did"

    @invariant()
    def exactly_one_holder_who_accepted_or_is_the_rules_owner(self) -> None:
        assert len(self.held) == 1
        accepted = self.accepted
        holder = accepted if accepted is not None and self.knows(accepted, ()) else self.duty.eier
        if self.derived:
            assert self.task.eier == holder

    @invariant()
    def no_refusal_is_lost(self) -> None:
        flyt = self.task.flyt
        assert flyt.avslag == self.refusals
        if self.refusals >= RULES.avslag_for_lofting and flyt.tilstand != "utfort":
            assert flyt.avgjores_av is not None, "two refusals lie with somebody who must act"

    @invariant()
    def what_holds_is_the_sum_of_what_happened(self) -> None:
        assert oppgaveflyt.fold(self.happened) == self.task.flyt
        assert self.task.flyt.steg == len(self.happened)

    @invariant()
    def nothing_is_told_twice(self) -> None:
        assert len(set(self.told)) == len(self.told)

    @invariant()
    def an_open_task_is_never_without_a_way_on(self) -> None:
        task = self.task
        if task.status != "aapen":
            return
        ways = oppgaveflyt.kommandoer(
            task.flyt, oppgaveflyt.parter(task.flyt, task.eier, task.eier, kontakt=False)
        )
        assert ways, "the holder can always do something"


class Baton(RuleBasedStateMachine):
    @initialize(owner=services)
    def begun(self, owner: str) -> None:
        self.now = START
        self.happened = [stafett.begin(owner)]
        self.may: set[str] = set(SERVICES)
        self.holders = [owner]
        self.refusals = 0

    @property
    def baton(self) -> stafett.Stafett:
        found = stafett.fold(self.happened)
        assert found is not None
        return found

    def attempt(self, onske: Callable[[], Onske]) -> tuple[stafett.Pinnehendelse, ...]:
        try:
            found = stafett.decide(self.baton, onske(), lambda t: t in self.may, RULES, self.now)
        except NotAllowed:
            return ()
        self.happened += found
        for hendelse in found:
            assert hendelse.fra == self.holders[-1], "it is handed on by who holds it"
            if hendelse.slag == "mottatt":
                self.holders.append(hendelse.til)
                self.refusals = 0
            elif hendelse.slag == "avslatt":
                self.refusals += 1
        return found

    def onske(
        self, av: str, kommando: oppgaveflyt.Kommando, til: str | None = None, grunn: str | None = None
    ) -> Onske:
        return Onske(kommando, stafett.parter(self.baton, av, kontakt=False), av, til, grunn)

    @rule(av=services, til=services)
    def offer(self, av: str, til: str) -> None:
        found = self.attempt(lambda: self.onske(av, "tilby", til=til))
        assert not found or (til in self.may and self.baton.tilbudt_til == til)

    @rule(av=services)
    def accept(self, av: str) -> None:
        asked, holder = self.baton.tilbudt_til, self.baton.innehaver
        if self.attempt(lambda: self.onske(av, "ta")):
            assert av in (asked, holder)

    @rule(av=services, grunn=st.sampled_from([*GRUNNER[:-1], None]))
    def refuse(self, av: str, grunn: str | None) -> None:
        before = self.refusals
        found = self.attempt(lambda: self.onske(av, "avvis", grunn=grunn))
        if found:
            assert found[0].grunn == grunn in GRUNNER
            assert before + 1 < RULES.avslag_for_lofting or self.holders[-1] == KOORDINERENDE_ENHET

    @rule(days=st.integers(1, 9))
    def time_goes(self, days: int) -> None:
        self.now += timedelta(days=days)
        until = self.baton.svar_innen
        found = self.attempt(lambda: Onske("svarfrist", frozenset({"tid"})))
        assert bool(found) == (until is not None and frister.local_date(self.now) > until)
        assert not found or self.holders[-1] == KOORDINERENDE_ENHET

    @rule(tjeneste=services)
    def consent_changes(self, tjeneste: str) -> None:
        self.may ^= {tjeneste}

    @invariant()
    def exactly_one_holder(self) -> None:
        assert self.baton.innehaver == self.holders[-1]
        assert self.baton.avslag == self.refusals


few = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestTask = Task.TestCase
TestTask.settings = few
TestBaton = Baton.TestCase
TestBaton.settings = few
