"""Step 4: stage 1 → images → (Key Vault role) → stage 2 → smoke test; locally the twin starts before the last step.

Every step looks first and does only what differs, so a run that was interrupted is finished by the next. A pipeline
takes one stage at a time, and applies the plan that was published and approved, or nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from emulators.base.state import State
from ops.azure import az
from ops.checks import doctor, smoke, status
from ops.cli import output
from ops.clients import access_token as token
from ops.clients import outputs as platform
from ops.clients.outputs import Platform
from ops.config import lock
from ops.config.environment import Environment
from ops.errors import AzError, NotDeployedError, SmokeError
from ops.images import catalog as images
from ops.images import push
from ops.images.catalog import Image
from ops.local import twin as twin_control
from ops.local.ports import Ports
from ops.rollout import rolling_update as rolling
from ops.rollout import target_images
from ops.rollout.request import Request
from ops.terraform import binary as terraform_binary
from ops.terraform import saved_plan, workspace
from ops.terraform.cli import Plan
from ops.terraform.workspace import Workspace
from twin import control

_PROPAGATION = 600.0  # seconds; "Troubleshoot Azure RBAC" says up to ten minutes
_PAUSE = 10.0


def deploy(environment: Environment, asked: Request | None = None, *, dry_run: bool = False, yes: bool = False) -> None:
    """Ends with a healthy platform, or an OpsError that says what stands in the way."""
    asked = asked or Request()
    wanted = [image for image in images.decide(environment) if image.server not in asked.images] if asked.builds else []
    chosen = twin_control.choose_ports(environment, keep=not dry_run) if environment.is_local else None
    if dry_run:
        for number in asked.stages if asked.plan else ():
            _show(saved_plan.load(asked.plan or Path(), environment, number))
        for line in commands(environment, wanted, chosen, asked):
            output.data(line)
        return
    with lock.held(environment.home):
        if chosen:
            _local(environment, wanted, chosen, asked)
        else:
            _azure(environment, wanted, asked, yes=yes)


def commands(
    environment: Environment, wanted: Sequence[Image], chosen: Ports | None, asked: Request | None = None
) -> list[str]:
    """Everything a deployment runs, one command per line, as a person would type it."""
    asked = asked or Request()
    space = workspace.described(environment, chosen.variables(environment) if chosen else {})
    one, two = space.stages
    return [
        *(space.terraform.commands(one) if 1 in asked.stages else []),
        *push.commands(environment, wanted),
        *([] if environment.is_local or 2 not in asked.stages else [_vault_command(environment)]),
        *(space.terraform.commands(two) if 2 in asked.stages else []),
        *(
            [f"{sys.executable} -m twin.runtime --home {environment.home}"]
            if environment.is_local and 2 in asked.stages
            else []
        ),
    ]


def _show(about: saved_plan.Saved) -> None:
    output.say(f"stage {about.stage} of {about.environment}, commit {about.commit[:12]}: {about.summary}")
    rolling.show_drift(about.actions, about.drift, f"stage {about.stage}")
    if about.actions:
        output.plan("would change", about.actions)


def _vault_command(environment: Environment) -> str:
    return az.command(*_vault_role(environment, "<your object id>"))


def apply_stage(space: Workspace, number: int, *, yes: bool) -> bool:
    """Plans, shows, asks where a person should, applies exactly that plan; True if something changed."""
    stage = space.stage(number)
    with output.step(stage.name) as result:
        space.terraform.init(stage)
        plan = space.terraform.plan(stage)
        result.append(plan.summary())
    rolling.show_drift(plan.actions, plan.drift, stage.name)
    if not plan.changes:
        return False
    output.plan(f"{stage.name} changes", plan.actions)
    output.confirm(f"Apply {plan.summary()} in {space.environment.name}?", yes=yes)
    with output.step(f"{stage.name} apply") as result:
        space.terraform.apply(plan)
        result.append("applied")
    return True


def apply_saved(space: Workspace, number: int, folder: Path, apply: Callable[[Plan], None] | None = None) -> bool:
    """Applies the plan that was saved in `folder`, if it is still what would happen; True if something changed.

    Planning again comes first, for what drifted since is seen only so. `apply` stands in for Terraform's own.
    """
    about = saved_plan.load(folder, space.environment, number)
    with output.step(f"stage {number}, as planned") as result:
        space.terraform.init(space.stage(number))
        approved = saved_plan.fetch(space, about, folder)
        now = space.terraform.plan(space.stage(number))
        result.append(approved.summary())
    rolling.show_drift(now.actions, now.drift, now.stage.name)
    saved_plan.require_fresh(space, approved, now)
    if not approved.changes:
        return False
    if apply:
        apply(approved)
        return True
    with output.step(f"stage {number} apply") as result:
        space.terraform.apply(approved)
        result.append("applied")
    return True


def _stage1(space: Workspace, asked: Request, *, yes: bool) -> bool:
    if 1 in asked.stages:
        return apply_saved(space, 1, asked.plan) if asked.plan else apply_stage(space, 1, yes=yes)
    _require_stage1(space)
    return False


def _require_stage1(space: Workspace) -> None:
    """Stage 2 reads what stage 1 made, and Terraform's own refusal names a data source, not the remedy."""
    stage = space.stage(1)
    space.terraform.init(stage)
    if not (space.terraform.show(stage).get("values") or {}).get("root_module", {}).get("child_modules"):
        raise NotDeployedError(
            f"stage 1 of {space.environment.name} is not applied, and stage 2 reads what it makes; run "
            f"`invoke deploy --env {space.environment.name} --stage 1` first"
        )


def _require_images(space: Workspace) -> None:
    """A stage 2 of its own builds nothing, so what it is to run must be known."""
    recorded = images.recorded(space.images_file)
    for image in images.decide(space.environment):
        if image.server not in recorded:
            raise NotDeployedError(
                f"images.json of {space.environment.name} records no image of {image.server}, and --stage 2 builds "
                f"none; run `invoke push --env {space.environment.name}`, or give --target-image {image.server}=…"
            )


def _stage2(space: Workspace, asked: Request, before: Mapping[str, Any], chosen: Ports | None, *, yes: bool) -> bool:
    """One slot after the other where there are several; `before` is what images.json said before the push."""
    settle = settling(space, chosen)
    if not asked.plan:
        _require_images(space)
        return rolling.apply_stage2(space, before, settle, yes=yes)
    saved_plan.place_images(space, asked.plan)

    def apply(plan: Plan) -> None:
        rolling.apply_planned(space, plan, before, settle, partial(saved_plan.require_within, space, plan))

    return apply_saved(space, 2, asked.plan, apply)


def settling(space: Workspace, chosen: Ports | None) -> Callable[[rolling.Wave], None]:
    """How to wait for a changed slot; `chosen` are the local platform's ports."""
    if not chosen:
        return rolling.settle_azure(space, partial(applied, space))
    if control.status(space.home) is None:
        return lambda _: None  # nobody is called while nothing runs
    return rolling.settle_local(space, chosen, published)


def applied(space: Workspace) -> Platform:
    return platform.from_show_json(space.terraform.show(space.stage(2)), space.environment.name)


def published(space: Workspace) -> Platform:
    """Leaves the applied state where the twin reads it; both stages are asked side by side."""
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(space.terraform.show, space.stages)
    State.from_show_json(one, two).dump(space.home / "run" / "state.json")
    reached = platform.from_show_json(two, space.environment.name)
    platform.save(reached, space.home)
    return reached


def _local(environment: Environment, wanted: Sequence[Image], chosen: Ports, asked: Request) -> None:
    doctor.require(environment, ("python", "settings", "terraform", "uv", "ports"))
    smoke.prepare()
    with workspace.opened(environment, terraform_binary.find(), chosen.variables(environment)) as space:
        changed = _stage1(space, asked, yes=True)
        if 2 not in asked.stages:
            return _tell_next(environment)
        before = images.recorded(space.images_file)
        pushed = push.push_all(space, wanted) if wanted else []
        target_images.record(space, target_images.resolve(space, asked.images))
        changed = _stage2(space, asked, before, chosen, yes=True) or changed
        reached = published(space)
    with output.step("local platform") as result:
        result.append("started" if twin_control.ensure(environment, chosen) else "running")
    _smoke(environment, reached)
    if not changed and not any(done.built for done in pushed):
        output.say("nothing changed")
    return _tell(environment, reached)


def _azure(environment: Environment, wanted: Sequence[Image], asked: Request, *, yes: bool) -> None:
    doctor.require(environment, ("settings", "terraform", "az", "subscription", *(["docker"] if wanted else [])))
    with workspace.opened(environment, terraform_binary.find(), {}) as space:
        _stage1(space, asked, yes=yes)
        if 2 not in asked.stages:
            return _tell_next(environment)
        before = images.recorded(space.images_file)
        if wanted:
            push.push_all(space, wanted)
        target_images.record(space, target_images.resolve(space, asked.images))
        _grant_vault(environment, yes=yes)
        _stage2(space, asked, before, None, yes=yes)
        reached = applied(space)
    for server, endpoint in reached.endpoints.items():
        with output.step(f"smoke test {server}") as result:
            answered = smoke.status(endpoint)
            smoke.require_challenge(endpoint, answered)
            result.append(f"no token: {answered}; run `nox -s integration -- --env {environment.name}` for the rest")
    return _tell(environment, reached)


def _tell_next(environment: Environment) -> None:
    suffix = f" --env {environment.name}"
    output.summary(
        f"stage 1 of {environment.name} is applied",
        [
            (f"invoke push{suffix}", "build the images and put them into the registry"),
            (f"invoke deploy{suffix} --stage 2", "then the rest"),
        ],
    )


def _smoke(environment: Environment, reached: Platform) -> None:
    cut_off = status.unreachable(control.status(environment.home))
    for server in reached.endpoints:
        with output.step(f"smoke test {server}") as result:
            writable = _writable(environment, server)
            try:
                found = smoke.run(reached, server, partial(token.mint, environment, reached), writable=writable)
            except SmokeError as error:
                # The cause first, where it is known: the call itself only meets a 5xx.
                raise SmokeError("; ".join((*cut_off, str(error)))) from error
            result.extend(found)
    for sentence in cut_off:  # another slot answered the smoke test
        output.warn(sentence)


def _writable(environment: Environment, server: str) -> bool:
    tiers = (environment.servers.get(server) or {}).get("tiers") or {}
    return any(tier.get("connection") == "read-write" for tier in tiers.values())


def _grant_vault(environment: Environment, *, yes: bool) -> None:
    """The documented step for a person; a pipeline's identity holds Secrets Officer from stage 1."""
    account = az.run("account", "show")
    if account["user"]["type"] != "user":
        return
    role = _vault_role(environment, str(az.run("ad", "signed-in-user", "show")["id"]))
    listed = ["role", "assignment", "list", *role[3:]]
    with output.step("Key Vault role") as result:
        if az.run(*listed):
            result.append("held already")
            return
    output.confirm(f"Run `{az.command(*role)}`?", yes=yes)
    az.run(*role)
    with output.step("Key Vault access"):
        _wait_for_vault(environment.need("KEY_VAULT_NAME"))


def _wait_for_vault(name: str) -> None:
    """A new role assignment takes minutes to reach the vault; until then stage 2 could not write a secret."""
    deadline = time.monotonic() + _PROPAGATION
    while True:
        try:
            az.run("keyvault", "secret", "list", "--vault-name", name, "--maxresults", "1")
        except AzError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _vault_role(environment: Environment, object_id: str) -> tuple[str, ...]:
    group = f"/subscriptions/{environment.need('SUBSCRIPTION_ID')}/resourceGroups/{environment.need('RESOURCE_GROUP')}"
    scope = f"{group}/providers/Microsoft.KeyVault/vaults/{environment.need('KEY_VAULT_NAME')}"
    wanted = ("--role", "Key Vault Administrator", "--assignee", object_id, "--scope", scope)
    return ("role", "assignment", "create", *wanted)


def _tell(environment: Environment, reached: Platform) -> None:
    suffix = "" if environment.name == "local" else f" --env {environment.name}"
    following = [
        (f"invoke connect{suffix} --client vscode", "connect a client; or claude, cursor, inspector"),
        (f"invoke status{suffix}", "what runs, and whether it answers"),
    ]
    if environment.is_local:
        following += [
            (f"invoke token{suffix} --as admin", "a token for scripts; or reader, outsider"),
            (f"invoke logs{suffix}", "the end of every log"),
            (f"invoke destroy{suffix}", "stop, and take everything away"),
        ]
    served = "; ".join(f"{server} is served at {endpoint}" for server, endpoint in reached.endpoints.items())
    output.summary(served, following)
