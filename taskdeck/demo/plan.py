"""Tasks as the demo makes them up: believable, and the same for the same seed."""

from __future__ import annotations

from random import Random
from typing import Any

from taskdeck.demo.catalogue import THEMES, Theme
from taskdeck.domain.clock import Clock, rfc3339

PEOPLE = ("ada", "jun", "mira", "noor", "tomas")


class Planner:
    """Makes up one task after another."""

    def __init__(self, random: Random, clock: Clock) -> None:
        self._random = random
        self._clock = clock

    def task(self, **fixed: Any) -> dict[str, Any]:
        """The fields of a new task; `fixed` ones stand as given, and what is made up fits them."""
        about = fixed.get("project")
        themes = [theme for theme in THEMES if about in (None, theme.name)]
        theme = self._random.choices(themes, [theme.weight for theme in themes])[0]
        thing = self._random.choice(theme.things)
        title = f"{self._random.choice(theme.acts)} {thing}"
        task = {
            "project": theme.name,
            "title": title,
            "description": f"{title}.\n\nReported by {self._random.choice(PEOPLE)}.",
            "priority": 5 * round(self._random.triangular(10, 98, 50) / 5),
            "labels": sorted(self._random.sample(theme.labels, self._random.randint(1, 2))),
            "payload": self._payload(theme, thing),
            "max_attempts": 3,
        }
        if self._random.random() < 0.45:
            task["capabilities"] = list(theme.capabilities)
        return task | fixed

    def scheduled(self, least: float, most: float) -> dict[str, Any]:
        """A task that is not to be begun for `least` to `most` seconds."""
        start = self._clock.now_ms() + round(1000 * self._random.uniform(least, most))
        return self.task(not_before=rfc3339(start))

    def due(self) -> dict[str, Any]:
        """A task that is wanted within some hours."""
        end = self._clock.now_ms() + round(1000 * self._random.uniform(900, 6 * 3600))
        return self.task(due=rfc3339(end), priority=80)

    def _payload(self, theme: Theme, thing: str) -> dict[str, Any]:
        slug = thing.lower().replace(" ", "-")
        return {
            "repository": f"northwind/{theme.name}",
            "branch": f"{theme.prefix.lower()}/{slug}-{self._random.randint(100, 999)}",
            "files": [f"src/{slug}/{name}" for name in self._random.sample(("index.ts", "load.py", "test.py"), 2)],
        }
