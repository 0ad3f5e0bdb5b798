"""How simulated agents differ: pace, care, and the ways in which they trouble their operator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Temperament:
    """One kind of worker. Times in seconds; chances between 0 and 1, for each task."""

    worker: str
    capabilities: tuple[str, ...]
    work: tuple[float, float]
    """Least and most time for a task."""
    lease: int
    kind: str = "agent"
    rest: tuple[float, float] = (0.3, 2.0)
    beat: float = 5.0
    """Time between heartbeats."""
    fails: float = 0.03
    asks: float = 0.0
    goes_silent: float = 0.0
    releases: float = 0.02


TEMPERAMENTS: Final = (
    Temperament("agent-atlas", ("typescript", "python", "sql"), (3, 9), 30),
    Temperament("agent-borea", ("python", "sql", "writing"), (20, 55), 60),
    Temperament("agent-cygnus", ("python", "terraform"), (8, 20), 20, beat=6, goes_silent=0.35),
    Temperament("agent-deneb", ("typescript", "writing"), (12, 30), 45, asks=0.4),
    Temperament("agent-electra", ("typescript", "python", "sql"), (6, 16), 30, fails=0.4),
    Temperament("mira", ("writing", "terraform", "python"), (45, 120), 300, "human", (6, 20), beat=20, fails=0),
    Temperament("agent-fornax", ("typescript", "terraform"), (4, 12), 25, releases=0.15),
    Temperament("ci-runner-1", ("python", "typescript"), (2, 5), 20, "service", (1, 5), beat=4, fails=0.1),
    Temperament("agent-gemini", ("python", "sql", "writing"), (15, 40), 45, asks=0.1, goes_silent=0.05),
    Temperament("agent-hydra", ("typescript", "python", "terraform"), (10, 25), 30),
)


def crew(size: int) -> list[Temperament]:
    """`size` workers of all kinds; beyond ten, further ones of the same kinds under other names."""
    crew = []
    for i in range(size):
        again, kind = divmod(i, len(TEMPERAMENTS))
        member = TEMPERAMENTS[kind]
        crew.append(replace(member, worker=f"{member.worker}-{again + 1}") if again else member)
    return crew
