"""Step 4: stage 1 → images → (Key Vault role) → stage 2 → smoke test; locally the twin starts before the last step.

Every step looks first and does only what differs, so a run that was interrupted is finished by the next. A pipeline
takes one stage at a time, and applies the plan that was published and approved, or nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from emulators.base.state import State
from ops import local_platform
from ops.azure import az, network
from ops.checks import azure_smoke, doctor, durations, prerequisites, reach, smoke, status
from ops.cli import output
from ops.cli.steps import Runner, Step, until
from ops.clients import access_token, people
from ops.clients.outputs import Platform
from ops.config import roles
from ops.config.environment import Environment, env_option
from ops.config.servers import is_of_others
from ops.errors import AzError, NotDeployedError, SmokeError
from ops.images import catalog, images_json, push, upstream
from ops.images.catalog import Image, Pushed
from ops.images.images_json import Entries
from ops.rollout import rolling_update, target_images
from ops.rollout.request import Request
from ops.rollout.session import Session
from ops.terraform import saved_plan, workspace
from ops.terraform.cli import ANYTHING
from ops.terraform.workspace import Workspace
from twin import control

_PROPAGATION = 600.0  # seconds; "Troubleshoot Azure RBAC" says up to ten minutes
_PAUSE = 10.0
_ME = "MY_OBJECT_ID"  # the shell's variable in a dry run
_LOCAL_CHECKS = ("python", "settings", "terraform", "values", "uv", "ports")
_AZURE_CHECKS = ("settings", "terraform", "az", "subscription")


def deploy(environment: Environment, runner: Runner, asked: Request | None = None) -> None:
    """End with a healthy platform, or raise an OpsError that says what stands in the way."""
    asked = asked or Request()
    upstream.require_engine(environment)
    wanted = [image for image in catalog.decide(environment) if image.server not in asked.images]
    wanted = wanted if asked.builds else []
    if runner.dry_run and asked.plan:
        for number in asked.stages:
            _print_saved(saved_plan.load(asked.plan, environment, number))
    if environment.is_local and not runner.dry_run and (damage := control.damage(environment.home)):
        output.warn(damage)
        control.stop(environment.home)  # without its status nobody knows its ports
    ports = local_platform.choose_ports(environment, keep=not runner.dry_run) if environment.is_local else None
    doctor.require_values(environment, runner)
    if not asked.plan:
        doctor.preview(environment, runner)
    with runner.lock(environment.home):
        checks = _LOCAL_CHECKS if ports else (*_AZURE_CHECKS, *(["docker"] if wanted else []))
        runner.run(doctor.required(environment, checks))
        if ports:
            runner.run(Step(smoke.load_client_early, None))
        variables = ports.variables(environment) if ports else {}
        with workspace.opened(environment, variables, runner=runner) as space:
            session = Session(space, ports)
            changed = _stage1(session, asked)
            if 2 not in asked.stages:
                return _tell_next(environment, runner)
            pushed, changed_stage2 = _images_and_stage2(session, wanted, asked)
            platform = session.read_outputs()
        built = any(done.built for done in pushed)
        _serve(session, platform, changed=changed or changed_stage2 or built)
    return None


def _print_saved(about: saved_plan.Saved) -> None:
    output.say(f"stage {about.stage} of {about.environment}, commit {about.commit[:12]}: {about.summary}")
    rolling_update.print_drift(about.actions, about.drift, f"stage {about.stage}")
    if about.actions:
        output.plan("would change", about.actions)


def _stage1(session: Session, asked: Request) -> bool:
    if 1 not in asked.stages:
        _require_stage1(session.space)
        return False
    if asked.plan:
        return apply_saved(session, 1, asked.plan)
    return rolling_update.apply_stage(session, 1, agreed=session.ports is not None)


def _images_and_stage2(session: Session, wanted: Sequence[Image], asked: Request) -> tuple[list[Pushed], bool]:
    """Push images and apply stage 2; return what was pushed, and whether stage 2 changed."""
    space = session.space
    before = images_json.read(space.images_file, space.runner)
    pushed = push.push_all(space, wanted) if wanted else []
    if not asked.plan:
        upstream.import_all(space)
    targets = target_images.resolve(space, asked.images)
    target_images.record(space, targets)
    if session.ports is None:
        _open_vault(session.environment, session.runner)
    if asked.plan:
        session.runner.run(saved_plan.place_images(space, asked.plan))
        return pushed, apply_saved(session, 2, asked.plan, before)
    space.runner.require(lambda: _require_images(space, asked.images), None)
    replaced = _with_new_image(before, {**{done.image.server: done.entry() for done in pushed}, **targets})
    expected = {**rolling_update.replacements(session.environment, replaced), **ANYTHING}
    local = session.ports is not None
    return pushed, rolling_update.apply_stage(session, 2, before, agreed=local, expected=expected)


def _with_new_image(before: Entries, after: Mapping[str, Mapping[str, Any]]) -> Collection[str]:
    """Return the servers that run an image and are to run another."""
    return [name for name, entry in after.items() if before.get(name, entry).get("digest") != entry["digest"]]


def apply_saved(session: Session, number: int, folder: Path, before: Mapping[str, Any] | None = None) -> bool:
    """Apply the plan that was saved in `folder`, if it is still what would happen; True if something changed.

    Planning again comes first, for what drifted since is seen only so.
    """
    space, runner = session.space, session.runner
    about = saved_plan.load(folder, space.environment, number)
    with runner.progress(f"stage {number}, as planned") as result:
        space.terraform.init(space.stage(number))
        runner.run(Step(lambda: saved_plan.require_same_providers(space, about), None))
        approved = saved_plan.fetch(space, about, folder)
        now = space.terraform.plan(space.stage(number), expected=about.actions, expected_drift=about.drift)
        result.append(approved.summary())
    rolling_update.show_drift(session, now)
    runner.run(Step(lambda: saved_plan.require_fresh(space, approved, now), None))
    if not approved.changes:
        return False
    rolling_update.apply_plan(
        session,
        approved,
        before or {},
        require_part=lambda part: runner.run(Step(lambda: saved_plan.require_within(space, approved, part), None)),
    )
    return True


def _require_stage1(space: Workspace) -> None:
    """Raise NotDeployedError without stage 1: Terraform's own refusal names a data source, not the remedy."""
    stage = space.stage(1)
    space.terraform.init(stage)

    def act() -> None:
        if not (space.terraform.show(stage).get("values") or {}).get("root_module", {}).get("child_modules"):
            raise NotDeployedError(
                f"stage 1 of {space.environment.name} is not applied, and stage 2 reads what it makes; run "
                f"`invoke deploy --env {space.environment.name} --stage 1` first"
            )

    space.runner.run(Step(act, None))


def _require_images(space: Workspace, named: Collection[str] = ()) -> None:
    """Raise NotDeployedError for a server without an image: a stage 2 of its own builds none. `named` have one."""
    recorded = images_json.read(space.images_file, space.runner)
    for image in catalog.decide(space.environment):
        if image.server not in {*recorded, *named}:
            raise NotDeployedError(
                f"images.json of {space.environment.name} records no image of {image.server}, and --stage 2 builds "
                f"none; run `invoke push --env {space.environment.name}`, or give --target-image {image.server}=…"
            )


def _serve(session: Session, platform: Platform, *, changed: bool) -> None:
    """Start or reload a local platform, call it through the front door, and say what comes next."""
    environment, runner, ports = session.environment, session.runner, session.ports
    if ports is None:
        runner.run(Step(lambda: azure_smoke.check(environment, platform, runner), None))
        _warn_of_empty_groups(session)
        return _tell(environment, platform, runner)
    command = f"{sys.executable} -m twin.runtime --home {environment.home}"
    with runner.progress("local platform") as result:
        start = Step(lambda: local_platform.start_or_reload(environment, ports), True, (command,))
        result.append("started" if runner.run(start) else "running")
    runner.run(Step(lambda: _smoke_test(environment, platform), None))
    if not changed:
        runner.say("nothing changed")
    return _tell(environment, platform, runner)


def _smoke_test(environment: Environment, platform: Platform) -> None:
    cut_off = status.unreachable(control.status(environment.home))
    everybody = people.local(environment, platform)
    token_for = cache(partial(access_token.mint, environment, platform))
    for server in platform.endpoints:
        with output.step(f"smoke test {server}") as result:
            wanted = roles.tiers(environment, server)
            here = people.of_tiers(everybody, wanted)
            strangers = [one.key for one in everybody if one.roles and one.roles.isdisjoint(wanted.values())]
            tiers = [_tier(environment, server, tier, here.get(tier, "")) for tier in wanted]
            of_others = is_of_others(environment.servers.get(server))
            check = partial(
                smoke.check_server, platform, server, token_for, tiers, strangers=strangers, of_others=of_others
            )
            try:
                # What is cut off for a reason that is known stays so.
                found = check() if cut_off else smoke.after_breakers(check)
            except SmokeError as error:
                # The cause first, where it is known: the call itself only meets a 5xx.
                raise SmokeError("; ".join((*cut_off, str(error)))) from error
            result.extend(found.lines)
        for sentence in found.warnings:
            output.warn(sentence)
    for sentence in cut_off:  # another slot answered the smoke test
        output.warn(sentence)


def _tier(environment: Environment, server: str, name: str, user: str) -> smoke.Tier:
    entry = environment.servers[server]["tiers"][name]
    lists = entry.get("tools") or {}
    return smoke.Tier(
        name,
        user,
        reads=any(role.reads for role in roles.roles(environment) if role.name == entry.get("role")),
        writable=entry.get("connection") == "read-write",
        named=lists.get("allow") or (),
        listed=bool(lists.get("allow") or lists.get("deny")),
    )


def _open_vault(environment: Environment, runner: Runner) -> None:
    """Make sure that stage 2 can write secrets, which it does after the long creation of API Management."""
    _grant_vault(environment, runner)
    with runner.progress("Key Vault access"):
        runner.run(_wait_for_vault(environment))


def _grant_vault(environment: Environment, runner: Runner) -> None:
    """Take the documented step for a person; a pipeline's identity holds Secrets Officer from stage 1."""
    account = runner.run(az.look("account", "show", expected={"user": {"type": "user"}}))
    if account["user"]["type"] != "user":
        return
    asked = ("ad", "signed-in-user", "show", "--query", "id")
    line = f"{_ME}=$({az.command(*asked, '--output', 'tsv')})"
    role = _vault_role(environment, str(runner.run(Step(lambda: az.run(*asked), f"${{{_ME}}}", (line,)))))
    with runner.progress("Key Vault role") as result:
        if runner.run(az.look("role", "assignment", "list", *role[3:], expected=[])):
            result.append("held already")
            return
    runner.confirm(f"Run `{az.command(*role)}`?")
    typed = az.command(*role).replace(f"'${{{_ME}}}'", f'"${{{_ME}}}"')  # a shell fills it in
    runner.run(Step(lambda: az.run(*role), None, (typed,)))
    runner.announce(durations.ROLE.text())


def _wait_for_vault(environment: Environment) -> Step[None]:
    """Wait for a new role assignment to reach the vault; ToolError at once where the vault refuses the address."""
    name = environment.need("KEY_VAULT_NAME")
    listed = reach.list_secrets(name)

    def act() -> None:
        deadline = time.monotonic() + _PROPAGATION
        while True:
            try:
                az.run(*listed)
            except AzError as error:
                if error.kind == "network":
                    raise network.refusal(environment, f"vault {name}", error) from error
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)
            else:
                return

    return Step(act, None, (until(f"{az.command(*listed)} > /dev/null 2>&1", _PAUSE),))


def _vault_role(environment: Environment, object_id: str) -> tuple[str, ...]:
    group = f"/subscriptions/{environment.need('SUBSCRIPTION_ID')}/resourceGroups/{environment.need('RESOURCE_GROUP')}"
    scope = f"{group}/providers/Microsoft.KeyVault/vaults/{environment.need('KEY_VAULT_NAME')}"
    wanted = ("--role", "Key Vault Administrator", "--assignee", object_id, "--scope", scope)
    return ("role", "assignment", "create", *wanted)


def _tell_next(environment: Environment, runner: Runner) -> None:
    option = f" --env {environment.name}"
    runner.summary(
        f"stage 1 of {environment.name} is applied",
        [
            (f"invoke push{option}", "build the images and put them into the registry"),
            (f"invoke deploy{option} --stage 2", "then the rest"),
        ],
    )


def _warn_of_empty_groups(session: Session) -> None:
    """Say whose groups have no members by the state, which knows those that were put there in Entra ID too."""
    nothing: dict[str, Any] = {}
    shown = session.runner.run(Step(lambda: session.space.terraform.show(session.space.stage(2)), nothing))
    groups = State.from_show_json(shown).of_type("azuread_group") if shown else []
    empty = [str(group["display_name"]) for group in groups if not group.get("members")]
    if empty:
        session.runner.warn(prerequisites.nobody(empty))


def _tell(environment: Environment, platform: Platform, runner: Runner) -> None:
    option = env_option(environment.name)
    following = [
        (f"invoke connect{option} --client vscode", "connect a client; or claude, cursor, inspector"),
        (f"invoke status{option}", "what runs, and whether it answers"),
    ]
    if environment.is_local:
        following += [
            (f"invoke token{option} --as admin", "a token for scripts; or a role, reader, outsider"),
            (f"invoke logs{option}", "the end of every log"),
            (f"invoke destroy{option}", "stop, and take everything away"),
        ]
    served = "\n".join(f"{server} is served at {endpoint}" for server, endpoint in platform.endpoints.items())
    runner.summary(served, following)
