"""Inbound sources: making, changing, renewing the secret of and removing them. All of it is the admins' alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from taskdeck.domain.clock import rfc3339
from taskdeck.domain.errors import Conflict, NotFound
from taskdeck.domain.events import Event
from taskdeck.domain.principal import Principal
from taskdeck.domain.signature import secret_from
from taskdeck.domain.source import MAX_SOURCES, Source
from taskdeck.service.find import full, missing, require_version, the_project
from taskdeck.service.registry import Registry
from taskdeck.store import sources
from taskdeck.store.unit import Unit

MINUTE_MS = 60_000


class Sources(Registry[str, Source]):
    """Every source, in memory, with what each has sent in this minute."""

    def __init__(self, known: Iterable[Source]) -> None:
        super().__init__(lambda source: source.name, known)
        self._minute = 0
        self._spent: Counter[str] = Counter()

    def spend(self, source: Source, now: int) -> int:
        """Count an event of `source`; if it has sent as many as it may, the milliseconds until it may again."""
        minute, gone_ms = divmod(now, MINUTE_MS)
        if minute != self._minute:
            self._minute, self._spent = minute, Counter()
        if self._spent[source.name] >= source.per_minute:
            return MINUTE_MS - gone_ms
        self._spent[source.name] += 1
        return 0

    def save(self, unit: Unit, source: Source) -> Source:
        """Write what `source` has become, here once it is committed."""
        sources.update(unit, source)
        unit.after_commit.append(lambda: self.put(source))
        return source


def the_source(unit: Unit, who: Principal, name: str) -> Source:
    """The source of that name.

    Raises:
        NotFound: there is none, or its project is not `who`'s to see.
    """
    source = sources.get(unit, name)
    if source is None or not who.sees(source.project):
        raise unknown_source(name)
    return source


def unknown_source(name: str) -> NotFound:
    return missing("source", name, "GET /v1/sources lists them.")


def create_source(unit: Unit, known: Sources, who: Principal, wish: dict[str, Any]) -> Source:
    """Make a source of the fields in `wish`, by the names of `domain.source.Source`.

    Raises:
        NotFound: there is no such project.
        Conflict: the name is in use (`source_exists`), or there are as many as there may be (`too_many_sources`).
    """
    the_project(unit, who, wish["project"])
    if sources.get(unit, wish["name"]) is not None:
        raise Conflict(f"there is a source {wish['name']} already", hint="PATCH changes it.", code="source_exists")
    if sources.count(unit) >= MAX_SOURCES:
        raise full("source", MAX_SOURCES)
    made = {
        "description": "",
        "old_secret": None,
        "old_until": None,
        "active": True,
        "created_by": who.name,
        "created_at": unit.now,
        "version": 1,
    }
    source = Source(**made | wish | {"secret": wish.get("secret") or secret_from(unit.ids.secret())})
    sources.insert(unit, source)
    unit.after_commit.append(lambda: known.put(source))
    _announce(unit, who, "source.created", source)
    return source


def edit_source(
    unit: Unit, known: Sources, who: Principal, name: str, fields: dict[str, Any], version: int | None
) -> Source:
    """Change `fields` of a source; they hold for what arrives from then on.

    Raises:
        NotFound: there is no such source or project.
        VersionConflict: it is not at `version`.
    """
    source = the_source(unit, who, name)
    require_version(f"source {name}", source.version, version)
    if "project" in fields:
        the_project(unit, who, fields["project"])
    changed = replace(source, **fields, version=source.version + 1)
    _announce(unit, who, "source.edited", changed)
    return known.save(unit, changed)


def rotate_source(unit: Unit, known: Sources, who: Principal, name: str, overlap_ms: int, secret: str | None) -> Source:
    """Give the source a new secret; for `overlap_ms` events may be signed under the old one too."""
    source = the_source(unit, who, name)
    changed = replace(
        source,
        secret=secret or secret_from(unit.ids.secret()),
        old_secret=source.secret if overlap_ms else None,
        old_until=unit.now + overlap_ms if overlap_ms else None,
        version=source.version + 1,
    )
    _announce(unit, who, "source.rotated", changed)
    return known.save(unit, changed)


def delete_source(unit: Unit, known: Sources, who: Principal, name: str) -> Source:
    """Remove a source; its tasks stay."""
    source = the_source(unit, who, name)
    sources.delete(unit, name)
    unit.after_commit.append(lambda: known.drop(name))
    _announce(unit, who, "source.deleted", source)
    return source


def source_view(source: Source, now: int, tally: sources.Tally) -> dict[str, Any]:
    """The public shape of a source, without its secret."""
    deliveries, delivered_at = tally
    return {
        "name": source.name,
        "project": source.project,
        "description": source.description,
        "scheme": source.scheme,
        "active": source.active,
        "task": source.template,
        "filters": [{"path": one.path, "op": one.op, "value": one.value} for one in source.filters],
        "unique": source.unique,
        "per_minute": source.per_minute,
        "deliveries": deliveries,
        "delivered_at": None if delivered_at is None else rfc3339(delivered_at),
        "rotates_until": rfc3339(source.old_until) if source.old_until and len(source.secrets(now)) > 1 else None,
        "created_by": source.created_by,
        "created_at": rfc3339(source.created_at),
        "version": source.version,
    }


def _announce(unit: Unit, who: Principal, event: str, source: Source) -> None:
    facts = {"source": source.name, "active": source.active}
    unit.append(Event(unit.now, event, who.name, project=source.project, facts=facts))
