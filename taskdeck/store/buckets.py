"""Buckets in the database: interning what decides who may have a task."""

from __future__ import annotations

import json
from collections.abc import Iterable

from taskdeck.domain.task import Bucket, Json
from taskdeck.store.unit import Unit


def intern(
    unit: Unit,
    project: str,
    labels: Iterable[str],
    capabilities: Iterable[str],
    assignee: str | None,
    gates: Json | None,
) -> Bucket:
    """The bucket of tasks that have all of this in common, made if it is new."""
    wanted, needed = frozenset(labels), frozenset(capabilities)
    known = unit.mirror.interned.get((project, wanted, needed, assignee, gates))
    if known is not None:
        return known
    number = unit.write(
        "INSERT INTO buckets (project, labels, capabilities, assignee, gates) VALUES (?, ?, ?, ?, ?)",
        (project, json.dumps(sorted(wanted)), json.dumps(sorted(needed)), assignee, gates),
    ).lastrowid
    if number is None:
        raise RuntimeError("the database gave no number to a new bucket")
    bucket = Bucket(number, project, wanted, needed, assignee, gates)
    unit.mirror.add_bucket(bucket)
    unit.undo.append((unit.mirror.drop_bucket, bucket))
    return bucket
