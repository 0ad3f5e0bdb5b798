"""The tools: one class each, whose fields are its parameters and whose docstring is what an agent reads of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from taskdeck.client import Client, Json
from taskdeck.client.transport import given
from taskdeck.mcp import shown
from taskdeck.mcp.claims import Claims

HOLDING = ["heartbeat", "complete", "fail", "release"]
"""What the holder of a task may do next."""
_PAGE = 100

Task = Annotated[str, Field(description="Key, such as T21")]
Fence = Annotated[int | None, Field(description="Only for a claim made elsewhere; your own are remembered")]
Delay = Annotated[int | None, Field(ge=0, description="Rest before it is offered again")]
Handoff = Annotated[str | None, Field(description="For its next holder: what is done, what is left")]
ClaimNext = Annotated[bool, Field(description="Claim the next task in the same step, as you last claimed one")]
Names = list[str] | None
Limit = Annotated[int, Field(ge=1, le=100)]
Hooks = Annotated[
    dict[str, Any] | None,
    Field(description='Results for gates: {"after_doing": {"exit_code": 0, "output": "…", "duration_ms": 12}}'),
]

Evidence = Annotated[
    list[dict[str, str]] | None,
    Field(
        description='Where the work can be seen, for gates: [{"kind": "commit", "ref": "4f2a91c"}]; '
        "kinds: commit, pr, ci_check, deploy, artifact, command_output"
    ),
]


@dataclass(frozen=True)
class Session:
    """What all tools of one agent work with."""

    client: Client
    worker: str
    claims: Claims


class Tool(BaseModel):
    """One tool; unknown parameters are refused."""

    model_config = ConfigDict(extra="forbid", title=None)

    async def act(self, session: Session) -> Json:
        """Do it, and answer with what the agent is to be shown.

        Raises:
            ApiError, Unreachable, NotHeld: it is refused; nothing was changed.
        """
        raise NotImplementedError


class Claim(Tool):
    """Get the next task, or the one named; it is yours alone until you complete, fail or release it."""

    task: Annotated[str | None, Field(description="Key; without it the best one you may have")] = None
    project: str | None = None
    labels: Annotated[Names, Field(description="It has all of them")] = None
    capabilities: Annotated[Names, Field(description="What you can do")] = None
    wait_seconds: Annotated[float, Field(ge=0, le=50, description="Wait so long for work to arrive")] = 0
    lease_seconds: Annotated[int | None, Field(ge=5, le=86400)] = None
    hooks: Hooks = None

    async def act(self, session: Session) -> Json:
        wish = self.model_dump(exclude={"hooks"}, exclude_none=True)
        if self.task is None:
            session.claims.wish = {name: value for name, value in wish.items() if name != "wait_seconds"}
        return _taken(session, await session.client.claim(session.worker, **wish, **given(shown=_shown(self.hooks))))


class Heartbeat(Tool):
    """Report progress on a task you hold, or ask a human. The reply says whether to go on, and any answer."""

    task: Task
    progress: Annotated[int | None, Field(ge=0, le=100, description="Percent")] = None
    detail: Annotated[str | None, Field(description="What you are at")] = None
    question: Annotated[str | None, Field(description="Asks a human; call heartbeat again for the answer")] = None
    options: Annotated[Names, Field(description="Answers to choose from")] = None
    state: Annotated[
        Literal["working", "waiting_input", "errored"] | None, Field(description="working once you have the answer")
    ] = None
    fence: Fence = None

    async def act(self, session: Session) -> Json:
        fields = self.model_dump(exclude={"task", "fence"}, exclude_none=True)
        if self.question is not None:
            fields["state"] = "waiting_input"
        reply = await session.client.heartbeat(self.task, session.claims.fence(self.task, self.fence), **fields)
        told = given(answer=reply["answer"])
        key = reply["task"]["key"]
        return {"task": key, "signal": reply["signal"], "expires_at": reply["expires_at"], **told, "next": HOLDING}


class Complete(Tool):
    """Finish a task you hold. If a gate stands against it, the error says what to show."""

    task: Task
    result: Annotated[Any, Field(description="Any JSON")] = None
    evidence: Evidence = None
    hooks: Hooks = None
    review: Annotated[bool, Field(description="Ask for a review")] = False
    claim_next: ClaimNext = False
    fence: Fence = None

    async def act(self, session: Session) -> Json:
        fence = session.claims.fence(self.task, self.fence)
        wish = session.claims.wish if self.claim_next else None
        fields = given(shown=_shown(self.hooks, self.evidence), review=self.review or None, next=wish)
        return _ended(session, await session.client.complete(self.task, fence, self.result, **fields))


class Fail(Tool):
    """Give up a task you hold because it cannot be done; it is tried again while it has attempts."""

    task: Task
    error: Annotated[str, Field(min_length=1)]
    retry: Annotated[bool, Field(description="false: no further attempt")] = True
    delay_seconds: Delay = None
    note: Handoff = None
    claim_next: ClaimNext = False
    fence: Fence = None

    async def act(self, session: Session) -> Json:
        fence = session.claims.fence(self.task, self.fence)
        wish = session.claims.wish if self.claim_next else None
        more = given(delay_seconds=self.delay_seconds, note=self.note, next=wish)
        return _ended(session, await session.client.fail(self.task, fence, self.error, retry=self.retry, **more))


class Release(Tool):
    """Give a task you hold back unfinished; no attempt is spent."""

    task: Task
    note: Handoff = None
    delay_seconds: Delay = None
    fence: Fence = None

    async def act(self, session: Session) -> Json:
        fence = session.claims.fence(self.task, self.fence)
        more = given(delay_seconds=self.delay_seconds, note=self.note)
        return _ended(session, await session.client.release(self.task, fence, **more))


class Show(Tool):
    """A task whole: state, gates, what is known about it, comments."""

    task: Task

    async def act(self, session: Session) -> Json:
        client = session.client
        task = await client.task(self.task)
        known = await client.context(self.task)
        gates = (await client.gates(self.task, session.worker))["gates"]
        found, cursor = [], None
        while True:
            page = await client.comments(self.task, limit=_PAGE, cursor=cursor)
            found += page["comments"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        held = session.claims.find(task["id"])
        whole = shown.looked_at(task) if held is None else shown.ordered(task)
        left = given(context=known["context"] or None, comments=shown.comments(found) or None)
        if left:
            whole["untrusted"] = whole.get("untrusted", {}) | left
        if gates:
            whole["gates"] = gates
        if (before := len(found) - shown.LATEST_COMMENTS) > 0:
            whole["older_comments"] = before
        return whole | {"next": _next(task["state"], held is not None)}


class List(Tool):
    """Tasks by a filter, such as `state:ready prio>=70 label:docs` or `worker:robin`."""

    filter: Annotated[str | None, Field(description="Conditions, all of which hold")] = None
    sort: Annotated[str | None, Field(description="priority (claim order), prio, number, due; -number: newest")] = None
    limit: Limit = 20
    cursor: Annotated[str | None, Field(description="next_cursor of the page before")] = None

    async def act(self, session: Session) -> Json:
        page = await session.client.tasks(
            q=self.filter, sort=self.sort, limit=self.limit, cursor=self.cursor, view="summary"
        )
        return {"tasks": [shown.row(task) for task in page["tasks"]], "next_cursor": page["next_cursor"]}


class Search(Tool):
    """Find words in titles, descriptions, comments and contexts of tasks."""

    words: Annotated[str, Field(min_length=1)]
    project: str | None = None
    limit: Limit = 20

    async def act(self, session: Session) -> Json:
        found = await session.client.search(self.words, project=self.project, limit=self.limit)
        return {"finds": [shown.find(one) for one in found]}


class Comment(Tool):
    """Leave a comment at a task for whoever reads it next."""

    task: Task
    text: Annotated[str, Field(min_length=1)]

    async def act(self, session: Session) -> Json:
        made = await session.client.comment(self.task, self.text, byline=session.worker)
        return {"commented": self.task, "id": made["id"]}


class Create(Tool):
    """Make a task for whoever claims it."""

    title: Annotated[str, Field(min_length=1)]
    description: str | None = None
    project: str | None = None
    priority: Annotated[int | None, Field(ge=0, le=100, description="100 goes first, 50 if left out")] = None
    labels: Names = None
    capabilities: Annotated[Names, Field(description="What its worker must be able to do")] = None
    payload: Annotated[Any, Field(description="Any JSON for its worker")] = None
    depends_on: Annotated[Names, Field(description="Keys of tasks to be done before")] = None
    assignee: Annotated[str | None, Field(description="Who alone may claim it")] = None

    async def act(self, session: Session) -> Json:
        made = await session.client.create(**self.model_dump(exclude_none=True))
        return {"created": made["key"], "task": shown.facts(made)}


TOOLS: dict[str, type[Tool]] = {
    tool.__name__.lower(): tool
    for tool in (Claim, Heartbeat, Complete, Fail, Release, Show, List, Search, Comment, Create)
}
"""All there are, by name."""


def description(tool: type[Tool]) -> str:
    """What it does, in a sentence."""
    return str(tool.__doc__)


def schema(tool: type[Tool]) -> Json:
    """The JSON schema of its parameters, in as few words as say it: an agent reads all of them each time."""
    terse: Json = _terse(tool.model_json_schema())
    terse.pop("description", None)
    return terse


def tools_table() -> str:
    """Every tool with its parameters, as Markdown."""
    lines = ["| tool | does | parameters |", "|---|---|---|"]
    for name, tool in TOOLS.items():
        fields = tool.model_fields.items()
        named = ", ".join(f"**`{field}`**" if info.is_required() else f"`{field}`" for field, info in fields)
        lines.append(f"| `{name}` | {description(tool)} | {named} |")
    return "\n".join(lines)


def _terse(part: Any) -> Any:
    """Without titles and empty defaults, and a value that may be left out without the null it may also be."""
    if isinstance(part, list):
        return [_terse(one) for one in part]
    if not isinstance(part, dict):
        return part
    choices = [one for one in part.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        part = {name: value for name, value in part.items() if name != "anyOf"} | choices[0]
    return {
        name: {field: _terse(value) for field, value in inner.items()} if name == "properties" else _terse(inner)
        for name, inner in part.items()
        if not (name == "title" or (name == "default" and inner is None))
    }


def _shown(hooks: dict[str, Any] | None, evidence: list[dict[str, str]] | None = None) -> Json | None:
    return given(hooks=hooks, evidence=evidence) or None


def _taken(session: Session, reply: Json) -> Json:
    """What a claim gave, kept from now on; or why it gave nothing."""
    if not reply["claims"]:
        return {"claimed": None, "reasons": reply["reasons"], "next": ["claim with wait_seconds"]}
    (claimed,) = reply["claims"]
    task = claimed["task"]
    session.claims.took(task, claimed["fence"])
    return {
        "claimed": task["key"], "fence": claimed["fence"], "expires_at": claimed["expires_at"],
        **shown.ordered(task), "next": HOLDING,
    }  # fmt: skip


def _ended(session: Session, task: Json) -> Json:
    """How the task ended, with what was claimed in the same step under `claim`."""
    session.claims.ended(task["id"])
    ended = {"task": task["key"], "state": task["state"]}
    if "next" not in task:
        return ended | {"next": ["claim"]}
    return ended | {"claim": _taken(session, task["next"])}


def _next(state: str, held: bool) -> list[str]:
    if held:
        return HOLDING
    return ["claim", "comment"] if state == "ready" else ["comment"]
