"""What holders ask of the deck, once it is understood: the same for a request and for a message on a socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from taskdeck.domain.principal import Principal
from taskdeck.domain.task import NO_END, Task
from taskdeck.http.gate_models import shown
from taskdeck.http.holding_models import Claim, Complete, Fail, Heartbeat, Release, Wish
from taskdeck.http.models import ms
from taskdeck.http.wire import Reply, beat_reply, claimed_reply, ended_reply, task_reply
from taskdeck.service import finish
from taskdeck.service import heartbeat as beating
from taskdeck.service import release as releasing
from taskdeck.service.claim_next import Ended, end_and_claim
from taskdeck.service.deck import Deck
from taskdeck.service.once import OnceKey, Render
from taskdeck.service.requests import MANY, ClaimRequest
from taskdeck.service.signals import Signal, signal_to
from taskdeck.store.unit import Unit


class Asker(Protocol):
    """Who asks, of which deck; `once` if it is to happen once however often it is asked."""

    @property
    def deck(self) -> Deck: ...

    @property
    def who(self) -> Principal: ...

    @property
    def once(self) -> OnceKey | None: ...

    def answer(self, work: Callable[[Unit], Any], render: Render, *, long: bool = False) -> Awaitable[Reply]:
        """Do `work` and answer with what `render` makes of it."""


def claim(asker: Asker, said: Claim) -> Awaitable[Reply]:
    """Claim the next task, several, or one by name."""
    request = _wanted(said, said.worker)
    request.ref = said.task
    request.override_reason = None if said.override is None else said.override.reason
    request.on_behalf_of = said.on_behalf_of
    return asker.deck.claim(asker.who, request, said.wait_seconds, asker.once, claimed_reply)


def heartbeat(asker: Asker, ref: str, said: Heartbeat) -> Awaitable[Reply]:
    """Renew the lease, report, ask, and hear whether to go on."""

    def work(unit: Unit) -> tuple[Task, Signal]:
        task = beating.heartbeat(
            unit,
            asker.who,
            ref,
            said.fence,
            progress=said.progress,
            work_state=said.state,
            detail=said.detail,
            lease_ms=ms(said.lease_seconds),
            renew=said.renew,
            question=said.question,
            options=said.options,
        )
        return task, signal_to(unit, task.worker, stopping=asker.deck.draining)

    return asker.answer(work, beat_reply)


def release(asker: Asker, ref: str, said: Release) -> Awaitable[Reply]:
    """Give the task back."""
    delay = ms(said.delay_seconds) or 0
    return asker.answer(
        lambda unit: releasing.release(unit, asker.who, ref, said.fence, note=said.note, delay_ms=delay), task_reply
    )


def complete(asker: Asker, ref: str, said: Complete) -> Awaitable[Reply]:
    """End the task as done, or hand it in for review; and claim the next, if it is wanted."""

    def end(unit: Unit) -> Task:
        return finish.complete(
            unit,
            asker.who,
            ref,
            said.fence,
            result=said.result,
            ask_review=said.review,
            leave_children=said.leave_children,
            shown=shown(said.shown),
        )

    return _ended(asker, ref, end, said.next)


def fail(asker: Asker, ref: str, said: Fail) -> Awaitable[Reply]:
    """End the attempt with an error; and claim the next, if it is wanted."""

    def end(unit: Unit) -> Task:
        return finish.fail(
            unit,
            asker.who,
            ref,
            said.fence,
            message=said.error,
            retry=said.retry,
            delay_ms=ms(said.delay_seconds),
            note=said.note,
            code=said.code,
        )

    return _ended(asker, ref, end, said.next)


def _ended(asker: Asker, ref: str, end: Callable[[Unit], Task], wish: Wish | None) -> Awaitable[Reply]:
    if wish is None:
        return asker.answer(end, task_reply)

    def work(unit: Unit) -> Ended:
        return end_and_claim(
            unit, asker.who, ref, end, lambda worker: _wanted(wish, worker), stopping=asker.deck.draining
        )

    return asker.answer(work, ended_reply, long=wish.max_tasks > MANY)


def _wanted(wish: Wish, worker: str) -> ClaimRequest:
    endless = "lease_seconds" in wish.model_fields_set and wish.lease_seconds is None
    return ClaimRequest(
        worker=worker,
        max_tasks=wish.max_tasks,
        project=wish.project,
        labels=wish.labels,
        capabilities=wish.capabilities,
        lease_ms=NO_END if endless else ms(wish.lease_seconds),
        shown=shown(wish.shown),
        session=wish.session,
    )
