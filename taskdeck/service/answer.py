"""answer: a human tells a holder what it asked for."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import WrongState
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import State, Verb
from taskdeck.domain.task import Json, Task, WorkState
from taskdeck.domain.view import holder_view
from taskdeck.service.change import change
from taskdeck.service.fence import over
from taskdeck.service.find import the_task
from taskdeck.store.unit import Unit


def asked(text: str | None, options: Sequence[str], at: int) -> Json:
    """A question as it is kept with the claim, not answered yet."""
    document = {
        "text": text,
        "options": list(options),
        "asked_at": rfc3339(at),
        "answer": None,
        "answered_by": None,
        "answered_at": None,
    }
    return orjson.dumps(document).decode()


def answer(unit: Unit, who: Principal, ref: str, text: str, fence: int | None = None) -> Task:
    """Answer what the holder of `ref` asks. It need not be one of the options. The lease is not renewed.

    Raises:
        WrongState: nobody asks (`no_question`), or the question has an answer (`already_answered`).
        StaleFence: the claim under `fence`, which asked, is over.
    """
    task = the_task(unit, who, ref)
    if fence is not None and (task.state is not State.CLAIMED or task.fence != fence):
        raise over(task, fence)
    if task.work_state is not WorkState.WAITING_INPUT:
        raise WrongState(
            f"nobody asks about {task.key}",
            hint="A holder asks with a heartbeat of state waiting_input. GET /v1/attention lists who does.",
            code="no_question",
            holder=holder_view(task),
        )
    question = orjson.loads(task.question or asked(task.detail, (), task.heartbeat_at or unit.now))
    if question["answered_at"] is not None:
        raise WrongState(
            f"{question['answered_by']} answered {task.key} at {question['answered_at']}",
            hint="The holder gets that answer with its next heartbeat; it may ask again.",
            code="already_answered",
            holder=holder_view(task),
        )
    question |= {"answer": text, "answered_by": who.name, "answered_at": rfc3339(unit.now)}
    facts = {"question": question["text"], "answer": text, "to_worker": task.worker}
    return change(unit, task, Verb.ANSWER, who.name, {"question": orjson.dumps(question).decode()}, facts=facts)
