"""The vital signs in the form in which Prometheus and its kind collect figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web

from taskdeck import __version__
from taskdeck.domain.principal import Role
from taskdeck.http.call import Call
from taskdeck.http.routes import RouteTable

if TYPE_CHECKING:
    from prometheus_client.core import Metric

routes = RouteTable()


@routes.add("GET", "/metrics", Role.READER)
async def metrics(call: Call) -> web.StreamResponse:
    """The vital signs as Prometheus collects them, of the projects that the caller sees."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(_Collected(await call.deck.stats(call.who)))
    text = generate_latest(registry)
    kind = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8", "X-Request-Id": call.request_id}
    return web.Response(body=text, headers=kind)


class _Collected:
    """The figures of one moment, made of the answer of `GET /v1/stats`."""

    def __init__(self, stats: dict[str, Any]) -> None:
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        stats = self._stats

        def gauge(name: str, about: str, value: float | None) -> Iterator[Metric]:
            if value is not None:
                yield GaugeMetricFamily(f"taskdeck_{name}", about, value)

        def gauges(name: str, about: str, labels: list[str], values: Mapping[Any, float]) -> Iterator[Metric]:
            family = GaugeMetricFamily(f"taskdeck_{name}", about, labels=labels)
            for key, value in values.items():
                family.add_metric(list(key), value)
            yield family

        projects = stats["projects"]
        yield from gauges("info", "The version that serves.", ["version"], {(__version__,): 1})
        yield from gauge("uptime_seconds", "Since the deck was started.", stats["uptime_seconds"])
        counts = {
            (name, state): count for name, project in projects.items() for state, count in project["counts"].items()
        }
        yield from gauges("tasks", "Tasks by project and state.", ["project", "state"], counts)
        paused = {(name,): float(project["paused"]) for name, project in projects.items()}
        yield from gauges("project_paused", "1 while the project is paused.", ["project"], paused)
        yield from gauge("lapsed", "Claims whose lease has ended.", stats["lapsed"])
        yield from gauge("oldest_ready_seconds", "Age of the oldest ready task.", stats["oldest_ready_seconds"])
        yield from gauge("waiting_claims", "Claims that wait for work.", stats["waiting_claims"])
        liveness = {(name,): count for name, count in stats["workers"].items() if name != "total"}
        yield from gauges("workers", "Workers by liveness.", ["liveness"], liveness)
        for what in ("claims", "completions", "failures"):
            per_second = stats["rates"][f"{what}_per_second"]
            yield from gauge(f"{what}_per_second", f"{what.capitalize()} over the last minute.", per_second)
        for what, about in (("wait", "From ready to claimed."), ("run", "From claimed to done.")):
            found = stats[f"{what}_seconds"]
            values = {(q,): found[p] for q, p in (("0.5", "p50"), ("0.95", "p95")) if found[p] is not None}
            yield from gauges(f"{what}_seconds", about, ["quantile"], values)
        sizes = {("database",): stats["database"]["bytes"], ("log",): stats["database"]["wal_bytes"]}
        yield from gauges("file_bytes", "The database, and the log before it.", ["file"], sizes)
        yield CounterMetricFamily("taskdeck_events", "Events in the log since its beginning.", stats["last_seq"])
        open_ = float(stats["breaker"]["state"] != "closed")
        yield from gauge("breaker_open", "1 while the store fails and is left alone.", open_)
        yield from gauge("draining", "1 while the server stops.", float(stats["draining"]))
