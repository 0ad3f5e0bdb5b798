"""The real store against a plain model of its rules, step by step: 500 times 50 steps.

`python tests/soak.py` takes more. A failure prints the steps and the blob that repeat it; `--hypothesis-seed` repeats a
whole run.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import orjson
import pytest
from hypothesis import settings
from hypothesis.stateful import initialize, rule
from support.choice import ANEW, one_of, some_of
from support.draws import (
    CHAINS,
    FORM,
    PEOPLE,
    assignees,
    capabilities,
    flags,
    labels,
    leases,
    picks,
    priorities,
    projects,
    spans,
    wishes,
)
from support.machine import TALLY, array
from support.machine_crew import act
from support.machine_holding import Holding, showing
from support.model_world import ModelTask
from support.people import ANN, BOB, EVE, ROOT

from taskdeck.domain.errors import DeckError, Invalid
from taskdeck.domain.order import USUAL, Order
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import EVENT_OF
from taskdeck.domain.task import Verdict
from taskdeck.service.backlog import promote, shelve
from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.edit import edit
from taskdeck.service.forms import save_form
from taskdeck.service.operate import assign, cancel, delete, reprioritize, retry
from taskdeck.service.override import override_to_assignee, override_to_queue, override_to_worker
from taskdeck.service.projects import edit_project, pause, resume
from taskdeck.service.requests import ClaimRequest, Edit, NewTask
from taskdeck.service.review import approve, heed, judge, reject
from taskdeck.service.turns import skip
from taskdeck.service.workers import delete_worker, drain_worker
from taskdeck.store.unit import Unit

pytestmark = pytest.mark.timeout(900)


class Deckhand(Holding):
    """The acts of who makes tasks and directs them, and of the world."""

    # agents

    @initialize(step=one_of([0, 500, 60_000, USUAL.step_ms]).drawn(), wanted=some_of(wishes, [2, 3, 4]).drawn())
    def begin(self, step: int, wanted: list[tuple[Any, ...]]) -> None:
        self.launch(Order(step))
        self.model.step_ms = step
        self.store(lambda unit: save_form(unit, ROOT, "f", None, FORM, "{}"))
        for wish in wanted:
            self._create(*wish)

    @act(6, wish=wishes)
    def create(self, wish: tuple[Any, ...]) -> None:
        self._create(*wish)

    def _create(
        self, project: str, priority: int, labels: frozenset[str], needed: frozenset[str], assignee: str | None,
        parents: list[int], rest: int, attempts: int | None, backlog: bool, review: str | None,
        kind: str, parent: int | None, gates: frozenset[str], form: bool,
        turns: tuple[tuple[str, int | None], ...], at_end: str, files: frozenset[str], late: int | None,
        approve: int | None,
    ) -> None:  # fmt: skip
        self.come_due()
        due = None if late is None else self.clock.now_ms() + late
        above = list(dict.fromkeys(self.pick(index).key for index in parents)) if self.model.tasks else []
        not_before = self.clock.now_ms() + rest if rest else None
        goals = [task for task in self.model.tasks.values() if task.kind == "goal"]
        under = self.pick(parent, goals).key if parent is not None and self.model.tasks else None
        refused = None if under is None else self.model.refuse_child(PEOPLE[ROOT], under, above)
        wish = NewTask(
            "t", project, priority=priority, labels=labels, capabilities=needed,
            assignee=assignee if not turns else None, depends_on=tuple(above), not_before=not_before,
            max_attempts=attempts, backlog=backlog, review=review, kind=kind, parent=under, gates=_gates(gates),
            assignees=_turns(turns), at_end=at_end, form=("f", None) if form else None,
            files=array(files), due=due, approve_after_ms=approve,
        )  # fmt: skip
        many = self.both(lambda unit: create(unit, ROOT, [wish]), refused)
        if many is None:
            return
        (made,) = many
        open_ = {key: self.model.tasks[key].state != "done" for key in above}
        task = ModelTask(
            made.number, made.key, project, priority, labels, needed, assignee, attempts or 3, not_before, open_,
            review=review or "none", kind=kind, parent=under, gates=gates,
            turns=turns, at_end=at_end if turns else None, form=form, files=files, due=due, approve_after=approve,
        )  # fmt: skip
        self.model.create(task, backlog=backlog)
        if under is not None:
            self.model.adopt(under)

    @act(2, key=one_of(["L1", "L2", "L3"]), awaited=one_of([None, "L1", "L2", "L3"]), index=picks, depends=flags)
    def promise(self, key: str, awaited: str | None, index: int, depends: bool) -> None:
        """A task for whose key others may wait, and which may wait for one that is not there yet."""
        above = [self.pick(index).key] if depends else []
        wish = NewTask("p", "default", key=key, awaits=() if awaited is None else (awaited,), depends_on=tuple(above))
        many = self.both(lambda unit: create(unit, ROOT, [wish]), self.model.refuse_promised(key, awaited, above))
        if many is not None:
            open_ = {parent: self.model.tasks[parent].state != "done" for parent in above}
            task = ModelTask(
                many[0].number, key, "default", 50, frozenset(), frozenset(), None, 3, None, open_
            )  # fmt: skip
            self.model.promise(task, awaited)

    @act(3, index=picks, who=one_of([ROOT, ANN, BOB]), turns=one_of(CHAINS),
         at_end=one_of(["open", "stay", "give_up"]), anew=one_of([False, False, True]))  # fmt: skip
    def take_turns(
        self, index: int, who: Principal, turns: tuple[tuple[str, int | None], ...], at_end: str, anew: bool
    ) -> None:
        key = self.pick(index, [task for task in self.model.tasks.values() if task.turn is not None]).key
        if anew:
            work = partial(assign, who=ROOT, ref=key, assignee=None, turns=_turns(turns), at_end=at_end)
            self.both(work, self.model.assign_in_turn(key, turns, at_end))
        else:
            self.both(partial(skip, who=who, ref=key), self.model.skip(PEOPLE[who], key))

    # operators

    @act(
        5,
        verb=one_of(["approve", "reject", "give_back", "promote", "promote", "shelve"]),
        index=picks, judge=one_of([ROOT, EVE]), show=flags,
    )  # fmt: skip
    def steer(self, verb: str, index: int, judge: Principal, show: bool) -> None:
        wanted = {"promote": ("backlog",), "shelve": ("ready", "blocked", "scheduled")}.get(verb, ("review",))
        key = self.pick(index, [task for task in self.model.tasks.values() if task.state in wanted]).key
        if verb == "approve":
            work = partial(approve, who=judge, ref=key, shown=showing(show))
            self.both(work, self.model.approve(PEOPLE[judge], key, shown=show))
        elif verb in ("promote", "shelve"):
            act, expected = (promote, self.model.promote) if verb == "promote" else (shelve, self.model.shelve)
            self.both(partial(act, who=judge, ref=key), expected(key))
        else:
            to: Literal["queue", "worker"] = "queue" if verb == "reject" else "worker"
            work = partial(reject, who=judge, ref=key, note="no", to=to)
            self.both(work, self.model.reject(PEOPLE[judge], key, to))

    @act(4, verdict=one_of(list(Verdict)), index=picks, who=one_of([ROOT] * 4 + [EVE, ANN, BOB]), lease=leases,
         show=flags, astray=one_of([False] * 7 + [True]))  # fmt: skip
    def judge(self, verdict: Verdict, index: int, who: Principal, lease: int | None, show: bool, astray: bool) -> None:
        """An operator judges; or what was judged is heeded. Astray, the other of the two."""
        task = self.pick(index, [task for task in self.model.tasks.values() if task.state == "review"])
        if (task.verdict is None) == astray:
            work = partial(heed, who=who, ref=task.key, shown=showing(show), lease_ms=lease)
            self.both(work, self.model.heed(PEOPLE[who], task.key, lease, shown=show))
        else:
            judge_ = EVE if who is EVE else ROOT
            work = partial(judge, who=judge_, ref=task.key, verdict=verdict)
            self.both(work, self.model.judge(PEOPLE[judge_], task.key, verdict.value))

    @act(2, index=picks, delay=spans, reset=flags)
    def retry(self, index: int, delay: int, reset: bool) -> None:
        ended = [task for task in self.model.tasks.values() if task.state in ("done", "failed", "cancelled")]
        key = self.pick(index, ended).key
        work = partial(retry, who=ROOT, ref=key, delay_ms=delay, reset_attempts=reset)
        self.both(work, self.model.retry(key, delay, reset=reset))

    @act(
        5,
        verb=one_of(["cancel", "assign", "reprioritize", "to_worker", "to_assignee", "to_queue", "delete"]),
        index=picks, assignee=assignees, priority=priorities, worker=one_of(["w1", "w2", "w3", "w4", "root"]),
        below=flags,
    )  # fmt: skip
    def operate(self, verb: str, index: int, assignee: str | None, priority: int, worker: str, below: bool) -> None:
        overridden = [task for task in self.model.tasks.values() if task.worker] if verb.startswith("to_") else []
        key, model = self.pick(index, overridden).key, self.model
        if verb == "cancel":
            work = partial(cancel, who=ROOT, ref=key, with_children=below)
            self.both(work, model.cancel(key, children=below))
        elif verb == "assign":
            self.both(partial(assign, who=ROOT, ref=key, assignee=assignee), model.assign(key, assignee))
        elif verb == "reprioritize":
            work = partial(reprioritize, who=ROOT, ref=key, priority=priority)
            self.both(work, model.reprioritize(key, priority))
        elif verb == "to_worker":
            work = partial(override_to_worker, who=ROOT, ref=key, worker=worker, reason="r")
            self.both(work, model.override_to_worker(PEOPLE[ROOT], key, worker))
        elif verb == "to_assignee":
            work = partial(override_to_assignee, who=ROOT, ref=key, assignee=worker, reason="r")
            self.both(work, model.override_to_assignee(key, worker))
        elif verb == "to_queue":
            self.both(partial(override_to_queue, who=ROOT, ref=key, reason="r"), model.override_to_queue(key))
        elif len(model.tasks) > 2:
            self.both(partial(delete, who=ROOT, ref=key, detached=below), model.delete(key, detached=below))

    @act(
        5,
        verb=one_of(["relabel", "depend", "postpone", "move", "redate"]), index=picks, project=projects,
        labels=labels, needed=capabilities,
        attempts=one_of([1, 2, 3, 4]), off=one_of([None, None, 0, 1]), parents=some_of(picks, [0, 1, 2, 3]),
        rest=spans,
    )  # fmt: skip
    def edit(
        self, verb: str, index: int, labels: frozenset[str], needed: frozenset[str], attempts: int, off: int | None,
        parents: list[int], rest: int, project: str,
    ) -> None:  # fmt: skip
        task = self.pick(index)
        if verb == "move":
            wish, expected = Edit({"project": project}), self.model.move(task.key, project)
        elif verb == "redate":
            due = self.clock.now_ms() + rest if rest else None
            wish, expected = Edit({"due": due}), self.model.redate(task.key, due)
        elif verb == "relabel":
            version = None if off is None else task.version + off
            wish = Edit({"labels": labels, "capabilities": needed, "max_attempts": attempts}, version)
            expected = self.model.relabel(task.key, labels, needed, attempts, version)
        elif verb == "depend":
            above = list(dict.fromkeys(self.pick(parent).key for parent in parents))
            wish = Edit({"depends_on": above})
            expected = self.model.depend(task.key, above)
        else:
            not_before = self.clock.now_ms() + rest if rest else None
            wish = Edit({"not_before": not_before})
            expected = self.model.postpone(task.key, not_before)
        self.both(lambda unit: edit(unit, ROOT, task.key, wish), expected)

    # the world

    @act(3, seconds=one_of([1, 5, 5, 61, 61, 301, 700]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.model.now += seconds * 1000
        self.come_due()

    @act(1, seconds=one_of([-86_400, -3_600, -30, -1, 1, 30, 3_600, 86_400]))
    def clock_is_set(self, seconds: int) -> None:
        self.clock.jump(seconds)
        self.model.jump(seconds * 1000)
        self.model.upkeep()
        self.store.batch()

    @act(1, index=picks)
    def a_unit_breaks_down(self, index: int) -> None:
        """Half a unit of work between two whole ones leaves nothing behind."""
        key = self.pick(index).key
        project = "side" if index % 3 else "default"

        def broken(unit: Unit) -> None:
            create(unit, ROOT, [NewTask("half", project, labels=frozenset({"never"}), assignee=f"new{index}")])
            claim(unit, ROOT, ClaimRequest("w9", max_tasks=3))
            if self.model.tasks[key].state not in ("done", "failed", "cancelled"):
                cancel(unit, ROOT, key)
            if project in self.model.paused:
                resume(unit, ROOT, project)
            else:
                pause(unit, ROOT, project, "r")
            drain_worker(unit, ROOT, "w9")
            if index % 5 == 0:
                edit_project(unit, ROOT, project, {"max_claims": 1, "exclusive_files": True}, None)
            if index % 2:
                delete_worker(unit, ROOT, next(iter(self.model.workers), "nobody"))
            raise Invalid("in the middle")

        def look(unit: Unit) -> int:
            return unit.mirror.last_seq

        before, broke, after = self.store.batch(look, broken, look).outcomes
        assert isinstance(broke[2], DeckError)
        assert before[1] == after[1]

    @rule(chosen=act.drawn())
    def step(self, chosen: tuple[str, dict[str, Any]]) -> None:
        """Any of the acts, by their weights: as rules of their own most would be switched off in most examples."""
        name, values = chosen
        self.come_due()
        if self.model.tasks or name == "create":
            getattr(self, name)(**values)


def _gates(before: frozenset[str]) -> str | None:
    return orjson.dumps([{"before": verb, "hook": "h"} for verb in sorted(before)]).decode() if before else None


def _turns(turns: tuple[tuple[str, int | None], ...]) -> str | None:
    shown = [{"assignee": who, "seconds": None if ms is None else ms / 1000} for who, ms in turns]
    return orjson.dumps(shown).decode() if shown else None


class TestStateMachine(Deckhand.TestCase):  # type: ignore[misc]
    """All acts; in the end every verb of the table was done, by whoever does it."""

    settings = settings(max_examples=500, stateful_step_count=50, backend=ANEW)

    def runTest(self) -> None:
        TALLY.events.clear()
        super().runTest()
        assert set(EVENT_OF.values()) - TALLY.events.keys() == set()
