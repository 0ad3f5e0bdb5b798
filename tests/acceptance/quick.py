"""Commands that start quickly: a process that has read `taskdeck`'s modules forks for each of them.

A command is a process like any other, with arguments, environment, standard streams and an exit status of its own. Only
reading the modules is spared, which takes ten times as long as what most commands then do.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_LONGEST_S = 90


def run(
    args: tuple[str, ...], stdin: str, environment: dict[str, str], patience_s: float
) -> subprocess.CompletedProcess[str]:
    """Run `taskdeck` with `args` to its end.

    Raises:
        TimeoutError: it took longer than `patience_s` seconds.
    """
    mine, theirs = socket.socketpair()
    with (
        mine,
        theirs,
        tempfile.TemporaryFile() as wish,
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        wish.write(json.dumps([args, environment, str(Path.cwd())]).encode())
        given.write(stdin.encode())
        for file in (wish, given):
            file.seek(0)
        passed = [file.fileno() for file in (given, out, err, wish, theirs)]
        socket.send_fds(_forking(), [b"."], passed)
        theirs.close()
        mine.settimeout(patience_s)
        status = int(mine.recv(16))
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(args, status, out.read().decode(), err.read().decode())


@cache
def _forking() -> socket.socket:
    """Where to ask for a command; the process behind it ends with this one."""
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen([sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()])
    theirs.close()

    def end() -> None:
        mine.close()
        process.wait()

    atexit.register(end)
    return mine


def _fork_for_ever(asked: socket.socket) -> None:
    """Return once for each command, in a process of its own whose streams, environment and arguments are set."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who waits for a command is not waited for
    while True:
        message, passed, *_ = socket.recv_fds(asked, 1, 5)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            break
        for descriptor in passed:
            os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, wish, told = passed
    command = os.fork()
    if command:
        _, status = os.waitpid(command, 0)
        os.write(told, b"%d" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    signal.alarm(_LONGEST_S)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    with os.fdopen(wish, "rb") as file:
        args, environment, folder = json.load(file)
    os.closerange(3, max(passed) + 1)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["taskdeck", *args]


if __name__ == "__main__":
    from taskdeck.__main__ import main
    from taskdeck.loading import loading

    with loading():
        import taskdeck.app
        import taskdeck.client
        import taskdeck.http.native
        import taskdeck.listening  # noqa: F401
        from taskdeck.cli.app import build

        build()
    _fork_for_ever(socket.socket(fileno=int(sys.argv[1])))
    main()
