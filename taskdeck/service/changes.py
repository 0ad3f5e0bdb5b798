"""What the work on a task changed: told by whoever did it, kept for whoever looks at it."""

from __future__ import annotations

from collections.abc import Sequence

from taskdeck.domain.changes import MAX_BYTES, MAX_FILES, MAX_LINES, FileChange, odd_path
from taskdeck.domain.errors import Invalid
from taskdeck.domain.principal import Principal
from taskdeck.domain.states import Verb
from taskdeck.domain.task import Task
from taskdeck.service.change import change
from taskdeck.service.find import the_task
from taskdeck.store import changes
from taskdeck.store.unit import Unit


def tell_changes(unit: Unit, who: Principal, ref: str, files: Sequence[FileChange]) -> Task:
    """Let `files` be what the work on the task `ref` changed, in place of what was told before.

    Raises:
        NotFound: there is no such task.
        Invalid: there is more than may be kept, or a path that leads elsewhere.
    """
    task = the_task(unit, who, ref)
    refuse_odd(files)
    changes.replace(unit, task.number, files)
    facts = {"changed_files": [one.path for one in files[:100]]}
    return change(unit, task, Verb.EDIT, who.name, {"changes": len(files)}, facts=facts)


def refuse_odd(files: Sequence[FileChange]) -> None:
    """Refuse more than is kept of one task, and paths that lead elsewhere.

    Raises:
        Invalid: it is so.
    """
    if len(files) > MAX_FILES:
        raise Invalid(f"{len(files)} files; {MAX_FILES} is the most", hint="Tell of fewer.", field="files")
    size = sum(len(one.path.encode()) + len((one.diff or "").encode()) for one in files)
    if size > MAX_BYTES:
        raise Invalid(f"takes {size} bytes; {MAX_BYTES} is the most", hint="Leave diffs out.", field="files")
    for at, one in enumerate(files):
        wrong = odd_path(one.path)
        if wrong:
            raise Invalid(f"the path {wrong}", hint="Give it from the root on.", field=f"files.{at}.path")
        lines = (one.diff or "").count("\n") + 1
        if lines > MAX_LINES:
            raise Invalid(
                f"the diff has {lines} lines; {MAX_LINES} is the most",
                hint="Cut it, or leave it out.",
                field=f"files.{at}.diff",
            )
