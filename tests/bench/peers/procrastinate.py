"""procrastinate, a task queue on PostgreSQL: what its workers call to fetch a job and to finish it."""

from __future__ import annotations

import logging

from peers.ground import HOST, Ground
from peers.peer import TASK, Cycle, Missing, Peer, Played, closed_loops
from peers.postgres import NAME, SYNCED, started

AT_ONCE = 1_000


async def peer(ground: Ground) -> Peer:
    """On the same PostgreSQL as the statements of one's own."""
    try:
        import procrastinate
        from procrastinate.jobs import Job, Status
    except ImportError:
        raise Missing("no procrastinate found (PyPI: procrastinate, psycopg[binary])") from None
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    server = await ground.shared("postgres", started)
    connector = procrastinate.PsycopgConnector(
        kwargs={
            "host": HOST, "port": server.port, "user": NAME, "password": server.password, "dbname": "postgres",
        },
        min_size=ground.connections, max_size=ground.connections,
    )  # fmt: skip
    app = await ground.stack.enter_async_context(procrastinate.App(connector=connector).open_async())
    await app.schema_manager.apply_schema_async()
    jobs = app.job_manager
    worker = await jobs.register_worker()
    job = Job(id=None, queue="bench", lock=None, queueing_lock=None, task_name="bench", task_kwargs=TASK)

    async def load(count: int) -> None:
        while count > 0:
            await jobs.batch_defer_jobs_async([job] * min(count, AT_ONCE))
            count -= AT_ONCE
        await connector.execute_query_async("ANALYZE procrastinate_jobs")

    async def cycle() -> bool:
        held = await jobs.fetch_job(queues=None, worker_id=worker)
        if held is None:
            return False
        await jobs.finish_job(held, Status.SUCCEEDED, delete_job=False)
        return True

    async def play(connections: int, seconds: float) -> Played:
        cycles: list[Cycle] = [cycle] * connections
        return await closed_loops(cycles, seconds)

    return Peer(
        title="procrastinate",
        versions=f"procrastinate {procrastinate.__version__}, {server.version}",
        durability=SYNCED,
        does="its own fetch and finish through its pool; priorities, locks, an event row; finished kept",
        tasks_a_second=2_000,
        load=load,
        play=play,
    )
