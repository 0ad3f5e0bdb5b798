"""The operator's verbs: from answer and retry over approve and reject to pause and resume."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from taskdeck.cli.claims import DelayOption, say
from taskdeck.cli.connect import Deck, command
from taskdeck.cli.errors import Failure
from taskdeck.cli.tasks import RefArgument
from taskdeck.cli.values import given, seconds
from taskdeck.domain.task import Verdict

ProjectArgument = Annotated[str, typer.Argument(metavar="PROJECT")]


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    for verb in (
        answer,
        retry,
        cancel,
        promote,
        shelve,
        approve,
        reject,
        judge,
        heed,
        assign,
        skip,
        override,
        reprioritize,
        pause,
        resume,
    ):
        command(app, verb.__name__, "Operating")(verb)


async def answer(deck: Deck, ref: RefArgument, text: Annotated[str, typer.Argument(metavar="ANSWER")]) -> None:
    """Answer what a holder asks; it hears it with its next heartbeat."""
    say(deck, await deck.client.answer(ref, text), "answered")


async def retry(
    deck: Deck,
    ref: RefArgument,
    delay: DelayOption = None,
    keep_attempts: Annotated[bool, typer.Option("--keep-attempts", help="Go on counting attempts.")] = False,
) -> None:
    """Put a finished or failed task back into the queue."""
    fields = given(delay_seconds=seconds(delay), reset_attempts=False if keep_attempts else None)
    say(deck, await deck.client.retry(ref, **fields), "retried")


async def cancel(
    deck: Deck,
    ref: RefArgument,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Why; it is kept with your name.")] = None,
    children: Annotated[bool, typer.Option("--children", help="And all that was made from it.")] = False,
) -> None:
    """Call a task off; a worker that holds it learns so at its next heartbeat."""
    more = {"children": True} if children else {}
    say(deck, await deck.client.cancel(ref, reason, **more), "cancelled")


async def promote(
    deck: Deck,
    ref: RefArgument,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Why; it is kept with your name.")] = None,
    children: Annotated[bool, typer.Option("--children", help="And its children that are in the backlog.")] = False,
) -> None:
    """Offer a task of the backlog to those who claim."""
    more = {"children": True} if children else {}
    say(deck, await deck.client.promote(ref, reason, **more), "promoted")


async def shelve(
    deck: Deck,
    ref: RefArgument,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Why; it is kept with your name.")] = None,
) -> None:
    """Put a task that nobody holds back into the backlog."""
    say(deck, await deck.client.shelve(ref, reason), "shelved")


async def approve(
    deck: Deck,
    ref: RefArgument,
    note: Annotated[str | None, typer.Option("--note", "-n", help="What there is to say of it.")] = None,
) -> None:
    """Accept what was completed; the task is done."""
    say(deck, await deck.client.approve(ref, note), "approved")


async def reject(
    deck: Deck,
    ref: RefArgument,
    note: Annotated[str, typer.Option("--note", "-n", help="What is wrong; whoever mends it reads this.")],
    back: Annotated[bool, typer.Option("--to-worker", help="To the worker that completed it, not the queue.")] = False,
) -> None:
    """Send what was completed back to be mended."""
    fields = {"to": "worker"} if back else {}
    say(deck, await deck.client.reject(ref, note, **fields), "rejected")


async def judge(
    deck: Deck,
    ref: RefArgument,
    verdict: Annotated[Verdict, typer.Argument(metavar="VERDICT", help=", ".join(Verdict))],
    note: Annotated[
        str | None, typer.Option("--note", "-n", help="What is wrong; whoever mends it reads this.")
    ] = None,
) -> None:
    """Say what a review comes to; the task stays there until its worker heeds it."""
    say(deck, await deck.client.judge(ref, verdict, note), "judged")


async def heed(deck: Deck, ref: RefArgument) -> None:
    """Follow the verdict on what you completed: it is done, or yours again."""
    say(deck, await deck.client.heed(ref), "heeded")


async def assign(
    deck: Deck,
    ref: RefArgument,
    assignee: Annotated[str | None, typer.Argument(metavar="WHO", help="Who alone may claim it.")] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="Anyone may claim it.")] = False,
) -> None:
    """Reserve a task for a worker, principal or group, or for nobody."""
    if (assignee is None) != nobody:
        raise Failure("say who: a name, or --nobody", "taskdeck assign REF WHO")
    say(deck, await deck.client.assign(ref, assignee), "assigned")


async def skip(
    deck: Deck,
    ref: RefArgument,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Why; it is kept with your name.")] = None,
) -> None:
    """Offer a task to its next assignee now."""
    say(deck, await deck.client.skip(ref, reason), "skipped the assignee of")


async def override(
    deck: Deck,
    ref: RefArgument,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; it is kept with your name.")],
    worker: Annotated[str | None, typer.Option("--to", metavar="WORKER", help="Give the claim to this one.")] = None,
    assignee: Annotated[str | None, typer.Option("--assignee", help="End the claim; this one may have it.")] = None,
    free: Annotated[bool, typer.Option("--release", help="End the claim; anyone may have it.")] = False,
    lease: Annotated[str | None, typer.Option(help="How long the claim is that worker's, such as 10m.")] = None,
) -> None:
    """Take a claim from its holder; whoever had it can no longer complete it."""
    if sum((worker is not None, assignee is not None, free)) != 1:
        raise Failure("say where the task goes: one of --to, --assignee and --release")
    fields = given(worker=worker, assignee=assignee, release=True if free else None, lease_seconds=seconds(lease))
    say(deck, await deck.client.override(ref, reason, **fields), "overrode")


async def reprioritize(deck: Deck, ref: RefArgument, priority: Annotated[int, typer.Argument(min=0, max=100)]) -> None:
    """Set a task's priority; 100 goes first."""
    say(deck, await deck.client.reprioritize(ref, priority), "reprioritized")


async def pause(
    deck: Deck,
    project: ProjectArgument,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Why; it is kept with your name.")] = None,
) -> None:
    """Give out no more work of a project; running claims go on."""
    _say_project(deck, await deck.client.pause(project, reason), "paused")


async def resume(deck: Deck, project: ProjectArgument) -> None:
    """Give out a project's work again."""
    _say_project(deck, await deck.client.resume(project), "resumed")


def _say_project(deck: Deck, project: dict[str, Any], act: str) -> None:
    if deck.out.as_json:
        deck.out.document(project)
    else:
        deck.out.text(f"{act} {project['name']}")
