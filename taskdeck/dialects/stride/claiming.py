"""Claiming: the next task or one by name, a look ahead, giving back."""

from __future__ import annotations

from aiohttp import web

from taskdeck.dialects.stride.asking import (
    board_in,
    claim_ms,
    do,
    may_write,
    named_agent,
    options,
    params,
    require_write,
    shown_in,
    task_in,
    viewed,
)
from taskdeck.dialects.stride.errors import DOCS, Refused, explained, plain
from taskdeck.dialects.stride.hooks import BEFORE_DOING, hook_entry, proof, require_proof
from taskdeck.dialects.stride.view import Data, with_version
from taskdeck.dialects.stride.words import CAPABILITIES, Board, key_of, worker_of
from taskdeck.domain.errors import ClaimedByOther, Conflict, GateUnmet, NotEligible
from taskdeck.domain.people import for_people
from taskdeck.domain.principal import Principal, Role
from taskdeck.domain.states import State
from taskdeck.domain.task import Task
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable
from taskdeck.service.change import claimable
from taskdeck.service.claim import claim, peek
from taskdeck.service.release import release
from taskdeck.service.requests import ClaimRequest
from taskdeck.store import tasks
from taskdeck.store.unit import Unit

routes = RouteTable()

_NOTHING = (
    "No tasks available to claim matching your capabilities. All tasks in Ready column are either blocked, already"
    " claimed, or require capabilities you don't have."
)
_NOTHING_CAUSES = [
    "No task is in the Ready column: people promote tasks there from the Backlog",
    "The tasks there wait for others that are not completed",
    "They ask for capabilities that this token does not have, or are assigned to others",
    "Others work on files that they name",
]
_NAMED_CAUSES = [
    "The task is not in a claimable column: only Ready is one, and people promote tasks there from the Backlog",
    "It waits for others that are not completed",
    "Somebody has claimed it already",
    "It asks for capabilities that this token does not have",
    "There is no task of that identifier on this board, or it is a goal, or for people",
]


@routes.add("POST", "/api/tasks/claim", Role.READER)
async def claim_task(call: Call) -> web.StreamResponse:
    """Claim the next task, or one by its identifier."""
    asked, chosen, who = params(call), options(call), call.who
    require_proof(asked, BEFORE_DOING)
    require_write(who, "You do not have write access to claim tasks on this board")
    agent, name = named_agent(asked), asked.get("identifier")

    def work(unit: Unit) -> Data:
        board = board_in(unit, who)
        task = None if name in (None, "") else _named(unit, board, str(name))
        wish = ClaimRequest(
            worker_of(who, agent),
            ref=None if task is None else task.id,
            project=board.name,
            capabilities=able(who),
            lease_ms=claim_ms(chosen),
        )
        try:
            shown = proof(asked, BEFORE_DOING) if _wants_proof(unit, who, task, wish) else None
            given = claim(unit, who, wish.showing(shown)).tasks
        except GateUnmet as error:
            raise Refused(422, {"error": "Failed to claim task", "reason": error.detail}) from None
        except NotEligible as error:
            raise _not_yours(str(name), error) from None
        except (ClaimedByOther, Conflict):
            raise _unavailable(str(name)) from None
        if not given:
            raise _none()
        data = shown_in(unit, board, given[0])
        return with_version({"data": data, "hook": hook_entry(BEFORE_DOING, data, agent, chosen)}, asked)

    return await do(call, work)


def _wants_proof(unit: Unit, who: Principal, task: Task | None, wish: ClaimRequest) -> bool:
    """Whether a gate of the deck's own stands before the claim of `task`, or of the best there is."""
    if not unit.mirror.gated:
        return False
    best = task or peek(unit, who, wish)
    return best is not None and best.bucket.gates is not None


def able(who: Principal) -> frozenset[str]:
    """What a claimer can do: all there is, if its token lists nothing."""
    return who.capabilities or CAPABILITIES


def _named(unit: Unit, board: Board, name: str) -> Task:
    """The task of that identifier, if its state and kind let it be claimed here."""
    task = None if name.isdigit() else tasks.by_key(unit, key_of(board, name))
    if task is None or task.bucket.project != board.name or not claimable(task) or for_people(task):
        raise _unavailable(name)
    return task


def _none() -> Refused:
    return Refused(
        409,
        {
            "error": _NOTHING,
            "documentation": f"{DOCS}AI-WORKFLOW.md#claiming-tasks",
            "related_docs": [f"{DOCS}AGENT-CAPABILITIES.md"],
            "common_causes": _NOTHING_CAUSES,
        },
    )


def _unavailable(name: str) -> Refused:
    return Refused(
        409,
        {
            "error": f"Task '{name[:80]}' is not available to claim. It may be blocked by dependencies, already"
            " claimed, require capabilities you don't have, or not exist on this board.",
            "documentation": f"{DOCS}AI-WORKFLOW.md#claiming-tasks",
            "related_docs": [f"{DOCS}AGENT-CAPABILITIES.md"],
            "common_causes": _NAMED_CAUSES,
        },
    )


def _not_yours(name: str, error: NotEligible) -> Refused:
    """A task that only its assignee may have, whatever else it asks for."""
    rules = set(error.more.get("rules", ()))
    if "assigned_to_others" not in rules or rules - {"assigned_to_others", "capabilities_missing"}:
        return _unavailable(name)
    return explained(
        403,
        f"Task '{name}' is assigned to a different user. Only the assigned user can claim it.",
        "AI-WORKFLOW.md#claiming-tasks",
        ["The task was assigned to somebody before it was claimed", "The token belongs to another user"],
    )


@routes.add("GET", "/api/tasks/next", Role.READER)
async def next_task(call: Call) -> web.StreamResponse:
    """Show the task that a claim would give."""
    asked, who = params(call), call.who

    def work(unit: Unit) -> Data:
        board = board_in(unit, who)
        task = peek(unit, who, ClaimRequest(who.name, project=board.name, capabilities=able(who)))
        if task is None:
            raise plain(404, "No tasks available in Ready column matching your capabilities")
        return with_version({"data": viewed(shown_in(unit, board, task), asked)}, asked)

    return await do(call, work)


@routes.add("POST", "/api/tasks/{id}/unclaim", Role.READER)
async def unclaim_task(call: Call) -> web.StreamResponse:
    """Give a claimed task back to Ready."""
    asked, who, name = params(call), call.who, call.path("id")
    reason = asked.get("reason")

    def work(unit: Unit) -> Data:
        board = board_in(unit, who)
        task = task_in(unit, who, board, name)
        if task.state is not State.CLAIMED:
            raise _unclaimed("Task is not currently claimed", 422)
        if task.principal != who.name or not may_write(who):
            raise _unclaimed("You can only unclaim tasks that you claimed", 403)
        release(unit, who, task.id, task.fence, note=reason[:10_000] if isinstance(reason, str) and reason else None)
        return with_version({"data": viewed(shown_in(unit, board, task), asked)})

    return await do(call, work)


def _unclaimed(error: str, status: int) -> Refused:
    causes = ["The task was completed, given back, or claimed by another after its claim expired"]
    return explained(status, error, "UNCLAIM-TASKS.md", causes)
