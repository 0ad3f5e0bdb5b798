"""attach: documents that belong to a task, each under a name of its own."""

from __future__ import annotations

from dataclasses import replace

from taskdeck.domain.attachment import (
    MAX_ATTACHMENTS,
    MAX_INLINE,
    MAX_INLINE_OF_TASK,
    Attachment,
    Contents,
    attachment_summary,
)
from taskdeck.domain.errors import Invalid, TooMany
from taskdeck.domain.principal import Principal
from taskdeck.service.aside import leave_event, refuse_more, unknown
from taskdeck.service.find import the_task
from taskdeck.store import attachments
from taskdeck.store.unit import Unit


def attach(unit: Unit, who: Principal, ref: str, name: str, contents: Contents) -> tuple[Attachment, bool]:
    """Attach `contents` to the task `ref` under `name`, in place of what was there; and whether nothing was.

    The size of what lies here is reckoned if it is not said.

    Raises:
        NotFound: there is no such task.
        Invalid: there is nothing in it, or more than may lie here.
        TooMany: the task has as many attachments, or as much in them, as a task may have.
    """
    task = the_task(unit, who, ref)
    inline = contents.inline_bytes()
    _refuse_odd(contents, inline)
    count, bytes_beside = attachments.others(unit, task.number, name)
    refuse_more(task, count, MAX_ATTACHMENTS, "attachments")
    if inline and bytes_beside + inline > MAX_INLINE_OF_TASK:
        raise TooMany(
            f"the attachments of {task.key} take {bytes_beside} bytes; with these {inline} they would take more than"
            f" {MAX_INLINE_OF_TASK}",
            hint="Keep it elsewhere and attach a reference.",
        )
    if contents.size is None and inline:
        contents = replace(contents, size=inline)
    before = attachments.find(unit, task.number, name)
    made = attachments.save(unit, task.number, name, contents, who.name)
    replaced = None if before is None else attachment_summary(before)
    leave_event(unit, who, task, "task.attached", {"attachment": attachment_summary(made), "replaced": replaced})
    return made, before is None


def _refuse_odd(contents: Contents, inline: int) -> None:
    if contents.reference is None and contents.text is None and contents.value is None:
        raise Invalid("there is nothing to attach", hint="Give a reference, a text or a value.")
    if inline > MAX_INLINE:
        raise Invalid(
            f"it takes {inline} bytes; {MAX_INLINE} is the most that may lie in an attachment",
            hint="Keep it elsewhere and attach a reference.",
        )


def detach(unit: Unit, who: Principal, ref: str, name: str) -> Attachment:
    """Remove what is attached under `name`.

    Raises:
        NotFound: there is no such task, or nothing of that name on it.
    """
    task = the_task(unit, who, ref)
    found = attachments.find(unit, task.number, name)
    if found is None:
        raise unknown(task, "attachment", name, code="unknown_attachment")
    attachments.delete(unit, found.number)
    leave_event(unit, who, task, "task.detached", {"attachment": attachment_summary(found)})
    return found
