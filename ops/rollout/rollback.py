"""`invoke rollback`: the digest that a server ran before, slot by slot, or the revisions of its apps that run it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ops.cli.steps import Runner, Step
from ops.config.environment import Environment
from ops.config.servers import is_pinned, is_remote, runs_as_apps
from ops.errors import NotDeployedError, UsageError
from ops.images import images_json
from ops.rollout import health_check, revisions, rolling_update, session
from ops.terraform.cli import ANYTHING


def rollback(environment: Environment, runner: Runner, server: str | None = None) -> None:
    """Roll a server back; repeating it goes back one further, and one that was interrupted is finished first."""
    name = choose(environment, server)
    with session.opened(environment, runner) as opened:
        images_file = opened.space.images_file
        before = images_json.read(images_file)
        goal = earlier(environment, name, before)
        runner.table("", ("server", "runs", "goes back to"), [(name, _text(before.get(name, {})), _text(goal))])
        runner.confirm(f"Roll {name} back in {environment.name}?", agreed=environment.is_local)
        if runs_as_apps(environment.servers[name]):
            goal = revisions.back(opened, name, goal, before[name])
            before = {**before, name: goal}  # no new image: the calls move at once
        images_json.change(images_file, {**before, name: goal}, runner)
        expected = rolling_update.replacements(environment, [name]) or ANYTHING
        rolling_update.apply_stage(opened, 2, before, agreed=True, expected=expected)
        platform = opened.publish()
        runner.run(Step(partial(health_check.require_answers, environment, platform), None))
    runner.say(f"{name} runs {_text(goal)}; the next `invoke deploy` brings what servers/ holds then")


def choose(environment: Environment, server: str | None) -> str:
    """Return the server to roll back: the named one, or the only one; UsageError for any other."""
    if server is None and len(environment.servers) == 1:
        server = next(iter(environment.servers))
    if server is None:
        raise UsageError(
            f"{environment.name} has several servers; choose with --server: {', '.join(environment.servers)}"
        )
    if server not in environment.servers:
        known = ", ".join(environment.servers)
        raise UsageError(f"server {server!r} does not exist; mcp_servers of {environment.name} holds: {known}")
    if is_remote(environment.servers[server]):
        raise UsageError(f"server {server!r} runs elsewhere (remote): which version of it answers is decided there")
    if is_pinned(environment.servers[server]):
        raise UsageError(
            f"server {server!r} pins its image by digest; put the earlier one there and run `invoke deploy`"
        )
    return server


def earlier(environment: Environment, server: str, entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the server's entry as it was one digest ago; NotDeployedError where none is recorded."""
    if server not in entries:
        raise NotDeployedError(
            f"images.json of {environment.name} records no image of {server}; run `invoke deploy` first"
        )
    found = images_json.earlier(entries[server])
    if found is None:
        raise NotDeployedError(f"images.json records no earlier digest of {server}, so there is nothing to go back to")
    return found


def _text(entry: Mapping[str, Any]) -> str:
    return f"{entry.get('tag', '')} {str(entry.get('digest', ''))[:19]}".strip()
