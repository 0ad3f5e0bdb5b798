"""Hooks: what clients are told of them, and the proof that they ran one."""

from __future__ import annotations

from typing import Any

from taskdeck.choices import StrideChoices
from taskdeck.dialects.stride.errors import DOCS, Refused
from taskdeck.domain.gates import HookResult
from taskdeck.domain.gates import Shown as Proof

BEFORE_DOING, AFTER_DOING, BEFORE_REVIEW, AFTER_REVIEW, AFTER_GOAL = HOOKS = (
    "before_doing",
    "after_doing",
    "before_review",
    "after_review",
    "after_goal",
)
_KEYS = ("exit_code", "output", "duration_ms")
_TEXTS = {
    BEFORE_DOING: ("Run it before you claim, and send its result along.", "Prepares the workspace."),
    AFTER_DOING: ("Run it before you complete, and send its result along.", "Checks the finished work."),
    BEFORE_REVIEW: ("Run it before you complete, and send its result along.", "Prepares what a reviewer looks at."),
    AFTER_REVIEW: ("Run it before you mark as reviewed, and send its result along.", "Brings approved work home."),
    AFTER_GOAL: ("Run it when a reply lists it, and report its result.", "Runs once all tasks of a goal are done."),
}


def timeout_ms(hook: str, options: StrideChoices) -> int:
    """How long clients may let `hook` run."""
    return options.before_doing_ms if hook == BEFORE_DOING else options.other_hooks_ms


def described(hook: str) -> dict[str, str]:
    """What is told of every hook in words."""
    when, text = _TEXTS[hook]
    return {
        "execute_before": when,
        "execute_after": "Go on only if it ended with exit code 0.",
        "description": text,
    }


def hook_entry(hook: str, data: dict[str, Any], agent: str, options: StrideChoices, **more: str) -> dict[str, Any]:
    """What a client needs to run `hook` for the task that `data` shows whole; `more` goes into its environment."""
    env = {
        "TASK_ID": str(data["id"]),
        "TASK_IDENTIFIER": data["identifier"],
        "TASK_TITLE": data["title"],
        "TASK_DESCRIPTION": data["description"] or "",
        "TASK_STATUS": data["status"],
        "TASK_COMPLEXITY": data["complexity"],
        "TASK_PRIORITY": data["priority"],
        "TASK_NEEDS_REVIEW": "true" if data["needs_review"] else "false",
        "BOARD_ID": str(data["board_id"]),
        "BOARD_NAME": data["board_name"],
        "COLUMN_ID": str(data["column_id"]),
        "COLUMN_NAME": data["column_name"],
        "AGENT_NAME": agent,
        "HOOK_NAME": hook,
    }
    return {"name": hook, "env": env | more, "timeout": timeout_ms(hook, options), "blocking": True, **described(hook)}


def require_proof(asked: dict[str, Any], hook: str) -> dict[str, Any]:
    """The result of `hook` that a request shows.

    Raises:
        Refused: it is missing, is not formed well, or tells of another exit code than 0.
    """
    run = asked.get(f"{hook}_result")
    if run is None:
        raise _unproven(hook, f"{hook} hook result is required")
    if not isinstance(run, dict):
        raise _unproven(hook, f"{hook} hook result must be a map")
    if any(key not in run for key in _KEYS):
        raise _unproven(hook, f"{hook} hook result must include exit_code, output, and duration_ms fields")
    code = run["exit_code"]
    if type(code) is not int or code != 0:  # false and 0.0 are equal to 0, and no exit codes
        text = str(code).lower() if isinstance(code, bool) else str(code)
        raise _unproven(
            hook, f"{hook} is a blocking hook and failed with exit code {text[:80]}. Fix the issues and try again."
        )
    return run


def proof(asked: dict[str, Any], *hooks: str) -> Proof:
    """Proven results of `hooks`, as the deck's own gates want them shown."""
    return Proof({hook: _result(asked[f"{hook}_result"]) for hook in hooks})


def _result(run: dict[str, Any]) -> HookResult:
    duration = run["duration_ms"]
    return HookResult(0, str(run["output"])[:10_000], max(0, duration) if type(duration) is int else 0)


def _unproven(hook: str, error: str) -> Refused:
    example = {f"{hook}_result": {"exit_code": 0, "output": "Hook execution output", "duration_ms": 1234}}
    return Refused(
        422,
        {
            "error": error,
            "hook": hook,
            "documentation": f"{DOCS}AGENT-HOOK-EXECUTION-GUIDE.md",
            "related_docs": [f"{DOCS}AI-WORKFLOW.md#hook-execution"],
            "common_causes": [
                "The request has no hook result, which it must have",
                "The hook result lacks exit_code, output or duration_ms",
                "The hook ended with another exit code than 0",
                "The hook result is no JSON object",
            ],
            "required_format": example,
            "correct_format": example,
        },
    )
