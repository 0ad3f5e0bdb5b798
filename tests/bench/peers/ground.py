"""Where the peers stand: a temporary folder, servers started here on loopback ports, a core for each side."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from peers.peer import Missing
from taskdeck.bench.line import BenchFailed

HOST = "127.0.0.1"
START_S = 30.0
STOP_S = 15.0
T = TypeVar("T")


class Ground:
    """Holds all that the peers start and open; nothing of it is left when the block ends, however it ends."""

    def __init__(self, parent: Path | None, connections: int, node_modules: Path | None) -> None:
        self.connections = connections
        """The most connections of any round."""
        self.node_modules = node_modules
        self.stack = AsyncExitStack()
        """What the peers open; closed before any server is stopped."""
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self.pinned = len(cores) > 1
        """Whether servers and client each have a core of their own."""
        self._all, self._server, self._client = set(cores), set(cores[:1]), set(cores[1:2])
        self._folder = tempfile.TemporaryDirectory(prefix="taskdeck-peers-", dir=parent, ignore_cleanup_errors=True)
        Path(self._folder.name).chmod(0o711)  # a server that runs as another user has to reach its own folder
        self._servers: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []
        self._shared: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        self._pin(self._client)
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.stack.aclose()
        finally:
            self._stop()

    @property
    def file_system(self) -> str:
        """The type of file system that holds the data, where the system tells; in memory a sync costs nothing."""
        with contextlib.suppress(OSError):
            mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
            place = Path(self._folder.name).resolve()
            return max((len(point), kind) for point, kind in mounts if place.is_relative_to(point))[1]
        return "unknown"

    def folder(self, name: str, user: str | None = None) -> Path:
        """A new folder, for the eyes of `user` alone."""
        folder = Path(self._folder.name) / name
        folder.mkdir(0o700)
        if user is not None:
            shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
        return folder

    @contextmanager
    def server_core(self) -> Iterator[None]:
        """What is started within runs on the servers' core."""
        self._pin(self._server)
        try:
            yield
        finally:
            self._pin(self._client)

    def serve(
        self,
        name: str,
        command: Sequence[str | Path],
        answers: Callable[[], bool],
        *,
        user: str | None = None,
        stop: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Start a server and wait until it `answers`.

        Raises:
            BenchFailed: it did not start.
        """
        output = Path(self._folder.name) / f"{name}.output"
        with output.open("wb") as said, self.server_core():
            server = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                cwd=self._folder.name, start_new_session=True, **as_user(user),
            )  # fmt: skip
        self._servers.append((server, stop))
        deadline = time.monotonic() + START_S
        while not answers():
            if server.poll() is not None or time.monotonic() > deadline:
                last = output.read_text(errors="replace").strip().splitlines()[-3:]
                raise BenchFailed(f"{name} did not start: {' / '.join(last)[:400]}")
            time.sleep(0.02)

    async def shared(self, key: str, start: Callable[[Ground], Awaitable[T]]) -> T:
        """What `start` gives; it is called once, though several peers ask for it."""
        if key not in self._shared:
            self._shared[key] = await start(self)
        found: T = self._shared[key]
        return found

    def _stop(self) -> None:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second ctrl-c must not leave a server behind
        try:
            for server, how in self._servers:
                server.send_signal(how)
            for server, _how in self._servers:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    server.wait(STOP_S)
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(server.pid, signal.SIGKILL)  # its helpers too
                server.wait()
            self._folder.cleanup()
        finally:
            signal.signal(signal.SIGINT, before)
            self._pin(self._all)

    def _pin(self, cores: set[int]) -> None:
        if self.pinned:
            os.sched_setaffinity(0, cores)


def as_user(user: str | None) -> dict[str, Any]:
    """What makes `subprocess` run a command as `user`; None: as whoever runs this."""
    return {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def program(name: str, package: str) -> str:
    """The path of a program.

    Raises:
        Missing: it is not installed.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Missing(f"no {name} found (Debian: {package})")
    return found


def version_of(*command: str) -> str:
    """The first line of what a program says of its version."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return (done.stdout or done.stderr).strip().splitlines()[0]


def free_port() -> int:
    """A port of the loopback address that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
