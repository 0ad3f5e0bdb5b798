"""The statements by which a row is written whole, for tables whose rows are."""

from __future__ import annotations

from collections.abc import Sequence


def insert(table: str, columns: Sequence[str]) -> str:
    """Write a new row: the values of `columns`."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608  (our own names)


def update(table: str, columns: Sequence[str], key: str) -> str:
    """Write the row of a `key` anew: the values of `columns`, then the key."""
    return f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in columns)} WHERE {key} = ?"  # noqa: S608


def save(table: str, columns: Sequence[str]) -> str:
    """Write a row, new or not: the values of `columns`, the first of which is the key."""
    key, *others = columns
    anew = ", ".join(f"{name} = excluded.{name}" for name in others)
    return f"{insert(table, columns)} ON CONFLICT ({key}) DO UPDATE SET {anew}"
