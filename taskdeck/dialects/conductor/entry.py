"""The human task entry: a task as Conductor's clients see it, made from the task and its log alone."""

from __future__ import annotations

from typing import Any

import orjson

from taskdeck.dialects.conductor.log import Log
from taskdeck.dialects.conductor.words import TERMINATED, HumanState, Names, author, state_of, strategy, user_of
from taskdeck.domain.forms import Form
from taskdeck.domain.task import Json, Task

Document = dict[str, Any]


def entry(task: Task, log: Log, form: Form | None = None, *, updated_on: int | None = None) -> Document:
    """The whole entry, with its template if `form` is given; `updated_on` in place of the task's last change."""
    names, state = Names(task), state_of(task)
    document: Document = {
        "taskId": task.id,
        "state": state,
        "displayName": names.display,
        "definitionName": names.definition,
        "workflowId": names.workflow_id,
        "workflowName": names.workflow,
        "taskRefName": names.reference,
    }
    if (assignee := log.assignee) is not None:
        document["assignee"] = assignee
    if log.claimant is not None:
        document["claimant"] = log.claimant
    definition = live_definition(task, names, log.groups)
    document |= {
        "humanTaskDef": definition if form is None else definition | {"fullTemplate": template(form)},
        "input": form_input(task)
        | {
            "_createdBy": task.created_by,
            "__humanTaskDefinition": first_definition(definition, names, log),
            "__humanTaskProcessContext": _context(task, state, log),
        },
        "output": output(task),
        "createdBy": task.created_by,
        "updatedBy": log.changed_by,
        "createdOn": task.created_at,
        "updatedOn": task.updated_at if updated_on is None else updated_on,
    }
    return document


def form_input(task: Task) -> Document:
    """What the form shows to begin with."""
    payload = orjson.loads(task.payload)
    return payload if isinstance(payload, dict) else {"value": payload}


def output(task: Task) -> Any:
    """What was filled in so far, or what it was completed with."""
    kept = task.draft or task.result
    if kept is None or kept == "null":
        return {}
    return orjson.Fragment(kept) if kept.startswith("{") else {"value": orjson.Fragment(kept)}


def live_definition(task: Task, names: Names, groups: frozenset[str]) -> Document:
    """What is asked of people, as it stands now."""
    return _definition(names, _assignments(task.assignees, task.bucket.assignee, groups), task.at_end, task.form)


def first_definition(live: Document, names: Names, log: Log) -> Document:
    """What was asked of people when the task was made; an `autoClaim` is told here alone."""
    first = log.first
    if first:
        turns = None if first["assignees"] is None else orjson.dumps(first["assignees"]).decode()
        form = None if first["form"] is None else orjson.dumps(first["form"]).decode()
        live = _definition(names, _assignments(turns, first["assignee"], log.groups), first["at_end"], form)
    auto = names.given.get("autoClaim")
    return live if auto is None else live | {"autoClaim": auto}


def _definition(names: Names, assignments: list[Document], at_end: str | None, form: Json | None) -> Document:
    document: Document = {
        "assignments": assignments,
        "assignmentCompletionStrategy": strategy(at_end),
        "displayName": names.display,
    }
    if form is not None:
        document["userFormTemplate"] = orjson.Fragment(form)
    triggers = names.given.get("taskTriggers")
    if isinstance(triggers, list):
        document["taskTriggers"] = triggers
    return document


def _assignments(turns: Json | None, assignee: str | None, groups: frozenset[str]) -> list[Document]:
    """Who it is offered to in turn, each with its minutes; one who was named alone has all the time."""
    if turns is None:
        return [] if assignee is None else [{"assignee": user_of(assignee, groups), "slaMinutes": 0}]
    found = []
    for turn in orjson.loads(turns):
        told: Document = {"assignee": user_of(turn["assignee"], groups)}
        if "seconds" in turn:
            told["slaMinutes"] = _minutes(turn["seconds"] or 0)
        found.append(told)
    return found


def _minutes(seconds: float) -> float:
    minutes = seconds / 60
    return int(minutes) if minutes.is_integer() else minutes


def _context(task: Task, state: HumanState, log: Log) -> Document:
    turn = _turn(task)
    document: Document = {
        "state": state,
        "lastUpdated": log.since,
        "humanTaskTriggerLog": [],
        "humanTaskActionLogs": log.entries,
        "skippedAssigneeIndexes": log.skipped,
        "assignmentsCompleted": turn is None,
    }
    if turn is not None:
        document["assigneeIndex"] = turn
    return document


def _turn(task: Task) -> int | None:
    """The place of the present assignee; one who was named alone has the only one."""
    if task.assignees is None:
        return None if task.bucket.assignee is None else 0
    return task.turn


def template(form: Form) -> Document:
    """A form in Conductor's words."""
    return {
        "name": form.name,
        "version": form.version,
        "jsonSchema": orjson.Fragment(form.schema),
        "templateUI": orjson.Fragment(form.layout),
        "createTime": form.created_at,
        "updateTime": form.updated_at,
        "createdBy": author(form.created_by),
        "updatedBy": author(form.updated_by),
    }


_STATUS = {HumanState.COMPLETED: "COMPLETED", HumanState.TIMED_OUT: "TIMED_OUT", HumanState.DELETED: "CANCELED"}


def conductor_task(task: Task, log: Log) -> Document:
    """The step of a workflow that a human task is."""
    human = entry(task, log)
    document: Document = {
        "taskType": "HUMAN",
        "status": _STATUS.get(human["state"], "IN_PROGRESS"),
        "inputData": human["input"],
        "outputData": human["output"],
        "referenceTaskName": human["taskRefName"],
        "taskDefName": human["definitionName"],
        "workflowInstanceId": human["workflowId"],
        "workflowType": human["workflowName"],
        "taskId": task.id,
        "scheduledTime": task.created_at,
        "startTime": task.created_at,
        "updateTime": task.updated_at,
        "endTime": task.finished_at or 0,
        "seq": 1,
        "callbackFromWorker": True,
        "workflowTask": {
            "name": human["definitionName"],
            "taskReferenceName": human["taskRefName"],
            "type": "HUMAN",
            "inputParameters": form_input(task),
        },
    }
    document |= dict.fromkeys(
        ("retryCount", "pollCount", "iteration", "callbackAfterSeconds", "responseTimeoutSeconds", "workflowPriority"),
        0,
    )
    document |= dict.fromkeys(("executed", "retried", "loopOverTask", "subworkflowChanged"), False)
    if task.error is not None:
        error = orjson.loads(task.error)
        document["reasonForIncompletion"] = TERMINATED if error.get("reason") == "given_up" else error.get("message")
    return document
