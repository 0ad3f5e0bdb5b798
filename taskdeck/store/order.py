"""The order of claims in the database: the indexes that have it, and how queries name it."""

from __future__ import annotations

import sqlite3

from taskdeck.domain.order import Order


def rank(order: Order, table: str = "") -> str:
    """`Order.rank` of a row of tasks as SQL, by the `table` it is called; exactly as the indexes have it."""
    if not order.step_ms:
        return f"-{table}priority"
    return f"{table}queued_at - {table}priority * {order.step_ms}"


def keep(connection: sqlite3.Connection, order: Order) -> None:
    """See that what a claim may take, ready and lapsed tasks, is indexed in `order`, best first.

    The indexes are made anew if they had another: about a second for each million of ready tasks.
    """
    wanted = {
        name: f"CREATE INDEX {name} ON tasks ({before}{rank(order)}, number) WHERE state = 'ready' OR lapsed = 1"
        for name, before in (("tasks_claimable", ""), ("tasks_claimable_by_bucket", "bucket, "))
    }
    for name, sql in wanted.items():
        found = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
        if found != (sql,):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"DROP INDEX IF EXISTS {name}")
            connection.execute(sql)
            connection.execute("COMMIT")
