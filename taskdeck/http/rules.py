"""Routes of rules: what is done by itself when something happens."""

from __future__ import annotations

from aiohttp import web

from taskdeck.domain.principal import Role
from taskdeck.domain.rule import Rule, rule_view
from taskdeck.http.call import Call
from taskdeck.http.models import Nothing
from taskdeck.http.project_models import Pause
from taskdeck.http.routes import RouteTable
from taskdeck.http.rule_models import CreateRule, DryRun, EditRule, fields
from taskdeck.http.wire import Reply, body
from taskdeck.service.rules import (
    Rehearsed,
    create_rule,
    delete_rule,
    edit_rule,
    pause_rule,
    rehearse_rule,
    resume_rule,
    sees,
    unknown_rule,
)
from taskdeck.store.rules import list_rules, read_rule
from taskdeck.store.unit import Unit

routes = RouteTable()


def _reply(rule: Rule) -> Reply:
    return 200, body(rule_view(rule))


@routes.add("GET", "/v1/rules", Role.READER)
async def get_rules(call: Call) -> web.StreamResponse:
    """List the rules."""
    found = await list_rules(call.deck.reader)
    return call.json({"rules": [rule_view(rule) for rule in found if sees(call.who, rule)]})


@routes.add("POST", "/v1/rules", Role.OPERATOR, body=CreateRule, success=201)
async def post_rule(call: Call) -> web.StreamResponse:
    """Let something be done by itself."""
    asked = call.body(CreateRule)

    def work(unit: Unit) -> Rule:
        rule = Rule(
            name=asked.name,
            project=asked.project,
            via=call.who.via,
            paused_at=unit.now if asked.paused else None,
            paused_by=call.who.name if asked.paused else None,
            pause_reason=None,
            runs=0,
            failures=0,
            last_run_at=None,
            created_by=call.who.name,
            created_at=unit.now,
            **fields(asked),
        )
        return create_rule(unit, call.who, rule)

    return await call.write(work, lambda rule: (201, body(rule_view(rule))))


@routes.add("GET", "/v1/rules/{name}", Role.READER)
async def get_rule(call: Call) -> web.StreamResponse:
    """Show a rule, how often it ran and whether it failed."""
    rule = await read_rule(call.deck.reader, call.path("name"))
    if rule is None or not sees(call.who, rule):
        raise unknown_rule(call.path("name"))
    return call.json(rule_view(rule))


@routes.add("PATCH", "/v1/rules/{name}", Role.OPERATOR, body=EditRule)
async def patch_rule(call: Call) -> web.StreamResponse:
    """Change a rule."""
    name, asked = call.path("name"), call.body(EditRule)
    return await call.write(lambda unit: edit_rule(unit, call.who, name, fields(asked), asked.version), _reply)


@routes.add("DELETE", "/v1/rules/{name}", Role.OPERATOR)
async def remove_rule(call: Call) -> web.StreamResponse:
    """Forget a rule; what it did stays."""
    name = call.path("name")
    return await call.write(
        lambda unit: delete_rule(unit, call.who, name), lambda gone: (200, body({"deleted": gone.name}))
    )


@routes.add("POST", "/v1/rules/{name}/pause", Role.OPERATOR, body=Pause)
async def stop_rule(call: Call) -> web.StreamResponse:
    """Let the rule do nothing until it is resumed."""
    name, asked = call.path("name"), call.body(Pause)
    return await call.write(lambda unit: pause_rule(unit, call.who, name, asked.reason), _reply)


@routes.add("POST", "/v1/rules/{name}/resume", Role.OPERATOR, body=Nothing)
async def restart_rule(call: Call) -> web.StreamResponse:
    """Let the rule hold again."""
    name = call.path("name")
    return await call.write(lambda unit: resume_rule(unit, call.who, name), _reply)


@routes.add("POST", "/v1/rules/{name}/dry-run", Role.OPERATOR, body=DryRun)
async def try_rule(call: Call) -> web.StreamResponse:
    """See what the rule would do to a task; nothing is changed."""
    name, asked = call.path("name"), call.body(DryRun)
    try:
        await call.deck.write(lambda unit: rehearse_rule(unit, call.who, name, asked.task))
    except Rehearsed as done:
        return call.json(done.outcome)
    raise RuntimeError("a dry run always ends by being undone")
