"""The real store against a plain model of its rules, step by step, for as many steps as are asked for.

    HYPOTHESIS_PROFILE=thorough pytest tests/integration/test_state_machine.py     500 examples of 50 steps
    HYPOTHESIS_PROFILE=long pytest --timeout 0 tests/integration/test_state_machine.py   20,000 of 100

A failure prints the steps and the blob that repeat it; `--hypothesis-seed` repeats a whole run.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import orjson
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from support.draws import (
    CHAINS,
    FORM,
    PEOPLE,
    assignees,
    callers,
    capabilities,
    claimers,
    ends,
    fence_offsets,
    labels,
    leases,
    limits,
    picks,
    priorities,
    projects,
    spans,
    wishes,
    workers,
)
from support.machine import Twice, array
from support.model_world import Limits, ModelTask
from support.people import ANN, BOB, EVE, ROOT
from support.trial import Acts

from taskdeck.domain.errors import DeckError, Invalid
from taskdeck.domain.gates import HookResult, Shown
from taskdeck.domain.order import USUAL, Order
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import NO_END, WorkState
from taskdeck.service.answer import answer
from taskdeck.service.backlog import promote, shelve
from taskdeck.service.claim import claim
from taskdeck.service.create import create
from taskdeck.service.delegate import delegate
from taskdeck.service.edit import edit
from taskdeck.service.finish import complete, fail
from taskdeck.service.forms import fill, save_form
from taskdeck.service.heartbeat import heartbeat
from taskdeck.service.leave import leave
from taskdeck.service.operate import assign, cancel, delete, reprioritize, retry
from taskdeck.service.override import override_to_assignee, override_to_queue, override_to_worker
from taskdeck.service.projects import edit_project, pause, resume
from taskdeck.service.release import release
from taskdeck.service.requests import ClaimRequest, Edit, NewTask
from taskdeck.service.review import approve, reject
from taskdeck.service.signals import Signal, signal_to
from taskdeck.service.turns import skip
from taskdeck.service.workers import delete_worker, drain_worker
from taskdeck.store.unit import Unit

pytestmark = pytest.mark.timeout(900)

act = Acts()


class Deckhand(Twice):
    """The acts."""

    # agents

    @initialize(count=st.integers(2, 6), step=st.sampled_from([0, 500, 60_000, USUAL.step_ms]), data=st.data())
    def begin(self, count: int, step: int, data: st.DataObject) -> None:
        self.store.order, self.model.step_ms = Order(step), step
        self.restart()
        self.store(lambda unit: save_form(unit, ROOT, "f", None, FORM, "{}"))
        for _ in range(count):
            self._create(*data.draw(wishes))

    @act(3, wish=wishes)
    def create(self, wish: tuple[Any, ...]) -> None:
        self._create(*wish)

    def _create(
        self, project: str, priority: int, labels: frozenset[str], needed: frozenset[str], assignee: str | None,
        parents: list[int], rest: int, attempts: int | None, backlog: bool, review: str | None,
        kind: str, parent: int | None, gates: frozenset[str], form: bool,
        turns: tuple[tuple[str, int | None], ...], at_end: str, files: frozenset[str],
    ) -> None:  # fmt: skip
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
            files=array(files),
        )  # fmt: skip
        many = self.both(lambda unit: create(unit, ROOT, [wish]), refused)
        if many is None:
            return
        (made,) = many
        open_ = {key: self.model.tasks[key].state != "done" for key in above}
        task = ModelTask(
            made.number, made.key, project, priority, labels, needed, assignee, attempts or 3, not_before, open_,
            review=review or "none", kind=kind, parent=under, gates=gates,
            turns=turns, at_end=at_end if turns else None, form=form, files=files,
        )  # fmt: skip
        self.model.create(task, backlog=backlog)
        if under is not None:
            self.model.adopt(under)

    @act(
        6,
        claimer=claimers, count=st.sampled_from([1, 1, 2, 5]), endless=ends,
        project=st.one_of(st.none(), st.none(), projects),
        wanted=st.one_of(st.just(frozenset[str]()), labels), said=st.one_of(st.none(), capabilities), lease=leases,
        show=st.booleans(),
    )  # fmt: skip
    def claim_next(
        self, claimer: tuple[Principal, str], count: int, project: str | None, wanted: frozenset[str],
        said: frozenset[str] | None, lease: int | None, show: bool, endless: bool,
    ) -> None:  # fmt: skip
        who, worker = claimer
        lease = NO_END if endless else lease
        request = ClaimRequest(worker, None, count, project, wanted, said, lease, shown=_shown(show))
        expected, keys = self.model.claim_next(PEOPLE[who], worker, count, project, wanted, said, lease, shown=show)
        claimed = self.both(lambda unit: claim(unit, who, request), expected)
        if claimed is not None:
            assert [task.key for task in claimed.tasks] == keys
            assert bool(claimed.reasons) != bool(keys)

    @act(4, claimer=claimers)
    def claim_plainly(self, claimer: tuple[Principal, str]) -> None:
        self.claim_next(claimer, 1, None, frozenset(), None, None, show=True, endless=False)

    @act(
        4,
        index=picks,
        claimer=claimers,
        lease=leases,
        override=st.sampled_from([None, None, None, "why"]),
        show=st.booleans(),
        endless=ends,
    )
    def claim_named(
        self,
        index: int,
        claimer: tuple[Principal, str],
        lease: int | None,
        override: str | None,
        show: bool,
        endless: bool,
    ) -> None:
        lease = NO_END if endless else lease
        (who, worker), key = claimer, self.pick(index, self.model.queue()).key
        request = ClaimRequest(worker, key, lease_ms=lease, override_reason=override, shown=_shown(show))
        expected = self.model.claim_named(PEOPLE[who], key, worker, lease, override=override is not None, shown=show)
        self.both(lambda unit: claim(unit, who, request), expected)

    @act(
        12,
        verb=st.sampled_from(["heartbeat", "describe", "fill", "fill", "release", "complete", "complete", "fail"]),
        index=picks,
        other=callers, off=fence_offsets, lease=leases, delay=spans, again=st.sampled_from([True, True, False]),
        backoff=st.booleans(), ask=st.sampled_from([False, False, False, True]), leave=st.booleans(),
        show=st.booleans(),
    )  # fmt: skip
    def hold(
        self, verb: str, index: int, other: Principal | None, off: int, lease: int | None, delay: int, again: bool,
        backoff: bool, ask: bool, leave: bool, show: bool,
    ) -> None:  # fmt: skip
        task = self.pick(index, [task for task in self.model.tasks.values() if task.worker])
        own = task.principal or task.lapsed_under
        who = other or next((person for person in PEOPLE if person.name == own), ANN)
        key, fence, caller = task.key, task.fence + off, PEOPLE[who]
        if verb == "heartbeat":

            def beat(unit: Unit) -> Signal:
                held = heartbeat(unit, who, key, fence, progress=index, lease_ms=lease)
                return signal_to(unit, held.worker, stopping=False)

            signal = self.both(beat, self.model.heartbeat(caller, key, fence, lease, index))
            if signal is not None:
                assert (signal is Signal.DRAIN) == self.model.is_draining(task.worker)
        elif verb == "describe":
            wish = Edit({"description": "so far"}, fence=fence)
            self.both(lambda unit: edit(unit, who, key, wish), self.model.describe(caller, key, fence))
        elif verb == "fill":
            values = {"a": index if index % 4 else "no number"}
            work = partial(fill, who=who, ref=key, fence=fence, values=values)
            self.both(work, self.model.fill(caller, key, fence, fits=index % 4 > 0))
        elif verb == "release":
            work = partial(release, who=who, ref=key, fence=fence, delay_ms=delay)
            self.both(work, self.model.release(caller, key, fence, delay))
        elif verb == "complete":
            work = partial(
                complete,
                who=who,
                ref=key,
                fence=fence,
                result="{}" if task.form else "[1]",
                ask_review=ask,
                leave_children=leave,
                shown=_shown(show),
            )
            self.both(work, self.model.complete(caller, key, fence, ask_review=ask, leave=leave, shown=show))
        else:
            self._fail(who, task, fence, again, None if backoff else delay)

    @act(6, verb=st.sampled_from(["ask", "ask", "answer", "answer", "go on"]), index=picks, off=fence_offsets)
    def talk(self, verb: str, index: int, off: int) -> None:
        sooner = [task for task in self.model.tasks.values() if (task.asks if verb == "answer" else task.worker)]
        task = self.pick(index, sooner)
        key, fence, root = task.key, task.fence + off, PEOPLE[ROOT]
        beat = partial(heartbeat, who=ROOT, ref=key, fence=fence)
        if verb == "ask":
            work = partial(beat, work_state=WorkState.WAITING_INPUT, question="?", options=["a"])
            self.both(work, self.model.talk(root, key, fence, "open"))
        elif verb == "go on":
            self.both(partial(beat, work_state=WorkState.WORKING), self.model.talk(root, key, fence, None))
        else:
            self.both(partial(answer, who=ROOT, ref=key, text="a"), self.model.answer(key))

    def _fail(self, who: Principal, task: ModelTask, fence: int, again: bool, delay: int | None) -> None:
        least, most = self.model.rest_bounds(task) if task.attempt else (0, 0)
        expected = self.model.fail(PEOPLE[who], task.key, fence, retry=again, delay_ms=delay)
        work = partial(fail, who=who, ref=task.key, fence=fence, message="no", retry=again, delay_ms=delay)
        failed = self.both(work, expected)
        if failed is not None and delay is None and most and failed.state in ("scheduled", "blocked"):
            assert least <= failed.not_before - self.clock.now_ms() <= most
            task.not_before = failed.not_before

    @act(3, index=picks, other=callers, off=st.sampled_from([0] * 6 + [1, None, None]), wait=st.booleans())
    def delegate(self, index: int, other: Principal | None, off: int | None, wait: bool) -> None:
        held = [task for task in self.model.tasks.values() if task.worker]
        task = self.pick(index, [] if off is None else held)
        who = other or next((person for person in PEOPLE if person.name == task.principal), ROOT)
        fence = None if off is None else task.fence + off
        expected = self.model.refuse_delegating(PEOPLE[who], task.key, fence, wait=wait)
        wish = NewTask("c", task.project)
        made = self.both(partial(delegate, who=who, ref=task.key, wish=wish, fence=fence, wait=wait), expected)
        if made is not None:
            child = ModelTask(
                made[1].number, made[1].key, task.project, 50, frozenset(), frozenset(), None, 3, None, {},
                creator=who.name,
            )  # fmt: skip
            self.model.delegate(task.key, child, fence, wait=wait)

    @act(3, index=picks, who=st.sampled_from([ROOT, ANN, BOB]), turns=st.sampled_from(CHAINS),
         at_end=st.sampled_from(["open", "stay", "give_up"]), anew=st.sampled_from([False, False, True]))  # fmt: skip
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
        verb=st.sampled_from(["approve", "approve", "reject", "give_back", "promote", "promote", "shelve"]),
        index=picks, judge=st.sampled_from([ROOT, EVE]), show=st.booleans(),
    )  # fmt: skip
    def steer(self, verb: str, index: int, judge: Principal, show: bool) -> None:
        wanted = {"promote": ("backlog",), "shelve": ("ready", "blocked", "scheduled")}.get(verb, ("review",))
        key = self.pick(index, [task for task in self.model.tasks.values() if task.state in wanted]).key
        if verb == "approve":
            work = partial(approve, who=judge, ref=key, shown=_shown(show))
            self.both(work, self.model.approve(PEOPLE[judge], key, shown=show))
        elif verb in ("promote", "shelve"):
            act, expected = (promote, self.model.promote) if verb == "promote" else (shelve, self.model.shelve)
            self.both(partial(act, who=judge, ref=key), expected(key))
        else:
            to: Literal["queue", "worker"] = "queue" if verb == "reject" else "worker"
            work = partial(reject, who=judge, ref=key, note="no", to=to)
            self.both(work, self.model.reject(PEOPLE[judge], key, to))

    @act(2, index=picks, delay=spans, reset=st.booleans())
    def retry(self, index: int, delay: int, reset: bool) -> None:
        ended = [task for task in self.model.tasks.values() if task.state in ("done", "failed", "cancelled")]
        key = self.pick(index, ended).key
        work = partial(retry, who=ROOT, ref=key, delay_ms=delay, reset_attempts=reset)
        self.both(work, self.model.retry(key, delay, reset=reset))

    @act(
        5,
        verb=st.sampled_from(["cancel", "assign", "reprioritize", "to_worker", "to_assignee", "to_queue", "delete"]),
        index=picks, assignee=assignees, priority=priorities, worker=st.sampled_from(["w1", "w2", "w3", "w4"]),
        below=st.booleans(),
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
            self.both(partial(delete, who=ROOT, ref=key), model.delete(key))

    @act(
        4,
        verb=st.sampled_from(["relabel", "depend", "postpone"]), index=picks, labels=labels, needed=capabilities,
        attempts=st.integers(1, 4), off=st.sampled_from([None, None, 0, 1]), parents=st.lists(picks, max_size=3),
        rest=spans,
    )  # fmt: skip
    def edit(
        self, verb: str, index: int, labels: frozenset[str], needed: frozenset[str], attempts: int, off: int | None,
        parents: list[int], rest: int,
    ) -> None:  # fmt: skip
        task = self.pick(index)
        if verb == "relabel":
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

    @act(
        3,
        verb=st.sampled_from(["pause", "resume", "resume", "drain", "resume_worker", "resume_worker", "forget"]),
        project=projects, worker=workers,
    )  # fmt: skip
    def manage(self, verb: str, project: str, worker: str) -> None:
        if verb == "pause":
            self.both(partial(pause, who=ROOT, name=project, reason="r"), None)
            self.model.paused.add(project)
        elif verb == "resume":
            self.both(partial(resume, who=ROOT, name=project), None)
            self.model.paused.discard(project)
        elif verb == "forget":
            self.both(partial(delete_worker, who=ROOT, name=worker), self.model.forget(worker))
        else:
            draining = verb == "drain"
            work = partial(drain_worker, who=ROOT, name=worker, draining=draining)
            self.both(work, self.model.drain(worker, draining=draining))

    @act(2, project=projects, limits=limits)
    def limit(self, project: str, limits: Limits) -> None:
        fields = {
            "max_claims": limits.most, "max_claims_per_worker": limits.each,
            "max_claims_per_label": dict(limits.labels), "exclusive_files": limits.apart,
        }  # fmt: skip
        self.both(partial(edit_project, who=ROOT, name=project, fields=fields, version=None), None)
        self.model.limits[project] = limits

    @act(2, index=picks, worker=workers)
    def leave(self, index: int, worker: str) -> None:
        held = [task for task in self.model.tasks.values() if task.worker]
        name = self.pick(index, held).worker or worker
        self.both(partial(leave, who=ROOT, name=name), self.model.leave(name))

    # the world

    @act(5, seconds=st.sampled_from([1, 5, 61, 301, 700]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.store.batch()
        self.model.pass_time(seconds * 1000)

    @act(2, seconds=st.sampled_from([-86_400, -3_600, -30, -1, 1, 30, 3_600, 86_400]))
    def clock_is_set(self, seconds: int) -> None:
        self.clock.jump(seconds)
        self.store.batch()
        self.model.jump(seconds * 1000)

    @act(1)
    def restart(self) -> None:
        self.store.close()
        self.store.open()

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
        if self.model.tasks or name == "create":
            getattr(self, name)(**values)


def _gates(before: frozenset[str]) -> str | None:
    return orjson.dumps([{"before": verb, "hook": "h"} for verb in sorted(before)]).decode() if before else None


def _turns(turns: tuple[tuple[str, int | None], ...]) -> str | None:
    shown = [{"assignee": who, "seconds": None if ms is None else ms / 1000} for who, ms in turns]
    return orjson.dumps(shown).decode() if shown else None


def _shown(show: bool) -> Shown | None:
    return Shown({"h": HookResult(0, "", 1)}) if show else None


TestStateMachine = Deckhand.TestCase
