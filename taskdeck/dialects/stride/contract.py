"""What a completion must tell of exploring and reviewing, and whether what it tells holds together."""

from __future__ import annotations

import re
from typing import Any

from taskdeck.choices import StrideChoices
from taskdeck.dialects.stride.errors import Refused, failures, invalid
from taskdeck.dialects.stride.view import Data

_LEAST_SUMMARY = 40
_LEAST_NOTE = 20
_REASONS = frozenset(
    [
        "no_subagent_support",
        "small_task_0_1_key_files",
        "trivial_change_docs_only",
        "self_reported_exploration",
        "self_reported_review",
    ]
)
_SEVERITIES = ("critical", "important", "minor")
_CATEGORIES = ("acceptance_criteria", "pitfall", "pattern", "testing", "security", "code_quality", "project_check")
_SECTIONS = ("testing_strategy", "patterns", "pitfalls", "security_considerations", "behaviour_test_matrix")
_VERDICTS = ("passed", "failed", "not_assessed")
_WANTED_LISTS = ("issues", "acceptance_criteria", "project_checks")
_WANTED = ("testing_strategy", "patterns", "pitfalls", "security_considerations", "schema_version")
_PLACEHOLDERS = re.compile(r"^(n/?a|none|todo|tbd|fixme|placeholder|lorem ipsum)\b", re.IGNORECASE)
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?", re.ASCII)
_PAGE = "api/patch_tasks_id_complete.md"
_FORMAT = {
    "explorer_result": {"dispatched": False, "reason": "no_subagent_support", "summary": "at least 40 characters"},
    "reviewer_result": {"dispatched": False, "reason": "self_reported_review", "summary": "at least 40 characters"},
}

Wrong = list[tuple[str, str]]
"""Pairs of a field and what is wrong with it."""


def check_contract(asked: Data, data: Data, options: StrideChoices) -> None:
    """Refuse a completion of the task that `data` shows which tells too little of exploring and reviewing.

    Raises:
        Refused: it does, by what the operator has chosen.
    """
    mode = options.completion_contract
    if mode == "lenient":
        return
    for field in ("explorer_result", "reviewer_result"):
        result = asked.get(field)
        if result is None:
            if mode == "strict":
                raise _violated(field, [(field, "is required")])
            continue
        wrong = _shape(field, result)
        if wrong and mode == "strict":
            raise _violated(field, wrong)
        if wrong:
            raise invalid({field: [f"{name} {message}" for name, message in wrong]}, _PAGE)
    reviewer = asked.get("reviewer_result")
    if reviewer is not None and reviewer["dispatched"]:
        thin = _thin(reviewer, data)
        if thin:
            raise _violated("reviewer_result", thin)


def _violated(field: str, wrong: Wrong) -> Refused:
    return failures("completion validation failed", field, wrong, _PAGE, required_format=_FORMAT)


def _count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _solid(text: Any, least: int) -> bool:
    return isinstance(text, str) and len("".join(text.split())) >= least


def _shape(field: str, result: Any) -> Wrong:
    """What is not formed as it must be, whoever explored or reviewed."""
    if not isinstance(result, dict):
        return [(field, "must be an object")]
    wrong: Wrong = []
    dispatched = result.get("dispatched")
    if not isinstance(dispatched, bool):
        return [("dispatched", "must be true or false")]
    if not _solid(result.get("summary"), _LEAST_SUMMARY):
        wrong.append(("summary", f"must have at least {_LEAST_SUMMARY} characters that are no spaces"))
    if not dispatched:
        if result.get("reason") not in _REASONS:
            wrong.append(("reason", f"must be one of {', '.join(sorted(_REASONS))}"))
        return wrong
    counts = ("duration_ms",) if field == "explorer_result" else (
        "duration_ms", "acceptance_criteria_checked", "issues_found",
    )  # fmt: skip
    wrong += [(name, "must be an integer from 0 on") for name in counts if not _count(result.get(name))]
    return wrong if field == "explorer_result" else wrong + _told(result)


def _told(review: Data) -> Wrong:
    """What a dispatched review tells and tells wrongly."""
    wrong: Wrong = []
    for name, key, words in (
        ("issues", "severity", _SEVERITIES),
        ("issues", "category", _CATEGORIES),
        ("acceptance_criteria", "status", ("met", "not_met")),
    ):
        entries = review.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            wrong.append((name, "must be a list of objects"))
        elif any(key in entry and entry[key] not in words for entry in entries):
            wrong.append((f"{name}.{key}", f"must be one of {', '.join(words)}"))
    for name in _SECTIONS:
        section = review.get(name)
        if section is not None and not (isinstance(section, dict) and section.get("status") in _VERDICTS):
            wrong.append((name, f"must be an object whose status is one of {', '.join(_VERDICTS)}"))
    version = review.get("schema_version")
    if version is not None and not (isinstance(version, str) and _VERSION.fullmatch(version)):
        wrong.append(("schema_version", "must look like 1.0"))
    return wrong


def _thin(review: Data, data: Data) -> Wrong:
    """What a dispatched review leaves out that this task needs."""
    wrong: Wrong = [(name, "must be a list") for name in _WANTED_LISTS if not isinstance(review.get(name), list)]
    wrong += [(name, "is missing") for name in _WANTED if review.get(name) is None]
    if "status" not in review and "issue_counts" not in review:
        wrong.append(("status", "or issue_counts is missing"))
    for name in _SECTIONS:
        section = review.get(name)
        if isinstance(section, dict) and section.get("status") == "failed":
            note = section.get("note")
            if not _solid(note, _LEAST_NOTE) or _PLACEHOLDERS.match(str(note).strip()):
                wrong.append((name, f"failed, and needs a note of at least {_LEAST_NOTE} characters that says why"))
    for name in ("security_considerations", "testing_strategy"):
        section = review.get(name)
        if data[name] and isinstance(section, dict) and section.get("status") == "not_assessed":
            wrong.append((name, "was asked for by the task, and must be passed or failed"))
    criteria = [line for line in (data["acceptance_criteria"] or "").splitlines() if line.strip()]
    told = review.get("acceptance_criteria")
    if isinstance(told, list) and len(told) < len(criteria):
        wrong.append(("acceptance_criteria", f"has {len(told)} entries; the task has {len(criteria)} criteria"))
    return wrong
