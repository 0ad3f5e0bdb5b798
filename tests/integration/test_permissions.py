"""Who may call what: every route of the table with every role, and tokens that are let into one project."""

from __future__ import annotations

import pytest
from support.api import Api

from taskdeck.domain.principal import Role
from taskdeck.http.native import all_routes
from taskdeck.http.routes import Public, Route

# streams and what is called by a signature in place of a token have tests of their own
ROUTES = [route for route in all_routes() if not route.path.endswith(("/stream", "/inbound/{name}"))]


def _path(route: Route) -> str:
    return route.path.format(ref="nothing", name="nothing", id="nothing", delivery="nothing", version="1")


@pytest.fixture
async def tokens(api: Api) -> dict[Role, str]:
    return {role: await api.token_for(role) for role in Role}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_each_role_gets_as_far_as_its_route_says(api: Api, tokens: dict[Role, str], route: Route) -> None:
    body = b"{}" if route.body is not None else None
    before = await api.last_seq()
    for role, token in tokens.items():
        reply = await api.raw(route.method, _path(route), body, {"Authorization": f"Bearer {token}"})
        if isinstance(route.role, Public) or role.reaches(route.role):
            assert reply.status not in (401, 403), (role, reply)
        else:
            assert (reply.status, reply.code) == (403, "forbidden"), (role, reply)
            assert route.role.value in reply.json()["detail"]
    assert await api.last_seq() == before


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_without_a_token_only_public_routes_answer(api: Api, route: Route) -> None:
    async with Api(api.url, None) as nobody:
        reply = await nobody.raw(route.method, _path(route), b"{}" if route.body is not None else None)
    if isinstance(route.role, Public):
        assert reply.status == 200
    else:
        assert (reply.status, reply.code) == (401, "unauthorized")
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")


async def test_every_route_says_who_may_call_it() -> None:
    assert {route.path for route in all_routes() if isinstance(route.role, Public)} == {
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/v1/inbound/{name}",
    }


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer td_wrong", "Basic dGQ6eA==", "Bearer \udcff\udcfe", "Bearer " + "x" * 4000],
)
async def test_a_bad_token_is_refused(api: Api, authorization: str) -> None:
    reply = await api.raw("GET", "/v1/me", None, {"Authorization": authorization})
    assert (reply.status, reply.code) == (401, "unauthorized")


async def test_a_revoked_or_expired_token_opens_nothing(api: Api, clock: object) -> None:
    made = await api.post("/v1/tokens", {"principal": "short", "role": "reader", "expires_in_seconds": 60})
    assert (await api.get("/v1/me", token=made["secret"]))["principal"] == "short"
    clock.advance(61)  # type: ignore[attr-defined]
    assert (await api.call("GET", "/v1/me", token=made["secret"])).status == 401
    secret = await api.token_for("reader", "gone")
    number = next(t["id"] for t in (await api.get("/v1/tokens"))["tokens"] if t["principal"] == "gone")
    await api.delete(f"/v1/tokens/{number}")
    assert (await api.call("GET", "/v1/me", token=secret)).status == 401


async def test_a_secret_from_elsewhere_is_taken_over(api: Api) -> None:
    secret = "stride_prod_" + "x" * 43
    wish = {"principal": "ann", "role": "agent", "secret": secret}
    made = await api.post("/v1/tokens", wish)
    assert (made["secret"], made["token"]["prefix"][:13]) == (secret, "stride_prod_~")
    assert (await api.get("/v1/me", token=secret))["principal"] == "ann"
    again = await api.call("POST", "/v1/tokens", wish)
    assert (again.status, again.code) == (409, "token_exists")
    await api.post("/v1/tokens", wish | {"secret": secret + "y"})  # begins alike
    for odd in ("short", "x" * 31, "x" * 20 + " " + "x" * 20, "ü" * 40):
        assert (await api.call("POST", "/v1/tokens", wish | {"secret": odd})).code == "invalid_request", odd


async def test_the_last_admin_token_stays(api: Api) -> None:
    (only,) = (await api.get("/v1/tokens"))["tokens"]
    reply = await api.call("DELETE", f"/v1/tokens/{only['id']}")
    assert (reply.status, reply.code) == (409, "last_admin")
    assert (await api.get("/v1/me"))["role"] == "admin"


async def test_secrets_are_kept_nowhere(api: Api) -> None:
    secret = await api.token_for("agent", "quiet")
    assert secret not in (await api.call("GET", "/v1/tokens")).body.decode()
    assert secret not in str(await api.events())


async def test_a_token_for_one_project_sees_no_other(api: Api) -> None:
    await api.post("/v1/projects", {"name": "ours"})
    await api.post("/v1/projects", {"name": "theirs"})
    mine = await api.create("mine", project="ours")
    other = await api.create("other", project="theirs")
    secret = await api.token_for("operator", "inside", projects=["ours"])

    async def refused(method: str, path: str, document: object = None) -> str:
        reply = await api.call(method, path, document, token=secret)
        assert reply.status == 404, reply
        return reply.code

    before = await api.last_seq()
    for ref in (other["key"], other["id"], other["number"]):
        path = f"/v1/tasks/{ref}"
        assert await refused("GET", path) == "unknown_task"
        assert await refused("GET", f"{path}?fence=1") == "unknown_task"
        assert await refused("GET", f"{path}/events") == "unknown_task"
        assert await refused("GET", f"{path}/assignments") == "unknown_task"
        assert await refused("GET", f"{path}/changes") == "unknown_task"
        assert await refused("PUT", f"{path}/changes", {"files": []}) == "unknown_task"
        assert await refused("GET", f"{path}/gates") == "unknown_task"
        assert await refused("GET", f"{path}/chain") == "unknown_task"
        assert await refused("GET", f"{path}/explain?worker=w") == "unknown_task"
        assert await refused("PATCH", path, {"title": "x"}) == "unknown_task"
        assert await refused("PATCH", f"{path}/draft", {"fence": 0, "values": {"a": 1}}) == "unknown_task"
        assert await refused("DELETE", path) == "unknown_task"
        for verb, body in {
            "heartbeat": {"fence": 0},
            "release": {"fence": 0},
            "complete": {"fence": 0},
            "fail": {"fence": 0, "error": "e"},
            "retry": {},
            "cancel": {},
            "assign": {"assignee": None},
            "reprioritize": {"priority": 1},
            "override": {"reason": "r", "release": True},
            "promote": {},
            "skip": {},
            "delegate": {"title": "c"},
            "shelve": {},
            "approve": {},
            "reject": {"note": "n"},
            "judge": {"verdict": "approved"},
            "heed": {},
        }.items():
            assert await refused("POST", f"{path}/{verb}", body) == "unknown_task", verb
        assert await refused("POST", "/v1/claims", {"worker": "in", "task": str(ref)}) == "unknown_task"
    assert await refused("POST", "/v1/claims", {"worker": "in", "project": "theirs"}) == "unknown_project"
    assert await refused("GET", "/v1/claims/next?project=theirs") == "unknown_project"
    assert await refused("POST", "/v1/tasks", {"title": "t", "project": "theirs"}) == "unknown_project"
    assert await refused("POST", "/v1/tasks", {"title": "t", "project": "ours", "depends_on": [other["key"]]}) == (
        "unknown_task"
    )
    for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/pause"), ("POST", "/resume")):
        assert await refused(method, f"/v1/projects/theirs{path}", {}) == "unknown_project"
    assert (await api.call("POST", "/v1/projects", {"name": "new"}, token=secret)).code == "forbidden"
    assert await api.last_seq() == before

    assert [t["id"] for t in (await api.get("/v1/tasks", token=secret))["tasks"]] == [mine["id"]]
    assert [p["name"] for p in (await api.get("/v1/projects", token=secret))["projects"]] == ["ours"]
    assert {e["project"] for e in await api.events(project="theirs")} == {"theirs"}
    assert {e["project"] for e in (await api.get("/v1/events", token=secret))["events"]} == {"ours"}
    stats = await api.get("/v1/stats", token=secret)
    assert list(stats["projects"]) == ["ours"]
    assert stats["counts"]["ready"] == 1
    given = await api.post("/v1/claims", {"worker": "in", "max_tasks": 10}, token=secret)
    assert [claim["task"]["id"] for claim in given["claims"]] == [mine["id"]]
    await api.claim("out", task=other["key"])
    assert [le["task"]["id"] for le in (await api.get("/v1/leases", token=secret))["leases"]] == [mine["id"]]


async def test_an_agent_acts_only_as_its_own_worker_and_under_its_own_claim(api: Api) -> None:
    ann, bob = await api.token_for("agent", "ann"), await api.token_for("agent", "bob")
    task = await api.create()
    claim = (await api.post("/v1/claims", {"worker": "w"}, token=ann))["claims"][0]
    assert (await api.call("POST", "/v1/claims", {"worker": "w"}, token=bob)).code == "forbidden"
    assert (await api.call("POST", "/v1/workers", {"id": "w"}, token=bob)).code == "forbidden"
    assert (await api.call("POST", "/v1/workers/w/heartbeat", {}, token=bob)).code == "forbidden"
    for verb, more in {"heartbeat": {}, "release": {}, "complete": {}, "fail": {"error": "e"}}.items():
        reply = await api.call("POST", f"/v1/tasks/{task['id']}/{verb}", {"fence": claim["fence"], **more}, token=bob)
        assert (reply.status, reply.code) == (403, "forbidden"), verb
    stolen = {"worker": "b", "task": task["id"], "override": {"reason": "mine"}}
    assert (await api.call("POST", "/v1/claims", stolen, token=bob)).code == "forbidden"
    for change in ({"title": "x"}, {"priority": 1, "fence": claim["fence"]}, {"description": "no fence"}):
        assert (await api.call("PATCH", f"/v1/tasks/{task['id']}", change, token=ann)).code == "forbidden"
    described = {"description": "so far", "metadata": {"a": 1}, "fence": claim["fence"]}
    assert (await api.patch(f"/v1/tasks/{task['id']}", described, token=ann))["description"] == "so far"
