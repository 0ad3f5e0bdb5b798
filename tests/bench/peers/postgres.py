"""PostgreSQL with what one writes oneself: FOR UPDATE SKIP LOCKED, and a row of history per change."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from peers.ground import HOST, Ground, as_user, free_port, version_of
from peers.peer import BODY, LEASE_S, RESULT, Cycle, Missing, Peer, Played, closed_loops
from taskdeck.bench.line import BenchFailed

if TYPE_CHECKING:
    import asyncpg

SCHEMA = """
CREATE TABLE tasks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state text NOT NULL DEFAULT 'ready',
    priority int NOT NULL DEFAULT 50, body text NOT NULL, fence int NOT NULL DEFAULT 0, worker text,
    expires_at timestamptz, result text);
CREATE INDEX tasks_ready ON tasks (priority DESC, id) WHERE state = 'ready';
CREATE INDEX tasks_leases ON tasks (expires_at) WHERE state = 'claimed';
CREATE TABLE events (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(),
    task bigint NOT NULL, type text NOT NULL, worker text NOT NULL);
"""
CLAIM = f"""
WITH head AS (
    SELECT id FROM tasks WHERE state = 'ready' ORDER BY priority DESC, id FOR UPDATE SKIP LOCKED LIMIT 1
), taken AS (
    UPDATE tasks SET state = 'claimed', worker = $1, fence = fence + 1, expires_at = now() + interval '{LEASE_S} s'
    FROM head WHERE tasks.id = head.id RETURNING tasks.id, tasks.fence, tasks.body
), told AS (INSERT INTO events (task, type, worker) SELECT id, 'claimed', $1 FROM taken)
SELECT id, fence, body FROM taken
"""  # noqa: S608  (a number of our own)
ACK = """
WITH done AS (
    UPDATE tasks SET state = 'done', result = $3, expires_at = NULL
    WHERE id = $1 AND fence = $2 AND state = 'claimed' RETURNING id, worker
), told AS (INSERT INTO events (task, type, worker) SELECT id, 'completed', worker FROM done)
SELECT id FROM done
"""
ACK_AND_CLAIM = f"""
WITH done AS (
    UPDATE tasks SET state = 'done', result = $3, expires_at = NULL
    WHERE id = $1 AND fence = $2 AND state = 'claimed' RETURNING id, worker
), head AS (
    SELECT id FROM tasks WHERE state = 'ready' ORDER BY priority DESC, id FOR UPDATE SKIP LOCKED LIMIT 1
), taken AS (
    UPDATE tasks SET state = 'claimed', worker = $4, fence = fence + 1, expires_at = now() + interval '{LEASE_S} s'
    FROM head WHERE tasks.id = head.id RETURNING tasks.id, tasks.fence, tasks.body
), told AS (
    INSERT INTO events (task, type, worker)
    SELECT id, 'completed', worker FROM done UNION ALL SELECT id, 'claimed', $4 FROM taken)
SELECT id, fence, body FROM taken
"""  # noqa: S608  (a number of our own)
NAME = "bench"
SYNCED = "fsync before each reply"
PACKAGE = "Debian: postgresql-15, or postgresql"


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL that was started here."""

    port: int
    password: str
    version: str


async def peer(ground: Ground) -> Peer:
    """A table, two statements."""
    does = "two prepared statements of one's own, no HTTP; priorities, leases, fences, an event row; finished kept"
    return await _peer(ground, "PostgreSQL, SKIP LOCKED", "apart", does, _cycle)


async def onward(ground: Ground) -> Peer:
    """The same table once more, one statement that acknowledges a task and takes the next."""
    does = "the same, acknowledging and taking the next in one statement"
    return await _peer(ground, "PostgreSQL, acknowledging takes the next", "together", does, _onward)


async def _peer(
    ground: Ground,
    title: str,
    schema: str,
    does: str,
    cycle_of: Callable[[asyncpg.Connection, str], Awaitable[Cycle]],
) -> Peer:
    try:
        import asyncpg
    except ImportError:
        raise Missing("no asyncpg found (PyPI: asyncpg)") from None
    server = await ground.shared("postgres", started)

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            host=HOST, port=server.port, user=NAME, password=server.password, database="postgres", timeout=30,
            server_settings={"search_path": schema},
        )  # fmt: skip

    loader = await connect()
    ground.stack.push_async_callback(loader.close)
    await loader.execute(f"CREATE SCHEMA {schema}; {SCHEMA}")

    async def load(count: int) -> None:
        await loader.copy_records_to_table("tasks", schema_name=schema, records=[(BODY,)] * count, columns=["body"])
        await loader.execute("ANALYZE tasks")

    async def play(connections: int, seconds: float) -> Played:
        async with AsyncExitStack() as stack:
            cycles: list[Cycle] = []
            for number in range(connections):
                connection = await connect()
                stack.push_async_callback(connection.close)
                cycles.append(await cycle_of(connection, f"bench-{number}"))
            return await closed_loops(cycles, seconds)

    return Peer(
        title=title,
        versions=f"{server.version}, asyncpg {asyncpg.__version__}",
        durability=SYNCED,
        does=does,
        tasks_a_second=6_000,
        load=load,
        play=play,
    )


async def _cycle(connection: asyncpg.Connection, worker: str) -> Cycle:
    claim = await connection.prepare(CLAIM)
    ack = await connection.prepare(ACK)
    result = orjson.dumps(RESULT).decode()

    async def cycle() -> bool:
        held = await claim.fetchrow(worker)
        return held is not None and await ack.fetchval(held["id"], held["fence"], result) is not None

    return cycle


async def _onward(connection: asyncpg.Connection, worker: str) -> Cycle:
    claim = await connection.prepare(CLAIM)
    ack_and_claim = await connection.prepare(ACK_AND_CLAIM)
    result = orjson.dumps(RESULT).decode()
    held = await claim.fetchrow(worker)

    async def cycle() -> bool:
        nonlocal held
        if held is not None:
            held = await ack_and_claim.fetchrow(held["id"], held["fence"], result, worker)
        return held is not None

    return cycle


async def started(ground: Ground) -> Server:
    """A new cluster with its defaults, on a loopback port, with a password."""
    programs = _programs()
    user = _user()
    folder = ground.folder("postgres", user)
    server = Server(free_port(), secrets.token_hex(16), _version(programs))
    data = _cluster(programs, folder, user, server.password)
    settings = {
        "listen_addresses": HOST, "port": server.port, "unix_socket_directories": "", "fsync": "on",
        "synchronous_commit": "on", "max_connections": 2 * ground.connections + 30,
    }  # fmt: skip
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = [str(programs / "postgres"), "-D", str(data), *options]
    ground.serve("postgres", command, lambda: _ready(programs, server.port), user=user, stop=signal.SIGINT)
    return server


def _cluster(programs: Path, folder: Path, user: str | None, password: str) -> Path:
    secret = folder / "password"
    secret.touch(0o600)
    secret.write_text(password)
    if user is not None:
        shutil.chown(secret, user)
    data = folder / "data"
    made = subprocess.run(
        [programs / "initdb", "-D", data, "-U", NAME, f"--pwfile={secret}", "--auth=scram-sha-256", "-E", "UTF8",
         "--locale=C", "--no-sync"],
        capture_output=True, text=True, timeout=120, check=False, cwd=folder, **as_user(user),
    )  # fmt: skip
    if made.returncode:
        raise BenchFailed(f"initdb failed: {made.stderr.strip()[-300:]}")
    return data


def _ready(programs: Path, port: int) -> bool:
    asked = [str(programs / "pg_isready"), "-q", "-h", HOST, "-p", str(port)]
    return subprocess.run(asked, timeout=30, check=False).returncode == 0


def _programs() -> Path:
    """The folder with PostgreSQL's programs, which Debian keeps off the PATH."""
    if (found := shutil.which("postgres")) is not None:
        return Path(found).resolve().parent
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if not folders:
        raise Missing(f"no postgres found ({PACKAGE})")
    return max(folders, key=lambda folder: float(folder.parent.name))


def _user() -> str | None:
    """Whom the server has to run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        raise Missing("PostgreSQL does not run as root, and there is no user postgres") from None
    return "postgres"


def _version(programs: Path) -> str:
    return " ".join(version_of(str(programs / "postgres"), "--version").replace("(PostgreSQL)", "").split()[:2])
