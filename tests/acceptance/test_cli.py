"""The command line against a real server: every verb does what it says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import TASKDECK, Served, environment, serving, taskdeck

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("cli") / "data") as served:
        yield served


@pytest.fixture
def project(deck: Served, request: pytest.FixtureRequest) -> str:
    """A project of the test's own, so that tests do not take each other's work."""
    name = f"p{abs(hash(request.node.nodeid)) % 10**9}"
    deck.ask("create_project", name)
    return name


def test_a_task_lives_from_add_to_complete(deck: Served, project: str) -> None:
    added = deck.json("add", "Fix the login", "-p", project, "--priority", "80", "-l", "bug", "--payload", '{"a": [1]}')
    assert (added["state"], added["priority"], added["labels"], added["payload"]) == (
        "ready",
        80,
        ["bug"],
        {"a": [1]},
    )
    claimed = deck.json("claim", "-p", project, "--worker", "atlas", "--lease", "2m")["claims"][0]
    key, fence = claimed["task"]["key"], str(claimed["fence"])
    assert key == added["key"]
    beat = deck.json("heartbeat", key, "--fence", fence, "--progress", "40", "--detail", "reading")
    assert beat["fence"] == claimed["fence"]
    shown = deck.json("show", key)
    assert (shown["claim"]["worker"], shown["claim"]["progress"]) == ("atlas", 40)
    done = deck.json("complete", key, "--fence", fence, "--result", '"fine"')
    assert (done["state"], done["result"]) == ("done", "fine")


def test_a_task_ends_and_the_next_is_claimed_in_one_command(deck: Served, project: str) -> None:
    first, second, third = (deck.ask("create", title=title, project=project)["key"] for title in ("a", "b", "c"))
    deck.json("claim", "-p", project, "--worker", "atlas")
    done = deck.json("complete", first, "--fence", "1", "--next", "-p", project)
    assert (done["state"], done["next"]["claims"][0]["task"]["key"]) == ("done", second)
    said = deck("fail", second, "--fence", "1", "-e", "no paper", "--next", "-p", project).stdout
    assert f"failed {second}" in said
    assert f"next: taskdeck complete {third} --fence 1" in said
    assert "nothing to claim" in deck("complete", third, "--fence", "1", "--next", "-p", project).stdout
    refused = deck("complete", third, "--fence", "1", "-p", project)
    assert (refused.returncode, "add --next" in refused.stderr) == (2, True)


def test_a_released_task_can_be_claimed_again_by_name(deck: Served, project: str) -> None:
    key = deck.ask("create", title="t", project=project)["key"]
    first = deck.json("claim", key, "--worker", "a")["claims"][0]
    deck.json("release", key, "--fence", str(first["fence"]), "--note", "not mine")
    second = deck.json("claim", key, "--worker", "b")["claims"][0]
    assert second["fence"] > first["fence"]
    assert second["task"]["handoff"]["note"] == "not mine"
    shown = deck("show", key).stdout
    assert "left by a" in shown
    assert "not mine" in shown


def test_fail_brings_a_task_back_until_it_is_final(deck: Served, project: str) -> None:
    key = deck.ask("create", title="t", project=project)["key"]
    claim = deck.json("claim", key)["claims"][0]
    failed = deck.json("fail", key, "--fence", str(claim["fence"]), "--error", "broke", "--final")
    assert (failed["state"], failed["error"]["message"]) == ("failed", "broke")
    again = deck.json("retry", key)
    assert again["state"] == "ready"
    claim = deck.json("claim", key)["claims"][0]
    assert deck.json("fail", key, "--fence", str(claim["fence"]), "-e", "x", "--delay", "1h")["state"] == "scheduled"


def test_an_operator_can_step_in(deck: Served, project: str) -> None:
    key = deck.ask("create", title="t", project=project)["key"]
    assert deck.json("reprioritize", key, "95")["priority"] == 95
    assert deck.json("assign", key, "mira")["assignee"] == "mira"
    assert deck.json("assign", key, "--nobody")["assignee"] is None
    deck.json("claim", key, "--worker", "slow")
    deck.json("worker", "register", "quick")
    taken = deck.json("override", key, "--to", "quick", "--reason", "slow is stuck")
    assert taken["claim"]["worker"] == "quick"
    assert deck.json("cancel", key, "--reason", "no longer wanted")["state"] == "cancelled"


def test_edit_changes_what_a_task_says_unless_it_changed_meanwhile(deck: Served, project: str) -> None:
    task = deck.ask("create", title="old", project=project)
    changed = deck.json("edit", task["key"], "--title", "new", "-l", "a", "--due", "+1d")
    assert (changed["title"], changed["labels"]) == ("new", ["a"])
    assert deck.json("edit", task["key"], "--due", "none")["due"] is None
    stale = deck("edit", task["key"], "--title", "newer", "--version", str(task["version"]))
    assert (stale.returncode, "[version_conflict]" in stale.stderr) == (4, True), stale.stderr
    assert deck("edit", task["key"]).returncode == 2


def test_comments_are_said_and_shown(deck: Served, project: str) -> None:
    key = deck.json("add", "t", "-p", project)["key"]
    assert deck.json("comment", key, "looks \x1b[31mred", "--as", "Mira")["byline"] == "Mira"
    assert deck("comment", key, "-", stdin="from a pipe\nof two lines\n").returncode == 0
    assert [one["text"] for one in deck.json("comments", key)["comments"]][1] == "from a pipe\nof two lines"
    shown = deck("comments", key).stdout
    assert "Mira" in shown
    assert "  of two lines" in shown
    assert "\x1b" not in shown
    assert "from a pipe" in deck("events", key).stdout
    (first, second) = deck.json("comments", key)["comments"]
    assert deck.json("comment", key, "mended", "--edit", str(first["id"]))["text"] == "mended"
    assert deck("comment", key, "x", "--edit", str(first["id"]), "--as", "Eve").returncode == 2
    assert deck("uncomment", key, str(second["id"])).returncode == 0
    assert [one["text"] for one in deck.json("comments", key)["comments"]] == ["mended"]


def test_links_and_attachments_are_shown(deck: Served, project: str) -> None:
    key = deck.json("add", "t", "-p", project)["key"]
    made = deck.json("link", key, "pr", "5", "--repo", "o/r", "--at", "https://example.org/5")
    assert "example.org" not in deck("links", key).stdout
    assert "o/r" in deck("links", key).stdout
    assert deck.json("links", key)["links"] == [made]
    assert deck.json("attachment", "put", key, "plan", "--value", '{"steps": [1, 2]}')["value"] == {"steps": [1, 2]}
    assert deck.json("attachment", "put", key, "log", "--reference", "s3://b/log", "--size", "5")["size"] == 5
    assert deck("attachment", "put", key, "nothing").returncode == 2
    assert "s3://b/log" in deck("attachments", key).stdout
    assert json.loads(deck("attachments", key, "plan").stdout) == {"steps": [1, 2]}
    assert [one["name"] for one in deck.json("attachments", key)["attachments"]] == ["plan", "log"]
    assert deck("attachment", "remove", key, "plan").returncode == 0
    assert deck("attachments", key, "plan").returncode == 5
    assert deck("unlink", key, str(made["id"])).returncode == 0
    assert deck("unlink", key, str(made["id"])).returncode == 5
    assert deck("link", key, "cat", "x").returncode == 2
    assert "linked" in deck("events", key).stdout


def test_a_context_is_told_and_shown(deck: Served, project: str) -> None:
    key = deck.json("add", "t", "-p", project)["key"]
    told = deck.json("context", key, "--set", "os=linux", "--set", 'tries={"a": 1}', "--source", "stated")
    assert told["context"] == {"os": "linux", "tries": {"a": 1}}
    told = deck.json("context", key, "--patch", '{"tries": {"b": null}}', "--remove", "os", "--version", "1")
    assert (told["context"], told["version"]) == ({"tries": {"a": 1, "b": None}}, 2)
    stale = deck("context", key, "--set", "a=1", "--version", "1")
    assert (stale.returncode, "[version_conflict]" in stale.stderr) == (4, True)
    shown = deck("context", key).stdout
    assert "version 2" in shown
    assert "inferred" in shown
    assert [entry["key"] for entry in deck.json("context", key, "--history")["entries"]] == [
        "os",
        "tries",
        "tries",
        "os",
    ]
    assert "stated" in deck("context", key, "--history").stdout
    assert deck("context", key, "--set", "nothing").returncode == 2
    assert deck("context", key, "--history", "--remove", "tries").returncode == 2


def test_what_is_said_is_found(deck: Served, project: str) -> None:
    key = deck.json("add", "Paint the bikeshed", "-p", project)["key"]
    deck.ask("comment", key, "vermilion would do")
    deck.ask("change_context", key, {"colour": "vermilion"})
    found = deck.json("search", "vermilion", "-p", project)["finds"]
    assert sorted(find["part"] for find in found) == ["comment", "context"]
    assert [find["part"] for find in deck.json("search", "PAINT", "bike*", "-p", project)["finds"]] == ["task"]
    shown = deck("search", "vermilion", "--in", "context", "-p", project).stdout
    assert "context colour" in shown
    assert "would do" not in shown
    assert deck("search", "!!").returncode == 2


def test_a_paused_project_gives_out_nothing(deck: Served, project: str) -> None:
    deck.ask("create", title="t", project=project)
    assert deck.json("pause", project, "--reason", "deploy")["paused"]["reason"] == "deploy"
    nothing = deck("claim", "-p", project)
    assert nothing.returncode == 3
    assert "project_paused" in nothing.stdout or "paused" in nothing.stdout
    assert deck.json("resume", project)["paused"] is None
    assert len(deck.json("claim", "-p", project)["claims"]) == 1


def test_dependencies_and_times_hold_a_task_back(deck: Served, project: str) -> None:
    first = deck.json("add", "first", "-p", project)["key"]
    assert deck.json("add", "second", "-p", project, "--after", first)["state"] == "blocked"
    assert deck.json("add", "later", "-p", project, "--not-before", "+1h")["state"] == "scheduled"


def test_explain_says_why_not(deck: Served, project: str) -> None:
    key = deck.json("add", "t", "-p", project, "--cap", "gpu")["key"]
    refused = deck("explain", key, "--worker", "plain", "--json")
    reply = json.loads(refused.stdout)
    assert refused.returncode == 4
    assert not reply["claimable"]
    assert any(not check["passed"] and "gpu" in check["detail"] for check in reply["checks"])


def test_many_tasks_come_from_standard_input(deck: Served, project: str) -> None:
    lines = "\n".join(json.dumps({"title": f"task {i}"}) for i in range(1201))
    done = deck("add", "-", "-p", project, "--priority", "7", stdin=lines + "\n\n")
    assert done.stdout == "created 1201 tasks\n", done.stderr
    listed = deck.json("list", "-p", project, "--limit", "1300")["tasks"]
    assert len(listed) == 1201
    assert {task["priority"] for task in listed} == {7}
    made = deck("events", "--type", "created", "-p", project, "-n", "1300", "--json").stdout.splitlines()
    acts = {json.loads(line)["act"] for line in made}
    assert len(made) == 1201 and len(acts) == 1, "one act, although it took several requests"


def test_a_bad_line_is_named(deck: Served, project: str) -> None:
    done = deck("add", "-", "-p", project, stdin='{"title": "good"}\n{"title": \n')
    assert done.returncode == 2
    assert "line 2" in done.stderr
    assert deck.json("list", "-p", project)["tasks"] == []


def test_lists_filter_and_page(deck: Served, project: str) -> None:
    for i in range(5):
        deck.ask("create", title=f"task {i}", project=project, labels=["even" if i % 2 == 0 else "odd"])
    page = deck.json("list", "-p", project, "--limit", "2")
    rest = deck.json("list", "-p", project, "--cursor", page["next_cursor"])
    assert [task["title"] for task in page["tasks"] + rest["tasks"]] == [f"task {i}" for i in (4, 3, 2, 1, 0)]
    assert len(deck.json("list", "-p", project, "-l", "even", "-s", "ready", "-s", "done")["tasks"]) == 3


def test_a_list_is_asked_in_the_filter_language(deck: Served, project: str) -> None:
    for number, label in enumerate(("even", "odd", "even")):
        deck("add", f"n{number}", "-p", project, "-l", label, "--priority", str(number * 40), "--payload", '{"n": 7}')
    listed = deck.json("list", f"project:{project}", "label:even payload.n:7", "-q", "-prio<40")["tasks"]
    assert [task["title"] for task in listed] == ["n2"]
    refused = deck("list", "state:redy")
    assert refused.returncode == 2 and "column 7: no state “redy”" in refused.stderr


def test_what_is_listed_for_people_names_every_task(deck: Served, project: str) -> None:
    key = deck.json("add", "A plain title", "-p", project)["key"]
    deck.json("claim", key, "--worker", "atlas")
    for command in (("list", "-p", project), ("leases",), ("show", key), ("events", key)):
        done = deck(*command)
        assert done.returncode == 0, done.stderr
        assert key in done.stdout, command
    deck.ask("register_worker", "forge-7", label="The forge in Leipzig")
    shown = deck("workers").stdout
    assert "atlas" in shown and "The forge in Leipzig" in shown
    assert project in deck("projects").stdout
    assert "tasks" in deck("stats").stdout


def test_lists_are_sorted_from_either_end(deck: Served, project: str) -> None:
    titles = ["beta", "Alpha", "gamma"]
    for title in titles:
        deck.ask("create", title=title, project=project)
    for sort, wanted in (("title", ["Alpha", "beta", "gamma"]), ("-title", ["gamma", "beta", "Alpha"])):
        found = deck.json("list", "-p", project, "--sort", sort)["tasks"]
        assert [task["title"] for task in found] == wanted
    assert "sort" in deck("list", "--sort", "colour").stderr


@pytest.mark.parametrize("command", ["leases", "workers", "projects", "stats", "list"])
def test_json_is_one_document(deck: Served, command: str) -> None:
    assert isinstance(deck.json(command), dict)


def test_events_are_json_lines_of_one_task(deck: Served, project: str) -> None:
    key = deck.ask("create", title="t", project=project)["key"]
    deck.json("reprioritize", key, "60")
    lines = deck("events", key, "--json").stdout.splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["task.created", "task.reprioritized"]
    seq = json.loads(lines[0])["seq"]
    behind = deck("events", "--after", str(seq), "--type", "reprioritized", "-p", project, "--json").stdout
    assert [json.loads(line)["task"]["key"] for line in behind.splitlines()] == [key]
    for more in ((), (key,), ("--after", "0")):
        found = deck("events", *more, "-q", f"type:re* key:{key.lower()} -created", "--json").stdout.splitlines()
        assert [json.loads(line)["type"] for line in found] == ["task.reprioritized"], more
    assert "column 1: no field “colour”" in deck("events", "-q", "colour:red").stderr
    newest = deck("events", "-n", "1", "-p", project, "--json").stdout.splitlines()
    assert json.loads(newest[0])["type"] == "task.reprioritized"


def test_tokens_are_created_listed_and_revoked(deck: Served) -> None:
    created = deck.json("token", "create", "bot", "--role", "reader", "--expires", "30d")
    by_token = {"TASKDECK_URL": deck.url, "TASKDECK_TOKEN": created["secret"]}
    assert deck("stats", **by_token).returncode == 0
    listed = deck("token", "list")
    assert "bot" in listed.stdout
    assert created["secret"] not in listed.stdout
    assert deck("token", "revoke", str(created["token"]["id"])).returncode == 0
    assert deck("stats", **by_token).returncode == 6


def test_workers_are_registered_and_drained(deck: Served, project: str) -> None:
    deck.json("worker", "register", "w-drain", "--kind", "service", "--cap", "gpu")
    assert deck.json("worker", "drain", "w-drain")["draining"]
    deck.ask("create", title="t", project=project)
    refused = deck("claim", "-p", project, "--worker", "w-drain")
    assert refused.returncode in (3, 4), refused.stderr
    assert not deck.json("worker", "drain", "w-drain", "--undo")["draining"]


def test_version_and_help_need_no_server(tmp_path: Path) -> None:
    begun = subprocess.run([*TASKDECK, "version"], env=environment(), capture_output=True, text=True, check=True)
    assert begun.stdout.startswith("taskdeck ")
    assert taskdeck("version", TASKDECK_DATA=str(tmp_path)).stdout == begun.stdout == taskdeck("--version").stdout
    assert "Exit codes" in taskdeck("--help").stdout


def test_webhooks_are_made_listed_changed_and_removed(deck: Served) -> None:
    made = deck.json("webhook", "create", "https://localhost/hook", "-e", "webhook.none", "-p", "default")
    number = str(made["webhook"]["id"])
    assert made["secret"].startswith("whsec_")
    listed = deck("webhook", "list")
    assert "https://localhost/hook" in listed.stdout
    assert "active" in listed.stdout
    assert deck.json("webhook", "edit", number, "--off")["active"] is False
    assert deck.json("webhook", "edit", number, "--on", "--after", "1")["after"] == 1
    assert deck.json("webhook", "rotate", number, "--overlap", "2h")["secret"] != made["secret"]
    assert deck.json("webhook", "deliveries", number)["deliveries"] == []
    assert deck.json("webhook", "delete", number) == {"deleted": int(number)}


def test_sources_are_made_listed_changed_and_removed(deck: Served) -> None:
    task = '{"labels": ["inbox"], "priority": 70}'
    rules = '[{"path": "action", "value": "opened"}]'
    made = deck.json(
        "source", "create", "hub", "--title", "{{ t }}", "--scheme", "github", "--task", task, "--filters", rules
    )
    assert made["secret"].startswith("whsec_")
    assert made["source"]["task"] == {"title": "{{ t }}", "labels": ["inbox"], "priority": 70}
    assert "github" in deck("source", "list").stdout
    assert deck.json("source", "edit", "hub", "--off", "--unique", "{{ id }}")["active"] is False
    assert deck.json("source", "show", "hub")["unique"] == "{{ id }}"
    assert deck.json("source", "rotate", "hub")["secret"] != made["secret"]
    assert deck.json("source", "delete", "hub") == {"deleted": "hub"}


def test_a_worker_says_what_it_offers_and_shows_what_it_did(deck: Served, project: str) -> None:
    deck.json("project", "edit", project, "--offline-claims", "lapse")
    deck.json("worker", "register", "vega", "--role", "reviewer", "--heartbeat", "30s")
    key = deck.ask("create", title="t", project=project)["key"]
    claim = deck.json("claim", key, "--worker", "vega")["claims"][0]
    deck.json("complete", key, "--fence", str(claim["fence"]))
    worker = deck.json("worker", "show", "vega")
    assert (worker["roles"], worker["heartbeat_seconds"], worker["liveness"]) == (["reviewer"], 30, "idle")
    assert (worker["metrics"]["claims"], worker["metrics"]["completions"]) == (1, 1)
    key = deck.ask("create", title="t", project=project)["key"]
    deck.json("claim", key, "--worker", "vega")
    assert deck("worker", "leave", "vega").stdout.strip() == f"vega gave back {key} and has left"
    told = deck("worker", "show", "vega").stdout
    assert "vega, agent, offline" in told
    assert "2 claims, 1 completions" in told


def test_a_question_is_seen_and_answered(deck: Served, project: str) -> None:
    key = deck.ask("create", title="t", project=project)["key"]
    fence = str(deck.json("claim", key, "--worker", "asker")["claims"][0]["fence"])
    deck.json("heartbeat", key, "--fence", fence, "--ask", "red or blue?", "--option", "red", "--option", "blue")
    seen = deck("attention", "-p", project).stdout
    assert "waiting_input" in seen
    assert "asker asks: red or blue?" in seen
    deck.json("answer", key, "blue")
    assert "answer: blue" in deck("heartbeat", key, "--fence", fence).stdout
    assert "nothing needs you" in deck("attention", "-p", project).stdout


def test_a_project_is_limited(deck: Served, project: str) -> None:
    told = deck("project", "limit", project, "--held", "2", "--each", "1", "-l", "gpu=1", "--exclusive-files").stdout
    assert "by label      gpu 1" in told
    keys = [deck.json("add", f"t{n}", "-p", project, "--file", "src/app.py")["key"] for n in range(2)]
    assert deck.json("claim", "-p", project, "--worker", "first")["claims"][0]["task"]["key"] == keys[0]
    refused = deck("claim", "-p", project, "--worker", "second")
    assert refused.returncode == 3
    assert "[files_in_use]" in refused.stdout
    changed = deck.json("project", "limit", project, "--shared-files", "-l", "none", "--held", "0")
    assert (changed["max_claims"], changed["max_claims_per_label"], changed["exclusive_files"]) == (0, {}, False)
    assert deck("project", "limit", project, "-l", "gpu").returncode == 2


def test_tasks_are_exported_whole_and_never_over_a_file(deck: Served, project: str, tmp_path: Path) -> None:
    deck.ask("create_many", [
        {"title": "First, with a comma", "project": project, "payload": {"tenant": "acme"}, "labels": ["eu"]},
        {"title": "Second\x1b[2J", "project": project},
    ])  # fmt: skip
    lines, asked = tmp_path / "all.jsonl", f"project:{project}"
    assert deck("export", str(lines), asked).stdout == f"2 tasks in {lines}\n"
    tasks = [json.loads(line) for line in lines.read_text("ascii").splitlines()]
    assert [task["title"] for task in tasks] == ["First, with a comma", "Second\x1b[2J"]
    assert tasks[0]["payload"] == {"tenant": "acme"}
    refused = deck("export", str(lines), asked, "label:eu")
    assert refused.returncode == 2
    assert "is there already" in refused.stderr and "--force" in refused.stderr
    assert deck.json("export", str(lines), asked, "label:eu", "--force")["tasks"] == 1
    assert deck("export", "-", asked, "label:eu").stdout == lines.read_text("ascii")


def test_a_clients_configuration_is_printed() -> None:
    printed = taskdeck("setup", "delega", "--listen", "delega=127.0.0.1:18890", "--token", "td_x")
    env = json.loads(printed.stdout)["mcpServers"]["delega"]["env"]
    assert (env["DELEGA_API_URL"], env["DELEGA_AGENT_KEY"]) == ("https://api.delega.dev:18890", "td_x")
    for wrong, said in (
        (("stride",), "only for delega"),
        (("delega",), "--listen delega=HOST:PORT"),
        (("delega", "--listen", "delega=127.0.0.1:1", "--way", "odd"), "all, simple"),
    ):
        refused = taskdeck("setup", *wrong)
        assert (refused.returncode, said in refused.stderr) == (2, True)
