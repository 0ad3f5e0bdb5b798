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


def play(url: str, token: str, minutes: float) -> Found:
    """Run after run until the time is over."""
    furnish(url, token)
    total, chance, ends_at = Found(), time.time_ns(), time.monotonic() + minutes * 60
    while time.monotonic() < ends_at:
        chance += 1
        for label, found in fuzz(url, token, EXAMPLES, chance):
            if time.monotonic() >= ends_at:
                break
            print(f"{label:<60} {dict(found.statuses[label])}", flush=True)
        for label, statuses in found.statuses.items():
            total.statuses.setdefault(label, Counter()).update(statuses)
        total.faults += found.faults
    return total


async def main(minutes: float) -> int:
    with tempfile.TemporaryDirectory() as folder:
        async with running_deck(Settings(data=Path(folder) / "data", port=0, log_level="error")) as running:
            token = (running.data / ADMIN_TOKEN).read_text().strip()
            found = await asyncio.to_thread(play, running.url, token, minutes)
    print(*found.faults, f"{sum(map(Counter.total, found.statuses.values()))} requests", sep="\n\n")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(sys.argv[1]))))
