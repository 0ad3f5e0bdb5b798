"""A command on a pseudo-terminal: what it drew so far, and keys to press."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from processes import PATIENCE, environment, until

COLUMNS, LINES = 120, 36


class Terminal:
    """One process that believes a person is watching."""

    def __init__(self, argv: Sequence[str], **env: str) -> None:
        self._parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        full = environment(TERM="xterm-256color", COLORTERM="truecolor", **env)
        del full["COLUMNS"]
        self.process = subprocess.Popen(argv, stdin=child, stdout=child, stderr=child, env=full, start_new_session=True)
        os.close(child)
        self._drawn = bytearray()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._parent, 65536)
            except OSError:  # Linux reports the closed other side of a pseudo-terminal as an error
                return
            if not chunk:
                return
            self._drawn += chunk

    @property
    def drawn(self) -> str:
        """All that was written, escape sequences and all."""
        return self._drawn.decode("utf-8", "replace")

    def shows(self, text: str) -> None:
        """Wait until `text` was written."""
        until(lambda: text in self.drawn or self.process.poll() is not None, f"drawing {text!r}")
        assert text in self.drawn, self.drawn[-3000:]

    def press(self, keys: str) -> None:
        os.write(self._parent, keys.encode())

    def ended(self) -> int:
        """The exit status; all output has been read."""
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.ended()
        os.close(self._parent)


@contextmanager
def terminal(argv: Sequence[str], **env: str) -> Iterator[Terminal]:
    """A `Terminal` that is gone when the context ends."""
    one = Terminal(argv, **env)
    try:
        yield one
    finally:
        one.close()
