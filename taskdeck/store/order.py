"""The order of claims in the database: the indexes that have it, and how queries name it."""

from __future__ import annotations

import sqlite3

from taskdeck.domain.order import Order
from taskdeck.domain.states import State

RANKED = (State.BACKLOG, State.BLOCKED, State.SCHEDULED, State.REVIEW)
"""States whose tasks are kept in the order of claims for lists alone; the life of most tasks does not touch them."""


def rank(order: Order, table: str = "") -> str:
    """`Order.rank` of a row of tasks as SQL, by the `table` it is called; exactly as the indexes have it."""
    if not order.step_ms:
        return f"-{table}priority"
    return f"{table}queued_at - {table}priority * {order.step_ms}"


def keep(connection: sqlite3.Connection, order: Order) -> None:
    """See that what a claim may take, ready and lapsed tasks, is indexed in `order`, best first; and what is `RANKED`.

    The indexes are made anew if they had another: about a second for each million of ready tasks.
    """
    kept = (
        ("tasks_claimable", "", "state = 'ready' OR lapsed = 1"),
        ("tasks_claimable_by_bucket", "bucket, ", "state = 'ready' OR lapsed = 1"),
        ("tasks_by_rank", "state, ", " OR ".join(f"state = '{state}'" for state in RANKED)),
    )
    wanted = {
        name: f"CREATE INDEX {name} ON tasks ({before}{rank(order)}, number) WHERE {where}"
        for name, before, where in kept
    }
    for name, sql in wanted.items():
        found = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
        if found != (sql,):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"DROP INDEX IF EXISTS {name}")
            connection.execute(sql)
            connection.execute("COMMIT")
