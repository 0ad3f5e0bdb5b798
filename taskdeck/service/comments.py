"""comment: saying something about a task, mending it, taking it back."""

from __future__ import annotations

from taskdeck.domain.comment import MAX_COMMENTS, Comment, comment_view
from taskdeck.domain.errors import Forbidden
from taskdeck.domain.principal import Principal
from taskdeck.domain.task import Task
from taskdeck.service.aside import leave_event, refuse_more, unknown
from taskdeck.service.find import the_task
from taskdeck.store import comments
from taskdeck.store.unit import Unit


def comment(unit: Unit, who: Principal, ref: str, text: str, byline: str | None = None) -> Comment:
    """Say `text` about the task `ref`, whatever its state; `byline` is shown beside the author's own name.

    Raises:
        NotFound: there is no such task.
        TooMany: it has as many comments as a task may have.
    """
    task = the_task(unit, who, ref)
    refuse_more(task, comments.count(unit, task.number), MAX_COMMENTS, "comments")
    made = comments.insert(unit, task.number, who.name, byline, text)
    leave_event(unit, who, task, "task.commented", {"comment": comment_view(made)})
    return made


def edit_comment(unit: Unit, who: Principal, ref: str, number: int, text: str) -> Comment:
    """Put `text` in place of what the comment says; the event keeps what it said before.

    Raises:
        NotFound: there is no such task, or no such comment on it.
        Forbidden: it is another's, and `who` is no operator.
    """
    task, found = _own_comment(unit, who, ref, number)
    before = found.text
    if text != before:
        comments.rewrite(unit, found, text)
        leave_event(unit, who, task, "task.comment_edited", {"comment": comment_view(found), "before": before})
    return found


def delete_comment(unit: Unit, who: Principal, ref: str, number: int) -> Comment:
    """Take the comment back; the event keeps what it said.

    Raises:
        NotFound, Forbidden: see `edit_comment`.
    """
    task, found = _own_comment(unit, who, ref, number)
    comments.delete(unit, found.number)
    leave_event(unit, who, task, "task.comment_deleted", {"comment": comment_view(found)})
    return found


def _own_comment(unit: Unit, who: Principal, ref: str, number: int) -> tuple[Task, Comment]:
    task = the_task(unit, who, ref)
    found = comments.find(unit, task.number, number)
    if found is None:
        raise unknown(task, "comment", number, code="unknown_comment")
    if found.author != who.name and not who.is_operator():
        raise Forbidden(
            f"comment {number} is by {found.author}, not by {who.name}",
            hint="Only its author, or an operator, changes a comment; say what you think in one of your own.",
        )
    return task, found
