"""A whole bench: servers of its own in other processes, or a deck that runs already."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

from taskdeck.bench.child import started
from taskdeck.bench.course import Course
from taskdeck.bench.dialects import Tongue
from taskdeck.bench.figures import Report, machine
from taskdeck.bench.line import Site
from taskdeck.bench.screen import drawn
from taskdeck.client import Client

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


async def bench(
    *,
    seconds: float,
    connections: Sequence[int],
    url: str | None = None,
    token: str | None = None,
    dialect: Tongue | None = None,
    dashboard: bool = False,
    progress: Callable[[str], None],
) -> Report:
    """Measure a deck on a temporary folder, or the one at `url`; about `seconds` go to each figure.

    With `dialect`, cycles through it and through the native API by turns, and nothing else; with `dashboard`, what it
    costs to draw the dashboard in the server's process, on a deck of its own beside the first.

    A deck at `url` keeps what was done there in a project named `bench`; what is left over is cancelled. The
    floor is measured beside it only if it is on this machine.

    Raises:
        ValueError: `url` is no plain http address.
        BenchFailed, ApiError, Unreachable, OSError: a server did not start, refused, or cannot be reached.
    """
    surroundings = machine()
    with tempfile.TemporaryDirectory(prefix="taskdeck-bench-") as folder:
        async with AsyncExitStack() as stack:
            pids: dict[Site, int] = {}

            async def start(kind: str) -> Site:
                child = await stack.enter_async_context(started(kind, Path(folder)))
                pids[child.site] = child.pid
                return child.site

            site = await start("deck") if url is None else site_at(url, token)
            floor = await start("floor") if site.host in LOOPBACK and dialect is None and not dashboard else None
            client = await stack.enter_async_context(Client(site.url, token=site.token))
            course = Course(site, floor, client, seconds=seconds, progress=progress, pids=pids)
            if dialect is not None:
                figures = await course.beside_native(dialect, connections)
            elif dashboard:
                other = await stack.enter_async_context(drawn(Path(folder)))
                pids[other.site] = other.pid
                second = await stack.enter_async_context(Client(other.site.url, token=other.site.token))
                figures = await course.beside_drawn(other.site, second, connections)
            else:
                figures = await course.run(connections)
            if url is not None:
                await course.clear()
    return Report(surroundings, seconds, figures)


def site_at(url: str, token: str | None) -> Site:
    """The deck at `url`.

    Raises:
        ValueError: it is no plain http address.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme != "http" or parts.hostname is None or parts.path.strip("/"):
        raise ValueError(f"{url} is not an address like http://127.0.0.1:7337")
    return Site(parts.hostname, parts.port or 80, token or "")
