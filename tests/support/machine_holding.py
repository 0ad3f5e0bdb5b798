"""What claims a task, and what its holder does until it gives it back: the part of the machine about claims."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from support.choice import one_of
from support.draws import (
    PEOPLE,
    callers,
    claimers,
    ends,
    fence_offsets,
    flags,
    leases,
    picks,
    sessions,
    spans,
)  # fmt: skip
from support.machine_crew import Crewed, act
from support.model_world import UNSTARTED, ModelTask
from support.people import ANN, BOB, ROOT
from taskdeck.domain.gates import HookResult, Shown
from taskdeck.domain.log import NewEntry
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import NO_END, Task, WorkState
from taskdeck.service.answer import answer
from taskdeck.service.claim import claim
from taskdeck.service.claim_next import Ended, end_and_claim
from taskdeck.service.delegate import delegate
from taskdeck.service.edit import edit
from taskdeck.service.finish import complete, fail
from taskdeck.service.forms import fill
from taskdeck.service.heartbeat import heartbeat
from taskdeck.service.log import append_log
from taskdeck.service.operate import cancel
from taskdeck.service.release import release
from taskdeck.service.requests import ClaimRequest, Edit, NewTask
from taskdeck.service.signals import Signal, signal_to
from taskdeck.store.unit import Unit


def showing(show: bool) -> Shown | None:
    """What gates want to be shown, or nothing."""
    return Shown({"h": HookResult(0, "", 1)}) if show else None


class Holding(Crewed):
    """The acts of claimers and holders."""

    @act(
        6,
        claimer=claimers, count=one_of([1, 1, 2, 5]), endless=ends,
        project=one_of([None] * 4 + ["default", "default", "side"]),
        wanted=one_of([frozenset[str]()] * 6 + [frozenset({"a"}), frozenset({"a", "b"})]),
        said=one_of([None] * 5 + [frozenset[str]()] * 3 + [frozenset({"py"}), frozenset({"py", "go"})]), lease=leases,
        show=flags, session=sessions,
    )  # fmt: skip
    def claim_next(
        self, claimer: tuple[Principal, str], count: int, project: str | None, wanted: frozenset[str],
        said: frozenset[str] | None, lease: int | None, show: bool, endless: bool,
        session: str | None,
    ) -> None:  # fmt: skip
        who, worker = claimer
        lease = NO_END if endless else lease
        request = ClaimRequest(worker, None, count, project, wanted, said, lease, shown=showing(show), session=session)
        expected, keys = self.model.claim_next(
            PEOPLE[who], worker, count, project, wanted, said, lease, shown=show, session=session
        )
        claimed = self.both(lambda unit: claim(unit, who, request), expected)
        if claimed is not None:
            assert [task.key for task in claimed.tasks] == keys
            assert bool(claimed.reasons) != bool(keys)

    @act(12, claimer=claimers)
    def claim_plainly(self, claimer: tuple[Principal, str]) -> None:
        self.claim_next(claimer, 1, None, frozenset(), None, None, show=True, endless=False, session=None)

    @act(
        4,
        index=picks,
        claimer=claimers,
        lease=leases,
        override=one_of([None, None, None, "why"]),
        show=flags,
        endless=ends,
        session=sessions,
    )
    def claim_named(
        self,
        index: int,
        claimer: tuple[Principal, str],
        lease: int | None,
        override: str | None,
        show: bool,
        endless: bool,
        session: str | None,
    ) -> None:
        lease = NO_END if endless else lease
        (who, worker), key = claimer, self.pick(index, self.model.queue()).key
        request = ClaimRequest(
            worker, key, lease_ms=lease, override_reason=override, shown=showing(show), session=session
        )
        expected = self.model.claim_named(
            PEOPLE[who], key, worker, lease, override=override is not None, shown=show, session=session
        )
        self.both(lambda unit: claim(unit, who, request), expected)

    @act(
        12,
        verb=one_of(
            [*["complete"] * 4, "fill", "fill", "heartbeat", "report", "describe", "release", "fail", "call_off"]
        ),
        index=picks,
        other=callers, off=fence_offsets, lease=leases, delay=spans, again=one_of([True, True, False]),
        backoff=flags, ask=one_of([False, False, False, True]), leave=flags,
        show=one_of([True, True, False]),
    )  # fmt: skip
    def hold(
        self, verb: str, index: int, other: Principal | None, off: int, lease: int | None, delay: int, again: bool,
        backoff: bool, ask: bool, leave: bool, show: bool,
    ) -> None:  # fmt: skip
        held = [task for task in self.model.tasks.values() if task.worker or task.lapsed_under]
        if not held:
            self.claim_plainly((ANN, "w1"))
            return
        task = self.pick(index, held)
        own = task.principal or task.lapsed_under
        who = other or next((person for person in PEOPLE if person.name == own), ANN)
        key, fence, caller = task.key, task.fence + off, PEOPLE[who]
        if verb in ("heartbeat", "report"):
            renew = verb == "heartbeat"

            def beat(unit: Unit) -> Signal:
                held = heartbeat(unit, who, key, fence, progress=index, lease_ms=lease, renew=renew)
                return signal_to(unit, held.worker, stopping=False)

            signal = self.both(beat, self.model.heartbeat(caller, key, fence, lease, index, renew=renew))
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
        elif verb == "call_off":
            self.both(partial(cancel, who=who, ref=key, fence=fence), self.model.call_off(caller, key, fence))
        elif verb == "complete":
            work = partial(
                complete,
                who=who,
                ref=key,
                fence=fence,
                result="{}" if task.form else "[1]",
                ask_review=ask,
                leave_children=leave,
                shown=showing(show),
            )
            if backoff:
                self._complete_and_claim(task, who, fence, work, ask=ask, leave=leave, show=show)
            else:
                self.both(work, self.model.complete(caller, key, fence, ask_review=ask, leave=leave, shown=show))
        else:
            self._fail(who, task, fence, again, None if backoff else delay)

    def _complete_and_claim(
        self,
        task: ModelTask,
        who: Principal,
        fence: int,
        end: Callable[[Unit], Task],
        *,
        ask: bool,
        leave: bool,
        show: bool,
    ) -> None:
        def work(unit: Unit) -> Ended:
            return end_and_claim(unit, who, task.key, end, lambda worker: ClaimRequest(worker, shown=showing(show)))

        expected, keys = self.model.complete_and_claim(
            PEOPLE[who], task.key, fence, ask_review=ask, leave=leave, shown=show
        )
        ended = self.both(work, expected)
        if ended is not None:
            assert ended.task["state"] in ("done", "review")
            assert [given.key for given in ended.next.tasks] == keys
            assert bool(ended.next.reasons) != bool(keys)

    @act(3, verb=one_of(["complete", "fill"]), index=picks, who=one_of([ROOT] * 4 + [ANN, BOB]), show=flags)
    def see_to(self, verb: str, index: int, who: Principal, show: bool) -> None:
        """Without a fence: what nobody has begun."""
        waiting = [task for task in self.model.tasks.values() if task.state in UNSTARTED]
        task = self.pick(index, [task for task in waiting if task.parent] or waiting)
        if verb == "complete":
            result = "{}" if task.form else "[1]"
            work = partial(complete, who=who, ref=task.key, fence=None, result=result, shown=showing(show))
            self.both(work, self.model.complete(PEOPLE[who], task.key, None, shown=show))
        else:
            work = partial(fill, who=who, ref=task.key, fence=None, values={"a": index if index % 4 else "no number"})
            self.both(work, self.model.fill(PEOPLE[who], task.key, None, fits=index % 4 > 0))

    @act(
        4,
        index=picks, off=fence_offsets, count=one_of([1, 1, 2]), quiet=one_of([False, False, True]),
        word=one_of(["a", "a", "b"]), after=one_of([None, None, 0, -1, -2, 1]),
        sequence=one_of([None, None, 0, -1, -2, 1]),
    )  # fmt: skip
    def tell(
        self, index: int, off: int, count: int, quiet: bool, word: str, after: int | None, sequence: int | None
    ) -> None:
        task = self.pick(index, [task for task in self.model.tasks.values() if task.worker])
        said = [("step", f'"{word}{nth}"', quiet) for nth in range(count)]
        stands = sum(not quiet for _, _, quiet in task.log)
        at = None if after is None else max(0, len(task.log) + after)
        standing = None if sequence is None else max(0, stands + sequence)
        work = partial(
            append_log, who=ROOT, ref=task.key, fence=task.fence + off, entries=[NewEntry(*one) for one in said],
            after=at, after_sequence=standing,
        )  # fmt: skip
        self.both(work, self.model.tell(PEOPLE[ROOT], task.key, task.fence + off, said, at, standing))

    @act(4, verb=one_of(["talk"] * 5 + ["ask", "answer", "go on"]), index=picks, off=fence_offsets)
    def talk(self, verb: str, index: int, off: int) -> None:
        """A holder asks, or goes on; an operator answers, in a talk what is asked already."""
        asked = [task for task in self.model.tasks.values() if task.asks == "open"]
        held = [task for task in self.model.tasks.values() if task.worker]
        answers = verb == "answer" or (verb == "talk" and bool(asked))
        task = self.pick(index, asked if answers else held)
        key, fence, root = task.key, task.fence + off, PEOPLE[ROOT]
        beat = partial(heartbeat, who=ROOT, ref=key, fence=fence)
        if answers:
            self.both(partial(answer, who=ROOT, ref=key, text="a"), self.model.answer(key))
        elif verb == "go on":
            self.both(partial(beat, work_state=WorkState.WORKING), self.model.talk(root, key, fence, None))
        else:
            work = partial(beat, work_state=WorkState.WAITING_INPUT, question="?", options=["a"])
            self.both(work, self.model.talk(root, key, fence, "open"))

    def _fail(self, who: Principal, task: ModelTask, fence: int, again: bool, delay: int | None) -> None:
        least, most = self.model.rest_bounds(task) if task.attempt else (0, 0)
        expected = self.model.fail(PEOPLE[who], task.key, fence, retry=again, delay_ms=delay)
        work = partial(fail, who=who, ref=task.key, fence=fence, message="no", retry=again, delay_ms=delay)
        failed = self.both(work, expected)
        if failed is not None and delay is None and most and failed.state in ("scheduled", "blocked"):
            assert least <= failed.not_before - self.clock.now_ms() <= most
            task.not_before = failed.not_before

    @act(2, index=picks, other=callers, off=one_of([0] * 6 + [1, None, None]), wait=one_of([False, False, True]))
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
