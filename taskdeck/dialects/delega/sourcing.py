"""Ingress sources in Delega's words, and as sources of the deck."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from taskdeck.dialects.delega.words import PRIORITY, SOURCE_OPS, moment, priority_said, project_said
from taskdeck.domain.source import Filter, Scheme, Source
from taskdeck.domain.task import DEFAULT_PRIORITY
from taskdeck.store.sources import Tally

Said = dict[str, Any]

LABEL: Final = "ingress"
"""What every task made by a source carries."""
_OP_SAID = {op: word for word, op in SOURCE_OPS.items()}
_SAYABLE = frozenset({"title", "description", "labels", "priority", "assignee"})


def template_of(said: Said, assignee: str | None) -> Said:
    """The deck's template for Delega's."""
    template: Said = {
        "title": said["content"],
        "description": said["description"] or "",
        "priority": PRIORITY[said["priority"] or 1],
        "labels": list(dict.fromkeys([LABEL, *(said["labels"] or ())])),
    }
    return template if assignee is None else template | {"assignee": assignee}


def filters_of(said: Iterable[Said]) -> tuple[Filter, ...]:
    """The deck's filters for Delega's."""
    return tuple(Filter(one["path"], SOURCE_OPS[one["op"]], one["value"]) for one in said)


def source_said(source: Source, tally: Tally) -> Said | None:
    """A source as Delega's clients read it, without its secret; None for one that they have no words for."""
    template = source.template
    priority = template.get("priority", DEFAULT_PRIORITY)
    if source.scheme is not Scheme.STANDARD or not template.keys() <= _SAYABLE or not isinstance(priority, int):
        return None
    if any(one.op not in _OP_SAID for one in source.filters):
        return None
    return {
        "id": source.name,
        "name": source.description or source.name,
        "scheme": "hmac-sha256",
        "ingest_path": f"/v1/ingress/{source.name}",
        "template": {
            "content": template["title"],
            "description": template.get("description") or None,
            "priority": priority_said(priority),
            "labels": [label for label in template.get("labels", ()) if label != LABEL],
            "dedupe_key": source.unique,
        },
        "filters": [{"path": one.path, "op": _OP_SAID[one.op], "value": one.value} for one in source.filters],
        "default_project_id": project_said(source.project),
        "default_assignee_agent_id": template.get("assignee"),
        "active": source.active,
        "delivery_count": tally[0],
        "last_delivery_at": moment(tally[1]),
        "created_at": moment(source.created_at),
    }
