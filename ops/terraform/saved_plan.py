"""Saved plans: `plan --out DIR` writes one, somebody reads it, and `deploy --plan DIR` applies it.

    DIR/stage1.json     what it is of, and what it would change: for the person who approves
    DIR/images.json     what Terraform read as images.json, where there was one: it reads it again when it applies
    DIR/stage1.tfplan   the plan itself, 0600, only where the environment runs on this machine

A plan holds what the state holds, database keys among it, and whoever may read a pipeline's artifacts may read DIR. So
on Azure the plan itself is a blob beside the state, under its own SHA-256, for those who may read the state.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ops.azure import az
from ops.cli import output
from ops.cli.steps import Step
from ops.config.environment import ROOT, Environment
from ops.errors import StalePlanError, UsageError
from ops.terraform import provider_lock
from ops.terraform.cli import Plan
from ops.terraform.workspace import Workspace

_ATTRIBUTES = ("actions", "before", "after", "after_unknown")


@dataclass(frozen=True)
class Saved:
    """What is known of a saved plan without opening it; `sha256` is the plan file's.

    `providers`: the versions that it was made with, by address; none where there was no lock file.
    """

    stage: int
    environment: str
    commit: str
    changes: bool
    summary: str
    actions: Mapping[str, str]
    drift: Mapping[str, str]
    sha256: str
    providers: Mapping[str, str] = field(default_factory=dict)


def save(space: Workspace, plan: Plan, folder: Path) -> Saved:
    """Write the plan, and what there is to know of it, to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = _sha256(plan.stage.plan_file)
    name = space.environment.name
    about = Saved(
        *(plan.stage.number, name, _commit(), plan.changes, plan.summary(), plan.actions, plan.drift, digest),
        provider_lock.versions(plan.stage.folder / provider_lock.LOCK),
    )
    if not _is_blob(space):
        _copy_private(plan.stage.plan_file, folder / f"stage{about.stage}.tfplan")
    else:
        az.run(*_blob(space.environment, "upload", digest), "--file", str(plan.stage.plan_file), "--overwrite", "true")
    if space.images_file.exists():
        shutil.copyfile(space.images_file, folder / "images.json")
    _about(folder, about.stage).write_text(json.dumps(asdict(about), indent=2) + "\n", encoding="utf-8")
    return about


def load(folder: Path, environment: Environment, stage: int) -> Saved:
    """Return what `save` wrote; UsageError where it is of something else than what is to be deployed."""
    path = _about(folder, stage)
    try:
        about = Saved(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        held = ", ".join(sorted(found.stem for found in folder.glob("stage?.json"))) or "no plan"
        raise UsageError(
            f"--plan {folder} holds {held}, not stage {stage}; make it with "
            f"`invoke plan --env {environment.name} --stage {stage} --out {folder}`"
        ) from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path} is not what `invoke plan --out` writes ({error}); make the plan again") from error
    if about.environment != environment.name:
        raise UsageError(f"--plan {folder} is a plan of {about.environment}; it is never applied to {environment.name}")
    if about.commit != _commit():
        raise UsageError(
            f"--plan {folder} was made from commit {about.commit or 'unknown'}, and this is {_commit() or 'unknown'}; "
            "deploy from the commit that was planned, or plan again"
        )
    return about


def stages(folder: Path) -> tuple[int, ...]:
    """Return the stages that `folder` holds a plan of, in order."""
    return tuple(number for number in (1, 2) if _about(folder, number).exists())


def place_images(space: Workspace, folder: Path) -> Step[None]:
    """Return the step that puts the plan's images.json in place, which Terraform reads again when it applies."""
    saved, target = folder / "images.json", space.images_file
    if not saved.exists():
        return Step(lambda: None, None)

    def act() -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(saved, target)

    return Step(act, None, (shlex.join(["cp", str(saved), str(target)]),))


def fetch(space: Workspace, about: Saved, folder: Path) -> Plan:
    """Fetch the plan itself, unchanged since it was saved, ready to be applied."""
    stage = space.stage(about.stage)
    file = stage.plan_file.with_name(f"stage{about.stage}-approved.tfplan")
    download = (*_blob(space.environment, "download", about.sha256), "--file", str(file)) if _is_blob(space) else ()

    def act() -> None:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if download:
            az.run(*download)
            file.chmod(0o600)
        else:
            _copy_private(folder / f"stage{about.stage}.tfplan", file)
        if _sha256(file) != about.sha256:
            raise StalePlanError(
                f"the plan of stage {about.stage} in {folder} is not the one that was saved: its SHA-256 differs; "
                "plan again, and look who could write there"
            )

    space.runner.run(Step(act, None, (az.command(*download),) if download else ()))
    return Plan(replace(stage, plan_file=file), about.actions, about.changes, about.drift)


def require_same_providers(space: Workspace, about: Saved) -> None:
    """Raise StalePlanError where the stage is initialised with other providers than the plan was made with.

    Another version may plan and do something else than what was approved; Terraform refuses such a plan too, but not
    the slots' own plans.
    """
    now = provider_lock.versions(space.stage(about.stage).folder / provider_lock.LOCK)
    differing = [
        f"{provider} {before} is now {now[provider]}"
        for provider, before in about.providers.items()
        if now.get(provider, before) != before
    ]
    if differing:
        raise StalePlanError(
            f"stage {about.stage} was planned with other providers ({', '.join(differing)}); nothing was changed: plan "
            "again, and have that approved, or commit .terraform.lock.hcl, so that versions stay"
        )


def require_fresh(space: Workspace, approved: Plan, now: Plan) -> None:
    """Raise StalePlanError where planning again gives something else than what was approved; show what differs.

    Terraform itself only refuses a plan whose state has changed since, not one whose real objects have.
    """
    before, after = (contents(space, plan) for plan in (approved, now))
    differing = sorted(address for address in before.keys() | after.keys() if before.get(address) != after.get(address))
    if not differing:
        return
    rows = [(address, _action(approved, address), _action(now, address)) for address in differing]
    output.table("changed since the plan was made", ("resource", "approved", "now"), rows)
    raise StalePlanError(
        f"{approved.stage.name} is not as it was when the plan was made: {differing[0]}"
        f"{f' and {len(differing) - 1} more' if len(differing) > 1 else ''} would now change in another way; nothing "
        "was changed: plan again, and have that approved"
    )


def require_within(space: Workspace, approved: Plan, part: Plan) -> None:
    """Raise StalePlanError where a slot's own plan would do what the approved one does not: other objects or values.

    What the approved plan could not know yet (an address that Azure gives) may have any value.
    """
    allowed, wanted = (contents(space, plan) for plan in (approved, part))
    strays = [address for address, change in wanted.items() if not _is_within(allowed.get(address), change)]
    if strays:
        raise StalePlanError(
            f"{strays[0]} would change in a way that was not approved; this slot and those after it were left alone: "
            "plan again, and have that approved"
        )


def contents(space: Workspace, plan: Plan) -> dict[str, dict[str, Any]]:
    """Return what a plan does to each address, values included; for comparison only, because it holds secrets."""
    shown = space.terraform.show(plan.stage, plan.stage.plan_file)
    changes = ((found["address"], found["change"]) for found in shown.get("resource_changes") or ())
    return {
        address: {name: change.get(name) for name in _ATTRIBUTES}
        for address, change in changes
        if change["actions"] not in (["no-op"], ["read"])
    }


def _is_within(allowed: Mapping[str, Any] | None, change: Mapping[str, Any]) -> bool:
    if not allowed or allowed["actions"] != change["actions"]:
        return False
    unknown = allowed["after_unknown"] or {}
    before, after = allowed["after"] or {}, change["after"] or {}
    return all(unknown.get(name) or before.get(name) == value for name, value in after.items())


def _action(plan: Plan, address: str) -> str:
    return plan.actions.get(address) or ("drifted" if address in plan.drift else "nothing")


def _about(folder: Path, stage: int) -> Path:
    return folder / f"stage{stage}.json"


def _is_blob(space: Workspace) -> bool:
    return not space.environment.is_local


def _blob(environment: Environment, verb: str, digest: str) -> tuple[str, ...]:
    container = (environment.need("STORAGE_ACCOUNT"), environment.need("CONTAINER_NAME"))
    where = ("--account-name", container[0], "--container-name", container[1], "--name", f"plans/{digest}.tfplan")
    return ("storage", "blob", verb, *where, "--auth-mode", "login", "--no-progress")


def _copy_private(source: Path, target: Path) -> None:
    target.touch(mode=0o600)
    shutil.copyfile(source, target)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _commit() -> str:
    answer = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else ""
