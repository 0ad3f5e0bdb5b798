"""Requests that schemathesis makes up, against a deck of its own, other ones each time: `python tests/fuzz.py MINUTES`.

Ends with 1 if a reply was a fault of the server's or not told of in the API's description, and says which.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from support.fuzz import Found, furnish, fuzz

from taskdeck.app import running_deck
from taskdeck.config import Settings
from taskdeck.store.folder import ADMIN_TOKEN

EXAMPLES = 25


def play(url: str, token: str, chance: int, ends_at: float) -> Found:
    """One run through all operations, as far as the time goes."""
    furnish(url, token)
    found = Found()
    for label, found in fuzz(url, token, EXAMPLES, chance):
        print(f"{label:<60} {dict(found.statuses[label])}", flush=True)
        if time.monotonic() >= ends_at:
            break
    return found


async def main(minutes: float) -> int:
    """Run after run, each against a new deck, until the time is over."""
    chance, ends_at, requests, faults = time.time_ns(), time.monotonic() + minutes * 60, 0, list[str]()
    while time.monotonic() < ends_at:
        chance += 1
        with tempfile.TemporaryDirectory() as folder:
            async with running_deck(Settings(data=Path(folder) / "data", port=0, log_level="error")) as running:
                token = (running.data / ADMIN_TOKEN).read_text().strip()
                found = await asyncio.to_thread(play, running.url, token, chance, ends_at)
        requests += sum(map(Counter.total, found.statuses.values()))
        faults += found.faults
    print(*faults, f"{requests} requests, {len(faults)} operations at fault", sep="\n\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(sys.argv[1]))))
