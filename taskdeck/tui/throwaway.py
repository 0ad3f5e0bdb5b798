"""A throw-away deck with simulated agents at work: `taskdeck demo`, in a process and a folder of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

from taskdeck.client import Client
from taskdeck.environment import PREFIX
from taskdeck.tui.dialogs.base import Choice, Form
from taskdeck.tui.dialogs.connecting import NotThere, reach
from taskdeck.tui.format import clip

PATIENCE_S = 30.0
"""How long it may take to begin, and to end."""
_SAID = ", data folder "
"""Behind this the demo names its folder, in its first line."""


def throwing_away(address: str, *, serving: bool) -> Form:
    """What will happen, and what will not, before a throw-away deck is opened."""
    return Form(
        title="A throw-away deck",
        prose=lambda: [
            (("Opens a second deck, in a folder of its own, full of made-up tasks", "text"),),
            (("on which simulated agents work. All keys can be tried on it.", "text"),),
            (),
            (("now at    ", "muted"), (clip(address, 56), "strong")),
            (("          nothing of it is touched" + ("; it is served on" if serving else ""), "muted"),),
            ((":connect home comes back to it; the throw-away deck is gone then", "muted"),),
        ],
        fields=(Choice("sure", "", (("no", "stay here"), ("yes", "open it"))),),
        act="choose", leave="stay here",
    )  # fmt: skip


class Throwaway:
    """One demo. It ends with `close`, and also with this process, however that ends: nobody reads it any more."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> Client:
        """Begin; a client of its deck, as its administrator.

        Raises:
            NotThere: it did not begin; the text says why.
        """
        # what is set for the deck of this process, such as its ports, is not meant for another
        env = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "taskdeck", "demo", stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe,
            env=env, start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await reach(str(await self._folder(self._process)), "")
        except TimeoutError:
            await self.close()
            raise NotThere(f"the demo did not begin within {PATIENCE_S:g} seconds") from None
        except BaseException:
            await self.close()
            raise

    async def _folder(self, process: asyncio.subprocess.Process) -> Path:
        assert process.stdout is not None and process.stderr is not None  # noqa: S101 - both are pipes
        last = ""
        async for line in process.stderr:
            last = line.decode(errors="replace").strip() or last
            if _SAID in last:
                self._reading = asyncio.create_task(_drain(process.stdout, process.stderr))
                return Path(last.partition(_SAID)[2])
        raise NotThere(f"the demo did not begin: {last or 'it said nothing'}")

    async def close(self) -> None:
        """End it; nothing of it is left."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
        if self._reading is not None:
            self._reading.cancel()


async def _drain(*streams: asyncio.StreamReader) -> None:
    """Read what is said and forget it: the demo ends where nobody does."""

    async def drain(stream: asyncio.StreamReader) -> None:
        while await stream.read(65_536):
            pass

    await asyncio.gather(*map(drain, streams))
