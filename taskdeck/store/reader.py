"""Reading beside the writer: connections that see what is committed and never wait for a write."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path
from typing import Any

import aiosqlite

from taskdeck.domain.errors import Unavailable
from taskdeck.domain.task import Bucket
from taskdeck.store.connect import open_reader
from taskdeck.store.mirror import SELECT_BUCKETS, bucket_from

Row = tuple[Any, ...]

CONNECTIONS = 2
DEADLINE_S = 5.0
_SOON_S = 0.05


class Reader:
    """A few read-only connections, each used for one query at a time."""

    def __init__(self, connections: Sequence[aiosqlite.Connection]) -> None:
        self._all = list(connections)
        self._free: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        for connection in connections:
            self._free.put_nowait(connection)
        self._buckets: dict[int, Bucket] = {}

    @classmethod
    async def open(cls, path: Path) -> Reader:
        return cls([await open_reader(path) for _ in range(CONNECTIONS)])

    async def close(self) -> None:
        for connection in self._all:
            await connection.close()

    async def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of a query.

        Raises:
            Unavailable: it took longer than `DEADLINE_S`; the query was stopped.
        """
        async with self._connection() as connection:
            try:
                async with asyncio.timeout(DEADLINE_S):
                    return [tuple(row) for row in await connection.execute_fetchall(sql, values)]
            except TimeoutError:
                await connection.interrupt()
                raise Unavailable(
                    f"the query took longer than {DEADLINE_S:g} seconds", hint="Ask for less: add filters."
                ) from None

    async def row(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        """The first row of a query."""
        found = await self.rows(sql, values)
        return found[0] if found else None

    @asynccontextmanager
    async def at_once(self) -> AsyncIterator[Reader]:
        """This reader, all of whose queries see the deck as it is at one moment: what belongs together stays so."""
        async with self._connection() as connection:
            one = copy(self)
            one._free = asyncio.Queue()
            one._free.put_nowait(connection)
            await connection.execute("BEGIN")
            try:
                yield one
            finally:
                ending = asyncio.ensure_future(connection.execute("ROLLBACK"))
                while not (await asyncio.wait([ending], timeout=_SOON_S))[0]:
                    await connection.interrupt()  # a query is still running for which nobody waits any more
                ending.exception()  # there is nothing to roll back where a fault has done it

    async def buckets(self, numbers: set[int]) -> dict[int, Bucket]:
        """The buckets of these numbers. A bucket never changes, so each is read once."""
        missing = sorted(numbers - self._buckets.keys())
        if missing:
            sql = f"{SELECT_BUCKETS} WHERE number IN (SELECT value FROM json_each(?))"  # noqa: S608
            for row in await self.rows(sql, (json.dumps(missing),)):
                self._buckets[row[0]] = bucket_from(row)
        return self._buckets

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiosqlite.Connection]:
        try:
            async with asyncio.timeout(DEADLINE_S):
                connection = await self._free.get()
        except TimeoutError:
            raise Unavailable("too many reads are waiting", hint="Try again in a few seconds.") from None
        try:
            yield connection
        finally:
            self._free.put_nowait(connection)
