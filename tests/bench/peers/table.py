"""What a run says: a Markdown table, or one JSON document."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from peers.peer import Peer, Played

BASE = "taskdeck"
CLIENT_FULL = 0.9
"""From this share of its core on, the client is what limits a figure."""


@dataclass(slots=True)
class Result:
    """One peer: what it is, and its rounds by number of connections."""

    peer: Peer
    rounds: dict[int, list[Played]] = field(default_factory=dict)
    failed: str | None = None


@dataclass(slots=True)
class Report:
    """A whole run; `results` and `missing` by the name of the peer."""

    machine: dict[str, Any]
    seconds: float
    rounds: int
    connections: list[int]
    results: dict[str, Result]
    missing: dict[str, str]

    def document(self) -> dict[str, Any]:
        """The report as one JSON document."""
        return {
            "machine": self.machine,
            "seconds_a_round": self.seconds,
            "rounds": self.rounds,
            "peers": [self._peer(name, result) for name, result in self.results.items()],
            "missing": self.missing,
        }

    def markdown(self) -> str:
        """The report as Markdown; its cells hold the medians of the rounds."""
        head = ["system", "durability"]
        for count in self.connections:
            head += [f"{count} conn: cycles/s", "ratio", "p50 / p99 ms"]
        rows = [head, ["---"] * 2 + ["---:"] * (len(head) - 2)]
        for result in self.results.values():
            rows.append([result.peer.title, result.peer.durability])
            for count in self.connections:
                rows[-1] += self._cells(result, count)
        table = [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join([*table, "", self._legend(), "", *self._notes()])

    def _legend(self) -> str:
        said = (
            f"A cycle reserves a task and acknowledges it. Medians of {self.rounds} rounds of {self.seconds:g} s, "
            "taken by turns; the ratio is to taskdeck within each round; p50 and p99 are of a whole cycle."
        )
        if any(_client_full(rounds) for result in self.results.values() for rounds in result.rounds.values()):
            said += " ‡: the client's core was full, the server may do more."
        return f"{said}\n\n" + ", ".join(f"{key.replace('_', ' ')}: {value}" for key, value in self.machine.items())

    def _notes(self) -> list[str]:
        peers = [result.peer for result in self.results.values()]
        notes = [f"- {peer.title} ({peer.versions}): {peer.does}" for peer in peers]
        notes += [f"- failed: {self.results[name].peer.title}: {text}" for name, text in self._failures().items()]
        return notes + [f"- not measured: {name}: {text}" for name, text in self.missing.items()]

    def _failures(self) -> dict[str, str]:
        return {name: result.failed for name, result in self.results.items() if result.failed is not None}

    def _cells(self, result: Result, count: int) -> list[str]:
        rounds = result.rounds.get(count, [])
        if not rounds:
            return ["failed", "", ""]
        rate = f"{_median(rounds, 'cycles_per_second'):,.0f}".replace(",", " ") + (" ‡" if _client_full(rounds) else "")
        spent = f"{_median(rounds, 'p50_ms'):.2f} / {_median(rounds, 'p99_ms'):.2f}"
        return [rate, f"{self._ratio(rounds, count):.2f}", spent]

    def _ratio(self, rounds: list[Played], count: int) -> float:
        base = self.results[BASE].rounds[count]
        pairs = zip(rounds, base, strict=False)  # one that failed has fewer
        return median(mine.cycles_per_second / ours.cycles_per_second for mine, ours in pairs)

    def _peer(self, name: str, result: Result) -> dict[str, Any]:
        peer = result.peer
        figures = [
            {
                "connections": count,
                "cycles_per_second": round(_median(rounds, "cycles_per_second"), 1),
                "ratio_to_taskdeck": round(self._ratio(rounds, count), 3),
                "p50_ms": round(_median(rounds, "p50_ms"), 3),
                "p99_ms": round(_median(rounds, "p99_ms"), 3),
                "client_full": _client_full(rounds),
                "rounds": [asdict(played) for played in rounds],
            }
            for count, rounds in result.rounds.items()
            if rounds
        ]
        return {
            "name": name, "title": peer.title, "versions": peer.versions, "durability": peer.durability,
            "does": peer.does, "failed": result.failed, "figures": figures,
        }  # fmt: skip


def _median(rounds: list[Played], figure: str) -> float:
    return float(median(getattr(played, figure) for played in rounds))


def _client_full(rounds: list[Played]) -> bool:
    return any(played.client_busy is not None and played.client_busy >= CLIENT_FULL for played in rounds)
