"""Situations of the dashboard, walked through one after another; what stands on the screen in each, as text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from live import in_step, screen, unread
from scene import StillClock
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from taskdeck.tui.app import DeckApp

SIZES = ((80, 24), (120, 36), (200, 50))


@dataclass(frozen=True)
class Shot:
    """A situation: what is done to the deck, what is pressed, on which task, and what must stand there at any size."""

    name: str
    keys: Sequence[str] = ()
    told: str = ""
    """Alternatives with `|` between them; of each all parts with ` & ` between them must be there."""
    on: int = 0
    before: Callable[[DeckApp], None] = lambda app: None
    then: Callable[[DeckApp], None] = lambda app: None
    look: Callable[[DeckApp], None] = lambda app: None
    """What is turned to anew at each size."""
    kept: bool = True
    """Whether the picture is kept; not of lists that grow with every new action."""
    after: Callable[[DeckApp], None] = lambda app: None
    sizes: Sequence[tuple[int, int]] = SIZES


def says(text: str, told: str) -> bool:
    """Whether a screen says what a shot wants to be told."""
    return any(all(part in text for part in way.split(" & ")) for way in told.split("|"))


def still(app: DeckApp) -> StillClock:
    """The clock of an app over a scene."""
    clock = app.model.clock
    assert isinstance(clock, StillClock)
    return clock


async def settled(pilot: Pilot[int], told: str) -> str:
    """The screen once it says that and stands still, with what is read of the task in view; or as it is in the end."""
    app = pilot.app
    assert isinstance(app, DeckApp)
    text = ""
    for _ in range(100):
        await pilot.pause()
        in_step(app)  # which may find that something has to be read
        await pilot.pause()
        if not unread(app):
            text = "\n".join(line.rstrip() for line in screen(app))
            if says(text, told):
                return text
        await asyncio.sleep(0.02)
    return text


async def home(pilot: Pilot[int]) -> None:
    """Back to the top of the queue, with nothing open, marked, filtered or told."""
    app = pilot.app
    assert isinstance(app, DeckApp)
    while len(app.screen_stack) > 1 or app.deck.prompt.display:
        await pilot.press("escape")
        await pilot.pause()
    for _ in range(6):
        app.deck.act("peel")
    app.deck.hints.say(())
    app.deck.events.following = True
    app.deck.show_pane(1)
    app.deck.act("top")
    app.deck.leases.task_id = app.deck.worker_list.worker_id = None
    app.deck.problem = None


async def walk(app: DeckApp, shots: Sequence[Shot], snapshot: SnapshotAssertion) -> None:
    """Go through the situations, look at each in its sizes, and fail with all that look otherwise than is known."""
    other: list[str] = []
    async with app.run_test(size=SIZES[-1]) as pilot:
        for shot in shots:
            await home(pilot)
            shot.before(app)
            if shot.on:
                assert app.deck.queue.select(f"00000000-0000-7000-8000-{shot.on:012d}"), shot.name
            await pilot.press(*shot.keys)
            shot.then(app)
            for width, height in shot.sizes:
                await pilot.resize_terminal(width, height)
                shot.look(app)
                text = await settled(pilot, shot.told)
                if not says(text, shot.told):
                    other.append(f"{shot.name} {width}x{height} does not say {shot.told}\n{text}")
                elif shot.kept and snapshot(name=f"{shot.name} {width}x{height}") != text:
                    other.append(f"{shot.name} {width}x{height}\n{text}")
            await home(pilot)
            shot.after(app)
    assert not other, f"{len(other)} look otherwise:\n" + "\n\n".join(other)
