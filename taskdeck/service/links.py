"""link: naming what a task is about or has led to, once each."""

from __future__ import annotations

from taskdeck.domain.link import MAX_LINKS, Link, LinkKind, link_view
from taskdeck.domain.principal import Principal
from taskdeck.service.aside import leave_event, refuse_more, unknown
from taskdeck.service.find import the_task
from taskdeck.store import links
from taskdeck.store.unit import Unit


def link(
    unit: Unit,
    who: Principal,
    ref: str,
    kind: LinkKind,
    target: str,
    repository: str | None = None,
    url: str | None = None,
) -> tuple[Link, bool]:
    """Let the task `ref` name `target`; the link, and whether it is new. One that is there stays as it is.

    Raises:
        NotFound: there is no such task.
        TooMany: it has as many links as a task may have.
    """
    task = the_task(unit, who, ref)
    there = links.same(unit, task.number, kind, repository, target)
    if there is not None:
        return there, False
    refuse_more(task, links.count(unit, task.number), MAX_LINKS, "links")
    made = links.insert(unit, task.number, kind, repository, target, url, who.name)
    leave_event(unit, who, task, "task.linked", {"link": link_view(made)})
    return made, True


def unlink(unit: Unit, who: Principal, ref: str, number: int) -> Link:
    """Let the task name it no more; the event keeps what it was.

    Raises:
        NotFound: there is no such task, or no such link on it.
    """
    task = the_task(unit, who, ref)
    found = links.find(unit, task.number, number)
    if found is None:
        raise unknown(task, "link", number, code="unknown_link")
    links.delete(unit, found.number)
    leave_event(unit, who, task, "task.unlinked", {"link": link_view(found)})
    return found
