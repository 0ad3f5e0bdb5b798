"""What an agent reads first."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from taskdeck.choices import StrideChoices
from taskdeck.dialects.stride.asking import options, prefix_of
from taskdeck.dialects.stride.errors import DOCS
from taskdeck.dialects.stride.hooks import HOOKS, described, timeout_ms
from taskdeck.dialects.stride.view import SKILLS_VERSION
from taskdeck.http.call import Call
from taskdeck.http.routes import PUBLIC, RouteTable

routes = RouteTable()

_WORKFLOW = (
    ("claim_task", "POST /api/tasks/claim", "Claim the next task, with the result of before_doing.",
     "The task, and the hook that was proven.", "post_tasks_claim.md"),
    ("complete_task", "PATCH /api/tasks/:id/complete", "Hand the task in, with the results of after_doing and"
     " before_review.", "The task in Review or Done, and the hooks that go with it.", "patch_tasks_id_complete.md"),
    ("upload_changed_files", "PUT /api/tasks/:id/changed_files", "Show the reviewer what changed.", "The task.",
     "put_tasks_id_changed_files.md"),
    ("mark_reviewed", "PATCH /api/tasks/:id/mark_reviewed", "Follow the verdict of a person, with the result of"
     " after_review.", "The task in Done, or in Doing again.", "patch_tasks_id_mark_reviewed.md"),
    ("unclaim_task", "POST /api/tasks/:id/unclaim", "Give back what you cannot finish.", "The task in Ready.",
     "post_tasks_id_unclaim.md"),
)  # fmt: skip
_ENV = [
    "TASK_ID",
    "TASK_IDENTIFIER",
    "TASK_TITLE",
    "TASK_DESCRIPTION",
    "TASK_STATUS",
    "TASK_COMPLEXITY",
    "TASK_PRIORITY",
    "TASK_NEEDS_REVIEW",
    "BOARD_ID",
    "BOARD_NAME",
    "COLUMN_ID",
    "COLUMN_NAME",
    "AGENT_NAME",
    "HOOK_NAME",
]
_ENDPOINTS = {
    "discovery": ["GET /api/tasks/next", "GET /api/tasks", "GET /api/tasks/:id", "GET /api/tasks/:id/tree",
                  "GET /api/tasks/:id/dependencies", "GET /api/tasks/:id/dependents"],
    "management": ["POST /api/tasks/claim", "POST /api/tasks/:id/unclaim", "PATCH /api/tasks/:id/complete",
                   "PATCH /api/tasks/:id/mark_reviewed", "PATCH /api/tasks/:id/mark_done",
                   "PUT /api/tasks/:id/changed_files", "PATCH /api/tasks/:id/after_goal",
                   "GET /api/tasks/:id/after_goal_status"],
    "creation": ["POST /api/tasks", "POST /api/tasks/batch", "PATCH /api/tasks/:id"],
}  # fmt: skip


@routes.add("GET", "/api/agent/onboarding", PUBLIC)
async def onboard(call: Call) -> web.StreamResponse:
    """Tell an agent how to work here."""
    return call.json(_document(_origin(call), options(call)))


def _origin(call: Call) -> str:
    """Where the request was sent to, without a port that goes without saying, and with the prefix if there is one."""
    scheme, host = call.request.scheme, call.request.host
    usual = ":443" if scheme == "https" else ":80"
    return f"{scheme}://{host.removesuffix(usual)}{prefix_of(call)}"


def _document(url: str, chosen: StrideChoices) -> dict[str, Any]:
    sections = "\n\n".join(f"## {hook}\n```bash\ntrue\n```" for hook in HOOKS)
    return {
        "version": "1.0",
        "skills_version": SKILLS_VERSION,
        "api_base_url": url,
        "overview": {
            "description": "A board of tasks that people fill and agents work off, served by taskdeck.",
            "workflow_summary": "Ready → Doing → Review → Done",
        },
        "quick_start": [
            "Write .stride_auth.md and .stride.md from the templates below; keep the token out of version control.",
            "Run the hook before_doing, then claim with its result.",
            "Work, run after_doing and before_review, then complete with both results.",
            "If the task needs a review, wait for its review_status; else claim the next one.",
        ],
        "file_templates": {
            "stride_auth_md": f"# Stride\n\n- **API URL:** `{url}`\n- **API Token:** `<token>`\n",
            "stride_md": f"# Stride hooks\n\n{sections}\n",
        },
        "workflow": [
            {
                "name": name,
                "endpoint": endpoint,
                "description": text,
                "returns": returns,
                "documentation_url": f"{DOCS}api/{page}",
            }
            for name, endpoint, text, returns, page in _WORKFLOW
        ],
        "hooks": {
            "description": "Shell commands of your own that run where you work; each must end with exit code 0.",
            "available_hooks": [_hook(hook, chosen) for hook in HOOKS],
            "environment_variables": _ENV,
            "execution_flow": [described(hook)["execute_before"] for hook in HOOKS],
        },
        "api_reference": {
            "base_url": url,
            "authentication": "Authorization: Bearer <token>",
            "endpoints": _ENDPOINTS,
        },
        "api_schema": {"task": "GET /api/tasks/:id shows every field"},
        "resources": {"documentation": DOCS},
    }


def _hook(hook: str, chosen: StrideChoices) -> dict[str, Any]:
    told = described(hook)
    return {
        "name": hook,
        "blocking": True,
        "timeout": timeout_ms(hook, chosen),
        "when": told["execute_before"],
        "typical_use": told["description"],
    }
