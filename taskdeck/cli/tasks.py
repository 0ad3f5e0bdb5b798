"""Making tasks and looking at them: add, list, show, explain."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.errors import ExitCode, Failure
from taskdeck.cli.forms import form_named
from taskdeck.cli.output import Column
from taskdeck.cli.render import task_detail, task_table
from taskdeck.cli.values import MAX_INPUT_BYTES, document, given, moment, seconds, worker_name
from taskdeck.domain.clock import SystemClock

PAGE = 200
BATCH = 1000
BATCH_BYTES = 512 * 1024
"""Tasks read from standard input travel together, yet well under the server's default body limit."""

FILTER_HELP = "Such as `state:ready prio>=70`, `is:stuck`, `payload.tenant:acme`; all of them. See `taskdeck docs api`."

SORT_HELP = (
    "number, priority (claim order), prio, title, state, due, lease, holder, attempt; -NAME turns it round, "
    "and prio,-number sorts by two."
)

RefArgument = Annotated[str, typer.Argument(metavar="REF", help="A task's key, number or id.")]
WorkerOption = Annotated[str | None, typer.Option("--worker", "-w", help="Who. (env: TASKDECK_WORKER, else user@host)")]


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    command(app, "add", "Tasks")(add)
    command(app, "list", "Tasks")(list_)
    command(app, "show", "Tasks")(show)
    command(app, "explain", "Tasks")(explain)
    command(app, "chain", "Tasks")(chain)
    command(app, "gates", "Tasks")(gates)
    command(app, "assignments", "Tasks")(assignments)
    command(app, "duplicates", "Tasks")(duplicates)


async def add(
    deck: Deck,
    title: Annotated[str, typer.Argument(help="What is to be done; `-` reads tasks as JSON lines from stdin.")],
    project: Annotated[str | None, typer.Option("--project", "-p", help="The queue it goes to; else default.")] = None,
    priority: Annotated[int | None, typer.Option(min=0, max=100, help="100 goes first. (default: 50)")] = None,
    description: Annotated[str | None, typer.Option("--description", "-d", help="More than the title says.")] = None,
    label: Annotated[list[str] | None, typer.Option("--label", "-l", help="May be repeated.")] = None,
    capability: Annotated[list[str] | None, typer.Option("--cap", help="What a worker must be able to.")] = None,
    payload: Annotated[str | None, typer.Option(help="JSON for the worker, or @FILE.")] = None,
    metadata: Annotated[str | None, typer.Option(help="JSON for whoever looks, or @FILE.")] = None,
    file: Annotated[list[str] | None, typer.Option("--file", metavar="PATH", help="A file it is about.")] = None,
    assignee: Annotated[str | None, typer.Option("--assignee", help="Who alone may claim it.")] = None,
    after: Annotated[list[str] | None, typer.Option("--after", metavar="REF", help="A task to wait for.")] = None,
    not_before: Annotated[str | None, typer.Option(help="Time, or distance such as +15m.")] = None,
    due: Annotated[str | None, typer.Option(help="Time, or distance such as +2d.")] = None,
    max_attempts: Annotated[int | None, typer.Option(min=1, help="How many attempts it may have.")] = None,
    backoff: Annotated[str | None, typer.Option(help="First rest after a failed attempt, such as 30s.")] = None,
    key: Annotated[str | None, typer.Option(help="A key of your own, in place of the project's next.")] = None,
    goal: Annotated[bool, typer.Option("--goal", help="A goal: finished when the last of its children is.")] = False,
    parent: Annotated[str | None, typer.Option("--parent", metavar="REF", help="The task it is a part of.")] = None,
    backlog: Annotated[bool, typer.Option("--backlog", help="Offer it to nobody until it is promoted.")] = False,
    review: Annotated[str | None, typer.Option(help="none, optional, required or four_eyes.")] = None,
    unique: Annotated[str | None, typer.Option(help="Make none while one under this name is open.")] = None,
    form: Annotated[str | None, typer.Option(metavar="NAME[@VERSION]", help="A form to be filled in.")] = None,
) -> None:
    """Create a task, or many."""
    clock = SystemClock()
    fields = given(
        project=project,
        priority=priority,
        description=description,
        labels=label,
        files=file,
        capabilities=capability,
        payload=document(payload, "--payload"),
        metadata=document(metadata, "--metadata"),
        assignee=assignee,
        depends_on=after,
        not_before=moment(not_before, clock),
        due=moment(due, clock),
        max_attempts=max_attempts,
        backoff_seconds=seconds(backoff),
        key=key,
        kind="goal" if goal else None,
        parent=parent,
        backlog=True if backlog else None,
        review=review,
        unique_key=unique,
        form=form_named(form),
    )
    if title == "-":
        await _add_lines(deck, fields)
        return
    task = await deck.client.create(title=title, **fields)
    if deck.out.as_json:
        deck.out.document(task)
    else:
        act = "found" if task.get("existed") else "created"
        deck.out.text(f"{act} {task['key']} ({task['state']}) in {task['project']}")


async def _add_lines(deck: Deck, defaults: dict[str, Any]) -> None:
    from taskdeck.client import one_act  # with it comes all of HTTP: none of it is needed to print help

    created = 0
    with one_act():
        for batch in _batches(defaults):
            for task in await deck.client.create_many(batch):
                created += 1
                if deck.out.as_json:
                    deck.out.json_line(task)
    if not deck.out.as_json:
        deck.out.text(f"created {created} {'task' if created == 1 else 'tasks'}")


def _batches(defaults: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """What stands on standard input, in portions; the options given on the command line are defaults."""
    batch: list[dict[str, Any]] = []
    size = number = 0
    while line := sys.stdin.buffer.readline(MAX_INPUT_BYTES):
        number += 1
        if not line.strip():
            continue
        try:
            task = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Failure(f"line {number} of standard input is not JSON: {error}") from None
        if not isinstance(task, dict):
            raise Failure(f"line {number} of standard input is no object", 'a line looks like {"title": "…"}')
        if batch and (len(batch) == BATCH or size + len(line) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append({**defaults, **task})
        size += len(line)
    if batch:
        yield batch


async def list_(
    deck: Deck,
    query: Annotated[list[str] | None, typer.Argument(metavar="FILTER", help=FILTER_HELP)] = None,
    state: Annotated[list[str] | None, typer.Option("--state", "-s", help="May be repeated.")] = None,
    project: Annotated[str | None, typer.Option("--project", "-p", help="Of this project alone.")] = None,
    label: Annotated[str | None, typer.Option("--label", "-l", help="With this label.")] = None,
    assignee: Annotated[str | None, typer.Option(help="Offered to this one alone.")] = None,
    worker: Annotated[str | None, typer.Option("--worker", "-w", help="Who holds it.")] = None,
    search: Annotated[str | None, typer.Option("--search", "-q", help="As FILTER; may begin with a dash.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Past their due date and not ended.")] = False,
    sort: Annotated[str, typer.Option(help=SORT_HELP)] = "-number",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="At most so many.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the last page ended.")] = None,
) -> None:
    """List tasks, newest first or in the order `--sort` names."""
    asked = [*(query or ()), *([search] if search else ())]
    found: list[dict[str, Any]] = []
    while True:
        page = await deck.client.tasks(
            state=state or None,
            project=project,
            label=label,
            assignee=assignee,
            worker=worker,
            overdue="true" if overdue else None,
            q=" ".join(asked) or None,
            sort=sort,
            cursor=cursor,
            limit=min(PAGE, limit - len(found)),
            view=None if deck.out.as_json else "summary",
        )
        found += page["tasks"]
        cursor = page["next_cursor"]
        if cursor is None or len(found) >= limit:
            break
    if deck.out.as_json:
        deck.out.document({"tasks": found, "next_cursor": cursor})
    elif found:
        task_table(deck.out, found)
        if cursor is not None:
            print(f"… more than these {len(found)}: raise --limit, or narrow the filter", file=sys.stderr)
    else:
        print("no tasks match", file=sys.stderr)


async def show(deck: Deck, ref: RefArgument) -> None:
    """Show everything about a task."""
    task = await deck.client.task(ref)
    if deck.out.as_json:
        deck.out.document(task)
    else:
        task_detail(deck.out, task)


async def explain(deck: Deck, ref: RefArgument, worker: WorkerOption = None) -> int:
    """Say whether a worker may claim a task, and what stands against it."""
    reply = await deck.client.explain(ref, worker_name(worker))
    if deck.out.as_json:
        deck.out.document(reply)
    else:
        verdict = "may claim" if reply["claimable"] else "may not claim"
        deck.out.text(f"{reply['worker']} {verdict} {reply['task']}")
        rows = [("✓" if check["passed"] else "✗", check["rule"], check["detail"]) for check in reply["checks"]]
        deck.out.table((Column(""), Column("RULE"), Column("DETAIL", flexible=True)), rows)
    return ExitCode.OK if reply["claimable"] else ExitCode.REFUSED


async def chain(deck: Deck, ref: RefArgument) -> None:
    """Show the tasks made from one another that a task belongs to, and how far they have come."""
    reply = await deck.client.chain(ref, limit=PAGE)
    if deck.out.as_json:
        deck.out.document(reply)
        return
    deck.out.text(f"{reply['root']}: {reply['done']} of {reply['total']} done")
    rows = [(f"{'  ' * task['depth']}{task['key']}", task["state"], task["title"]) for task in reply["tasks"]]
    deck.out.table((Column("TASK"), Column("STATE"), Column("TITLE", flexible=True)), rows)
    if reply["next_after"] is not None:
        print(f"… more than these {len(rows)}: taskdeck list --json", file=sys.stderr)


async def gates(deck: Deck, ref: RefArgument, worker: WorkerOption = None) -> None:
    """Say what must be shown before a task is claimed, completed or approved."""
    reply = await deck.client.gates(ref, worker_name(worker))
    if deck.out.as_json:
        deck.out.document(reply)
    elif reply["gates"]:
        rows = [
            (gate["before"], "" if gate["blocking"] else "advisory", gate.get("hook") or ", ".join(gate["evidence"]))
            for gate in reply["gates"]
        ]
        deck.out.table((Column("BEFORE"), Column(""), Column("SHOW", flexible=True)), rows)
    else:
        deck.out.text(f"{reply['task']} has no gates")


async def assignments(deck: Deck, ref: RefArgument) -> None:
    """Show to whom a task was offered, who took it and who gave it back."""
    reply = await deck.client.assignments(ref, limit=1000)
    if deck.out.as_json:
        deck.out.document(reply)
        return
    rows = [
        (entry["at"], entry["act"], entry.get("assignee") or entry["worker"] or "", entry["by"], entry["reason"] or "")
        for entry in reply["assignments"]
    ]
    columns = (Column("AT"), Column("ACT"), Column("WHO"), Column("BY"), Column("REASON", flexible=True))
    deck.out.table(columns, rows)


async def duplicates(
    deck: Deck,
    title: Annotated[str, typer.Argument(help="A title; what is like it is looked for.")],
    project: Annotated[str | None, typer.Option("--project", "-p", help="Of this project alone.")] = None,
    threshold: Annotated[float | None, typer.Option(min=0, max=1, help="How like; 1 is the same words.")] = None,
) -> None:
    """Suggest open tasks that may be the same as one of this title."""
    found = await deck.client.duplicates(title, project=project, threshold=threshold)
    if deck.out.as_json:
        deck.out.document({"duplicates": found})
    elif found:
        columns = (Column("LIKE", right=True), Column("KEY"), Column("STATE"), Column("TITLE", flexible=True))
        deck.out.table(columns, [[f"{one['score']:.0%}", one["key"], one["state"], one["title"]] for one in found])
    else:
        print("none is like it", file=sys.stderr)
