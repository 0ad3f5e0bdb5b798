"""An agent's plugin as far as the deck can tell: what it reads of replies, what it runs, what it sends by itself."""

from __future__ import annotations

import base64
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import orjson
from support.api import Api, Reply

_ENV = {
    "TASK_ID", "TASK_IDENTIFIER", "TASK_TITLE", "TASK_DESCRIPTION", "TASK_STATUS", "TASK_COMPLEXITY", "TASK_PRIORITY",
    "TASK_NEEDS_REVIEW", "BOARD_ID", "BOARD_NAME", "COLUMN_ID", "COLUMN_NAME", "AGENT_NAME",
    "GOAL_ID", "GOAL_IDENTIFIER", "GOAL_TITLE", "GOAL_DESCRIPTION",
}  # fmt: skip
"""What it hands on to hooks of what replies name; nothing else."""


class Plugin:
    """Works in `folder`, where `.stride_auth.md` and `.stride.md` lie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.task: int | None = None
        auth = (folder / ".stride_auth.md").read_text()
        self.url, self.token = (re.findall(rf"- \*\*API {name}:\*\* `([^`]+)`", auth)[0] for name in ("URL", "Token"))

    def run(self, hook: str, env: dict[str, str]) -> dict[str, Any]:
        """The result of a section of `.stride.md`, run with what replies told."""
        sections = (self.folder / ".stride.md").read_text().split("## ")
        script = next(part for part in sections if part.startswith(f"{hook}\n")).split("```")[1].removeprefix("bash\n")
        told = {name: value for name, value in env.items() if name in _ENV}
        ended = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env={"PATH": os.environ["PATH"]} | told, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        return {"exit_code": ended.returncode, "output": ended.stdout + ended.stderr, "duration_ms": 1}

    def claimed(self, reply: Reply) -> None:
        """Read the reply to a claim, and run the hook that it names in its environment."""
        document = reply.json()
        assert {"id", "identifier", "title", "status", "complexity", "priority"} <= document["data"].keys()
        self.task = document["data"]["id"]
        assert document["hook"]["timeout"] > 0
        assert self.run(document["hook"]["name"], document["hook"]["env"])["exit_code"] == 0

    async def upload(self, files: list[dict[str, str]]) -> int:
        """Send what changed, as it is sent around a completion; the status."""
        packed = base64.b64encode(orjson.dumps(files)).decode()
        document = {"changed_files": {"encoding": "base64", "data": packed}}
        async with Api(self.url, self.token) as api:
            return (await api.call("PUT", f"/api/tasks/{self.task}/changed_files", document)).status

    async def completed(self, content: bytes) -> list[str]:
        """Read the reply to a completion, whole or cut short, and run its hooks; which."""
        try:
            hooks = orjson.loads(content)["hooks"]
        except orjson.JSONDecodeError:
            async with Api(self.url, self.token) as api:
                status = await api.get(f"/api/tasks/{self.task}/after_goal_status")
            hooks = [{"name": "after_goal", "env": status["env"]}] if status["after_goal_armed"] else []
        for hook in hooks:
            assert self.run(hook["name"], hook["env"])["exit_code"] == 0
        return [hook["name"] for hook in hooks]
