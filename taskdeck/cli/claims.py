"""A worker's own verbs: claim, heartbeat, release, complete, delegate, fail."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.errors import ExitCode, Failure
from taskdeck.cli.render import task_detail
from taskdeck.cli.tasks import RefArgument, WorkerOption
from taskdeck.cli.times import left
from taskdeck.cli.values import document, given, seconds, worker_name

FenceOption = Annotated[int, typer.Option("--fence", help="The number your claim was given.")]
DelayOption = Annotated[str | None, typer.Option("--delay", help="Rest before the next attempt, such as 5m.")]
NoteOption = Annotated[str | None, typer.Option(help="What the next one should know.")]
NextOption = Annotated[bool, typer.Option("--next", help="Claim the next task in the same step.")]
OfOption = Annotated[str | None, typer.Option("--project", "-p", help="With --next: of this project alone.")]
LeaseOption = Annotated[str | None, typer.Option("--lease", help="How long the claim is yours, such as 10m.")]


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    for verb in (claim, heartbeat, release, fill, complete, delegate, fail):
        command(app, verb.__name__, "Work")(verb)


async def claim(
    deck: Deck,
    ref: Annotated[str | None, typer.Argument(metavar="REF", help="This task; else the next one.")] = None,
    worker: WorkerOption = None,
    project: Annotated[str | None, typer.Option("--project", "-p", help="Of this project alone.")] = None,
    label: Annotated[list[str] | None, typer.Option("--label", "-l", help="May be repeated.")] = None,
    capability: Annotated[list[str] | None, typer.Option("--cap", help="What you are able to.")] = None,
    lease: LeaseOption = None,
    wait: Annotated[str | None, typer.Option(help="Wait for work this long, at most 60s.")] = None,
    many: Annotated[int | None, typer.Option("--max", min=1, max=100, help="Up to so many tasks.")] = None,
) -> int:
    """Claim the next task, or the one named; exits with 3 when there is none to be had."""
    reply = await deck.client.claim(
        worker_name(worker),
        **given(
            task=ref,
            project=project,
            labels=label,
            capabilities=capability,
            lease_seconds=seconds(lease),
            wait_seconds=seconds(wait),
            max_tasks=many,
        ),
    )
    if deck.out.as_json:
        deck.out.document(reply)
    else:
        _show_claims(deck, reply)
    return ExitCode.OK if reply["claims"] else ExitCode.NOTHING


def _show_claims(deck: Deck, reply: dict[str, Any]) -> None:
    for claimed in reply["claims"]:
        _show_claim(deck, claimed)
    if not reply["claims"]:
        deck.out.text("nothing to claim")
        for reason in reply["reasons"]:
            deck.out.text(f"  {reason['detail']} [{reason['code']}]")


def _show_claim(deck: Deck, claimed: dict[str, Any]) -> None:
    task, fence = claimed["task"], claimed["fence"]
    task_detail(deck.out, task)
    deck.out.text(f"  next: taskdeck complete {task['key']} --fence {fence}  (or heartbeat, release, fail)")


async def heartbeat(
    deck: Deck,
    ref: RefArgument,
    fence: FenceOption,
    progress: Annotated[int | None, typer.Option(min=0, max=100, help="Percent.")] = None,
    state: Annotated[str | None, typer.Option(help="working, waiting_input or errored.")] = None,
    detail: Annotated[str | None, typer.Option(help="What you are at, or what you ask.")] = None,
    lease: LeaseOption = None,
    ask: Annotated[str | None, typer.Option(help="What you need to know from a human.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="An answer to choose; may be repeated.")] = None,
) -> None:
    """Say that you are still at it, and keep the claim."""
    asked = given(state="waiting_input", question=ask, options=option) if ask else given(state=state)
    reply = await deck.client.heartbeat(
        ref, fence, **given(progress=progress, detail=detail, lease_seconds=seconds(lease)), **asked
    )
    if deck.out.as_json:
        deck.out.document(reply)
    else:
        ends = f"for {left(reply['expires_at'])} more" if reply["expires_at"] else "without end"
        deck.out.text(f"{_key(reply, ref)} is yours {ends}")
        if reply["answer"] is not None:
            deck.out.text(f"  answer: {reply['answer']}")
        if reply["signal"] == "drain":
            deck.out.text("  finish it; you are given no more work")


def _key(reply: dict[str, Any], ref: str) -> str:
    task = reply.get("task")
    return str(task["key"]) if isinstance(task, dict) else str(task or ref)


async def release(
    deck: Deck,
    ref: RefArgument,
    fence: FenceOption,
    note: NoteOption = None,
    delay: DelayOption = None,
) -> None:
    """Give a claim back; the attempt does not count."""
    task = await deck.client.release(ref, fence, **given(note=note, delay_seconds=seconds(delay)))
    say(deck, task, "released")


async def fill(
    deck: Deck,
    ref: RefArgument,
    fence: FenceOption,
    values: Annotated[str, typer.Argument(help="Fields of its form: a JSON object, or @FILE.")],
) -> None:
    """Fill in some fields of the form of a task that you hold."""
    given_values = document(values, "VALUES")
    if not isinstance(given_values, dict):
        raise Failure("VALUES is no JSON object", 'such as \'{"approve": "yes"}\'')
    say(deck, await deck.client.fill(ref, fence, given_values), "filled in")


async def complete(
    deck: Deck,
    ref: RefArgument,
    fence: FenceOption,
    result: Annotated[str | None, typer.Option(help="JSON, or @FILE.")] = None,
    review: Annotated[
        bool, typer.Option("--review", help="Ask for a review, where the task leaves it to you.")
    ] = False,
    leave: Annotated[bool, typer.Option("--leave-children", help="Though children of it are open.")] = False,
    onward: NextOption = False,
    project: OfOption = None,
) -> None:
    """Finish a task that you hold."""
    asked = given(review=review or None, leave_children=leave or None, next=_wish(onward, project))
    say(deck, await deck.client.complete(ref, fence, document(result, "--result"), **asked), "completed")


async def delegate(
    deck: Deck,
    ref: RefArgument,
    title: Annotated[str, typer.Argument(help="What the child is to do.")],
    fence: Annotated[int | None, typer.Option("--fence", "-f", help="Of your claim; an operator needs none.")] = None,
    assignee: Annotated[str | None, typer.Option("--assignee", help="Who alone may claim it.")] = None,
    description: Annotated[str | None, typer.Option("--description", "-d", help="More than the title says.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Give the task back until the child is done.")] = False,
) -> None:
    """Make a child of a task for another; the task waits for it."""
    fields = given(fence=fence, assignee=assignee, description=description, wait=wait or None)
    reply = await deck.client.delegate(ref, title, **fields)
    if deck.out.as_json:
        deck.out.document(reply)
    else:
        say(deck, reply["task"], f"delegated {reply['child']['key']} from")


async def fail(
    deck: Deck,
    ref: RefArgument,
    fence: FenceOption,
    error: Annotated[str, typer.Option("--error", "-e", help="What went wrong.")],
    final: Annotated[bool, typer.Option("--final", help="No further attempt.")] = False,
    delay: DelayOption = None,
    note: NoteOption = None,
    onward: NextOption = False,
    project: OfOption = None,
) -> None:
    """Report that a task you hold failed; it comes back while it has attempts."""
    asked = given(delay_seconds=seconds(delay), note=note, next=_wish(onward, project))
    say(deck, await deck.client.fail(ref, fence, error, retry=not final, **asked), "failed")


def _wish(onward: bool, project: str | None) -> dict[str, Any] | None:
    if project is not None and not onward:
        raise Failure("--project says what --next is to claim", "add --next, or leave it out")
    return given(project=project) if onward else None


def say(deck: Deck, task: dict[str, Any], act: str) -> None:
    """The outcome of a verb: the task as JSON, or one line, and what was claimed with it."""
    if deck.out.as_json:
        deck.out.document(task)
    else:
        holder = f" by {task['claim']['worker']}" if task.get("claim") else ""
        deck.out.text(f"{act} {task['key']} (now {task['state']}{holder})")
        if "next" in task:
            _show_claims(deck, task["next"])
