"""Where Terraform runs for an environment.

On Azure: in `terraform/stage1` and `terraform/stage2`, as the documentation says. Locally: in a copy under the twin's
home, whose override file keeps the state there, so that no checkout ever holds a state file or a changed lock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from emulators.base.errors import StateError
from emulators.base.files import read_json, read_object
from emulators.base.state import Resource, State
from ops.azure import az
from ops.cli.steps import Runner
from ops.config.environment import Environment
from ops.errors import SettingError
from ops.terraform import active_key, binary
from ops.terraform.binary import Binary
from ops.terraform.cli import Stage, Terraform

if TYPE_CHECKING:
    from emulators.azurerm import Store

# Made here or by Terraform: not the source's, so the copy keeps them.
_OURS = ("backend_override.tf", "images.json", ".terraform.lock.hcl")
_TERRAFORMS = (".terraform", "terraform.tfstate", ".terraform.tfstate.lock.info", "crash.log")
_SECRET, _VAULT = "azurerm_key_vault_secret", "key_vault_id"
_SECRET_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")  # Key Vault: "Object identifiers"
# A person's own variables must not change what the local platform is made of.
_STRAY = ("TF_WORKSPACE", "TF_DATA_DIR", "TF_CLI_ARGS", "TF_CLI_ARGS_plan", "TF_CLI_ARGS_apply", "TF_CLI_ARGS_init")


@dataclass(frozen=True)
class Workspace:
    """Terraform with its two stages; `home` holds plans, logs and (locally) the copy and its state."""

    environment: Environment
    home: Path
    terraform: Terraform
    root: Path
    variables: Mapping[str, str]
    runner: Runner = field(default_factory=Runner)

    def stage(self, number: int) -> Stage:
        return Stage(
            number=number,
            folder=self.root / f"stage{number}",
            var_file=self.root / "environments" / self.environment.name / "terraform.tfvars",
            plan_file=self.home / "plans" / f"stage{number}.tfplan",
            log=self.home / "logs" / f"terraform-stage{number}.log",
            # Addresses of gateway and issuer: only stage 2 makes something of them where the gateway is public.
            variables=self.variables if number == 2 else {},
            backend=self._backend(number),
            source=None if self.root == self.environment.terraform_dir else self.environment.terraform_dir,
        )

    @property
    def stages(self) -> tuple[Stage, Stage]:
        return self.stage(1), self.stage(2)

    @property
    def images_file(self) -> Path:
        return self.root / "environments" / self.environment.name / "images.json"

    def _backend(self, number: int) -> dict[str, str]:
        if self.root != self.environment.terraform_dir:
            return {}  # the copy's override file says it
        return {
            "storage_account_name": self.environment.need("STORAGE_ACCOUNT"),
            "resource_group_name": self.environment.need("RESOURCE_GROUP"),
            "container_name": self.environment.need("CONTAINER_NAME"),
            "key": f"stage{number}.tfstate",
        }


def locate(
    environment: Environment,
    variables: Mapping[str, str],
    home: Path | None = None,
    runner: Runner | None = None,
) -> Workspace:
    """Return where Terraform runs, without touching anything."""
    where = home or environment.home
    root = where / "terraform" if environment.is_local or home else environment.terraform_dir
    runs = runner or Runner()
    return Workspace(environment, where, Terraform(Path("terraform"), runner=runs), root, variables, runs)


@contextmanager
def opened(
    environment: Environment,
    variables: Mapping[str, str],
    *,
    home: Path | None = None,
    runner: Runner | None = None,
    terraform: Binary | None = None,
) -> Iterator[Workspace]:
    """Make the workspace ready: with a twin (or a `home` of its own) a copy, attached to the stand-in provider.

    For a dry run nothing is made or found. `terraform` saves looking for the binary.
    """
    space = locate(environment, variables, home, runner)
    if space.runner.dry_run:
        yield space
        return
    on_azure = space.root == environment.terraform_dir
    if on_azure:
        az.require()
    program = (terraform or binary.find()).path
    if on_azure:
        yield replace(space, terraform=Terraform(program, runner=space.runner))
        return
    made = _holds_anything(space)
    for stage in space.stages:
        _require_whole(stage.number, space.home, made=made)
    copy(environment.terraform_dir, space.root)
    active_key.place(space.home, space.stage(2).var_file)
    with _provider(space) as provider_env:
        env = {**provider_env, "TF_CLI_CONFIG_FILE": str(_empty_config(space.home)), **dict.fromkeys(_STRAY, "")}
        yield replace(space, terraform=Terraform(program, env, space.runner))


def _require_whole(number: int, home: Path, *, made: bool) -> None:
    """Raise StateError for a damaged local state: to Terraform an empty file is an environment without resources.

    It would then create each one, and the cloud would ask to import what is there already. Where nothing was `made`,
    an empty file is what it says: Terraform creates one to lock it, and one that was killed leaves it.
    """
    path = home / "state" / f"stage{number}.tfstate"
    if path.exists() and not made and not path.stat().st_size:
        return
    if path.exists() and "lineage" not in read_object(path):
        raise StateError(
            f"{path} is empty or damaged, so Terraform has forgotten what it made; run `invoke destroy`, which removes "
            "all of it, then `invoke deploy`"
        )


def _holds_anything(space: Workspace) -> bool:
    """Return whether the stand-in cloud holds an object that Terraform made."""
    from emulators import azurerm

    store = azurerm.Store(space.home / "cloud.json")
    return any(
        _VAULT in found or type_ != _SECRET
        for type_ in store.types()
        if type_ != "azurerm_resource_group"  # seeded
        for found in store.of_type(type_)
    )


def copy(source: Path, target: Path) -> None:
    """Make `target` equal to `source`; unchanged files keep their place, Terraform's own and ours stay."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    wanted = {
        path.relative_to(source): path for path in source.rglob("*") if path.is_file() and not _is_made(path, source)
    }
    for relative, path in wanted.items():
        _place(path, target / relative)
    for path in [found for found in target.rglob("*") if found.is_file() and not _is_made(found, target)]:
        if path.relative_to(target) not in wanted and path.name not in _OURS:
            path.unlink()
    for number in (1, 2):
        _write(target / f"stage{number}" / "backend_override.tf", _override(number))


def _is_made(path: Path, root: Path) -> bool:
    parts = path.relative_to(root).parts
    return any(part in _TERRAFORMS for part in parts) or path.name.endswith((".tfstate", ".tfstate.backup", ".tfplan"))


def _place(source: Path, target: Path) -> None:
    content = source.read_bytes()
    if not target.exists() or target.read_bytes() != content:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _override(number: int) -> str:
    return f'terraform {{\n  backend "local" {{\n    path = "../../state/stage{number}.tfstate"\n  }}\n}}\n'


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _empty_config(home: Path) -> Path:
    """Write a CLI configuration without mirrors or overrides: the attached provider needs none of a person's own."""
    path = home / "terraform.rc"
    _write(path, "")
    (home / "state").mkdir(exist_ok=True, mode=0o700)
    return path


@contextmanager
def _provider(workspace: Workspace) -> Iterator[Mapping[str, str]]:
    from emulators import azurerm

    home = workspace.home
    store = azurerm.Store(home / "cloud.json")
    _seed(store, workspace.environment)
    with azurerm.serve(store, types=lambda: azurerm.types_used(workspace.root, home / "state")) as attached:
        yield attached.env


def _seed(store: Store, environment: Environment) -> None:
    """Put in what `invoke bootstrap` makes outside Terraform: the resource group."""
    from emulators import azurerm

    group = {"name": environment.need("RESOURCE_GROUP"), "location": environment.need("LOCATION")}
    azurerm.seed(store, "azurerm_resource_group", group, subscription_id=environment.need("SUBSCRIPTION_ID"))
    secrets = local_secrets(environment)
    for found in store.of_type(_SECRET):
        if _VAULT not in found and found["name"] not in secrets:
            store.remove(_SECRET, found["id"])
    for name, value in secrets.items():  # of no vault yet: the one that stage 1 makes will do
        store.put(_SECRET, {"id": f"/secrets/{name}", "name": name, "value": value})


def with_local_secrets(state: State, environment: Environment) -> State:
    """Return the state with what a person put into the local vault: the gateway reads its credentials there.

    Terraform never sees these values, as it names the secrets and does not read them.
    """
    vaults = state.of_type("azurerm_key_vault")
    if len(vaults) != 1:
        return state
    held = {str(secret.get("name")) for secret in state.of_type(_SECRET)}
    found = [
        Resource(
            f"local-secrets.{name}",
            _SECRET,
            {
                "name": name,
                "key_vault_id": vaults[0]["id"],
                "versionless_id": f"{vaults[0]['vault_uri']}secrets/{name}",
                "value": value,
            },
        )
        for name, value in local_secrets(environment).items()
        if name not in held
    ]
    return State((*state.resources, *found))


def local_secrets(environment: Environment) -> Mapping[str, str]:
    """Return what a person put into the local vault, by name, from a file that only its owner may read.

    It lies beside the home, which `destroy` deletes. SettingError for a file that is no object of strings.
    """
    path = environment.home.with_name(f"{environment.home.name}-secrets.json")
    if not path.exists():
        return {}
    path.chmod(0o600)
    found = read_json(path)
    if not isinstance(found, dict) or not all(
        _SECRET_NAME.fullmatch(name) and isinstance(value, str) and value for name, value in found.items()
    ):
        raise SettingError(
            f"{path} must be a JSON object of the local vault's secrets, each a name of 1–127 letters, digits and "
            'hyphens and a text that is not empty: {"shop-key": "…"}'
        )
    return found
