"""The environment in which Delega's MCP server runs, as it is documented and printed: what Node makes of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from delega_fleet import Fleet

import taskdeck.docs
from taskdeck.dialects.delega.setup import setups

PAGE = Path(taskdeck.docs.__file__).parent / "dialects" / "delega.md"
# as the MCP server does: the prefix follows from the name of the host, the rest of the URL but its origin is dropped
CLIENT = """
const base = process.env.DELEGA_API_URL;
const prefix = new URL(base).hostname === "api.delega.dev" ? "/v1" : "/api";
const headers = { "Content-Type": "application/json", "X-Agent-Key": process.env.DELEGA_AGENT_KEY };
const ask = async (method, path, body) => {
  const url = new URL(prefix + path, base).toString();
  const reply = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  return { status: reply.status, body: await reply.json() };
};
const claimed = await ask("POST", "/tasks/claim", {});
const done = await ask("POST", `/tasks/${claimed.body.task?.id}/complete`);
console.log(JSON.stringify({ prefix, claimed, done }));
"""


def test_the_page_shows_what_is_printed() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert json.loads(shown) == setups("127.0.0.1", 18890, "td_…")["all"]


async def _run(env: dict[str, str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        "node", "--input-type=module", "-e", CLIENT, env={"PATH": os.environ["PATH"]} | env,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    async with asyncio.timeout(30):
        output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


@pytest.mark.node
@pytest.mark.parametrize(("way", "prefix"), [("all", "/v1"), ("simple", "/api")])
async def test_02_and_03_node_reaches_the_deck_in_the_environment_that_is_printed(
    fleet: Fleet, way: str, prefix: str
) -> None:
    if shutil.which("node") is None:
        pytest.skip("did not run: node is not on this machine")
    task = await fleet.make()
    host, port = fleet.url.removeprefix("http://").split(":")
    env: dict[str, Any] = setups(host, int(port), fleet.keys["A"])[way]["mcpServers"]["delega"]["env"]
    code, output = await _run(env)
    told = json.loads(output)
    assert (code, told["prefix"]) == (0, prefix)
    assert told["claimed"]["body"]["task"]["id"] == task["id"]
    assert (told["done"]["status"], told["done"]["body"]["status"]) == (200, "completed")


@pytest.mark.node
async def test_without_its_option_node_reaches_nothing(fleet: Fleet) -> None:
    if shutil.which("node") is None:
        pytest.skip("did not run: node is not on this machine")
    task = await fleet.make()
    host, port = fleet.url.removeprefix("http://").split(":")
    env = dict(setups(host, int(port), fleet.keys["A"])["all"]["mcpServers"]["delega"]["env"])
    del env["NODE_OPTIONS"]
    # the name leads here, so that no name server is asked: what answers there speaks no TLS
    env["DELEGA_API_URL"] = fleet.url.replace("http:", "https:")
    code, _ = await _run(env)
    assert code != 0
    assert (await fleet.show(task))["status"] == "open"
