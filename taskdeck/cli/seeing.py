"""Looking at the deck as a whole: attention, leases, workers, projects, stats."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from taskdeck.cli.connect import Deck, command
from taskdeck.cli.output import Column
from taskdeck.cli.times import ago, left, span

PAGE = 200


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    for verb in (stats, attention, leases, workers, projects):
        command(app, verb.__name__, "Seeing")(verb)


async def leases(
    deck: Deck, limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="At most so many.")] = 200
) -> None:
    """List the claims that run, soonest to end first, lapsed ones before all."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await deck.client.leases(limit=min(PAGE, limit - len(found)), cursor=cursor)
        found += page["leases"]
        cursor = page["next_cursor"]
        if cursor is None or len(found) >= limit:
            break
    if deck.out.as_json:
        deck.out.document({"leases": found, "next_cursor": cursor})
        return
    columns = (
        Column("LEASE", right=True),
        Column("KEY"),
        Column("HOLDER"),
        Column("FENCE", right=True),
        Column("TRY", right=True),
        Column("DONE", right=True),
        Column("STATE"),
        Column("TITLE", flexible=True),
        Column("DETAIL", flexible=True),
    )
    deck.out.table(columns, [_lease_row(lease) for lease in found])


def _lease_row(lease: dict[str, Any]) -> list[str]:
    task = lease["task"]
    return [
        "lapsed" if lease["lapsed"] else left(lease["expires_at"]) or "no end",
        task["key"],
        lease["worker"],
        str(lease["fence"]),
        f"{task['attempt']}/{task['max_attempts']}",
        "" if lease["progress"] is None else f"{lease['progress']}%",
        lease["state"],
        task["title"],
        lease["detail"] or "",
    ]


async def attention(
    deck: Deck,
    project: Annotated[str | None, typer.Option("--project", "-p", help="Of this project alone.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="At most so many.")] = 50,
) -> None:
    """List what needs a human now, most urgent first."""
    found = await deck.client.attention(project=project, limit=limit)
    if deck.out.as_json:
        deck.out.document(found)
        return
    if not found["items"]:
        deck.out.text("nothing needs you")
        return
    columns = (
        Column("REASON"),
        Column("KEY"),
        Column("SINCE", right=True),
        Column("WHAT", flexible=True),
        Column("NEXT", flexible=True),
    )
    rows = [
        [
            item["reason"],
            item["task"]["key"] if item["task"] else item["project"] or "",
            ago(item["since"]),
            item["detail"],
            f"{item['next']['verb']}: {item['next']['method']} {item['next']['path']}",
        ]
        for item in found["items"]
    ]
    deck.out.table(columns, rows)


async def workers(deck: Deck) -> None:
    """List who claims, and how they are."""
    found = await deck.client.workers()
    if deck.out.as_json:
        deck.out.document({"workers": found})
        return
    labelled = any(worker["label"] for worker in found)
    columns = (
        Column("WORKER"),
        *([Column("LABEL", flexible=True)] if labelled else []),
        Column("KIND"),
        Column("LIVENESS"),
        Column("STATE"),
        Column("HELD", right=True),
        Column("SEEN", right=True),
        Column("DETAIL", flexible=True),
    )
    rows = [
        [
            worker["id"],
            *([worker["label"] or ""] if labelled else []),
            worker["kind"],
            worker["liveness"] + (", draining" if worker["draining"] and worker["liveness"] != "draining" else ""),
            worker["state"],
            str(worker["held"]),
            ago(worker["last_seen_at"]),
            worker["detail"] or "",
        ]
        for worker in found
    ]
    deck.out.table(columns, rows)


async def projects(deck: Deck) -> None:
    """List the projects and what lies in them."""
    found = await deck.client.projects()
    if deck.out.as_json:
        deck.out.document({"projects": found})
        return
    counted = ("ready", "claimed", "scheduled", "blocked", "review", "failed", "done")
    columns = (
        Column("NO", right=True),
        Column("PROJECT"),
        *(Column(state.upper(), right=True) for state in counted),
        Column("PAUSED", flexible=True),
    )
    rows = [
        [
            str(project["number"]),
            project["name"],
            *(str(project["counts"].get(state, 0)) for state in counted),
            _paused(project["paused"]),
        ]
        for project in found
    ]
    deck.out.table(columns, rows)


def _paused(paused: dict[str, Any] | None) -> str:
    if paused is None:
        return ""
    reason = f": {paused['reason']}" if paused.get("reason") else ""
    return f"{ago(paused['at'])} by {paused['by']}{reason}"


async def stats(deck: Deck) -> None:
    """Show how the deck is doing."""
    found = await deck.client.stats()
    if deck.out.as_json:
        deck.out.document(found)
        return
    rates, waits, runs, crew = found["rates"], found["wait_seconds"], found["run_seconds"], found["workers"]
    counts = [f"{count} {state}" for state, count in found["counts"].items() if count]
    oldest = found["oldest_ready_seconds"]
    deck.out.heading(f"taskdeck {found['version']}, up {span(found['uptime_seconds'])}")
    deck.out.pairs(
        [
            ("tasks", ", ".join(counts) or "none yet"),
            ("lapsed", str(found["lapsed"]) if found["lapsed"] else None),
            ("oldest ready", span(oldest) if oldest is not None else None),
            ("per second", _rates(rates)),
            ("waiting", _spread(waits)),
            ("running", _spread(runs)),
            (
                "workers",
                ", ".join(
                    f"{crew[kind]} {kind}" for kind in ("active", "idle", "late", "offline", "draining") if crew[kind]
                ),
            ),
            ("paused", ", ".join(name for name, project in found["projects"].items() if project["paused"])),
            ("database", f"{found['database']['bytes'] / 1024 / 1024:.1f} MiB"),
            ("events", str(found["last_seq"])),
            ("draining", "yes: no more work is given out" if found["draining"] else None),
        ]
    )


def _rates(rates: dict[str, Any]) -> str:
    named = ("claims", "completions", "failures")
    return ", ".join(f"{rates[f'{name}_per_second']:.2f} {name}" for name in named)


def _spread(spread: dict[str, Any]) -> str | None:
    if not spread["count"]:
        return None
    return f"half under {span(spread['p50'])}, 95 in 100 under {span(spread['p95'])}"
