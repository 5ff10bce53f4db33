"""What a changed value would do to a deployment, as `terraform plan -json` announces it.

A case of changes/*.yaml names the stage, the values that change (`set` and `remove`, by path), and what happens then:
`changes` by address, or `types` counted, where nearly everything changes. `refused by` are the guards that stop it,
`refused` is how the sentence begins that refuses it, and `changes` what it would do without them. What neither refuses
is applied, and taken back; `back refused` is for a way back that is refused. `destroys data` is written by people only.
"""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ops.config import tfvars
from tests.plan.bench import Bench
from tests.plan.inventory import resources

# What cannot be made again by applying: documents, secrets of people, images, keys, logs.
DATA = {
    "azurerm_application_insights",
    "azurerm_container_registry",
    "azurerm_cosmosdb_account",
    "azurerm_cosmosdb_mongo_collection",
    "azurerm_cosmosdb_mongo_database",
    "azurerm_key_vault",
    "azurerm_key_vault_key",
    "azurerm_log_analytics_workspace",
    "azurerm_mongo_cluster",
    "azurerm_storage_account",
    "azurerm_storage_container",
}
_ENDS = ("replace", "delete")
_GUARDED = re.compile(r"Resource (\S+) has lifecycle\.prevent_destroy set")


CHANGES = Path(__file__).parent / "changes"
FILES: Mapping[Path, dict[str, Any]] = {
    path: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(CHANGES.glob("*.yaml"))
}
CASES = [(path, name) for path, cases in FILES.items() for name in cases]
IDS = [f"{path.stem}: {name}" for path, name in CASES]


@dataclass
class Change:
    """Addresses by action (create, update, replace, delete, move), and the guards that forbid it."""

    actions: dict[str, list[str]] = field(default_factory=dict)
    types: dict[str, Counter[str]] = field(default_factory=dict)
    destroyed_data: list[str] = field(default_factory=list)
    guards: list[str] = field(default_factory=list)

    def as_case(self, case: Mapping[str, Any]) -> dict[str, Any]:
        """The expectations that this case has, with what the plan says now."""
        found = {"refused by": sorted(self.guards)} if self.guards else {}
        if "types" in case:
            return {**found, "types": {action: dict(sorted(n.items())) for action, n in sorted(self.types.items())}}
        return {**found, "changes": {action: sorted(addresses) for action, addresses in sorted(self.actions.items())}}


def on_prod(bench: Bench, case: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Production's values with what every case finds there, and with what this case changes."""
    return values(bench, bench.tfvars("prod"), CHANGES / "base.tfvars", case=case)


def values(bench: Bench, *files: Path, case: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The values of these files, later ones winning as in Terraform, with what the case sets and removes."""
    merged: dict[str, Any] = {}
    for file in files:
        merged |= tfvars.read(file)
    return changed(merged, case or {})


def changed(values: Mapping[str, Any], case: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the values with what the case sets and removes."""
    found = copy.deepcopy(dict(values))
    for path in case.get("remove", []):
        holder, last = _holder(found, path)
        del holder[last]
    for path, value in case.get("set", {}).items():
        holder, last = _holder(found, path)
        holder[last] = value
    return found


def _holder(holder: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *parents, last = path.split("/")
    for name in parents:
        holder = holder.setdefault(name, {})
    return holder, last


def apply(bench: Bench, stage: int, given: Mapping[str, Any]) -> None:
    """Makes these values what is deployed."""
    done = _run(bench, stage, given, "init", "-no-color")
    assert done.returncode == 0, done.stderr
    done = _run(bench, stage, given, "apply", "-auto-approve", "-no-color")
    assert done.returncode == 0, done.stderr


def left(bench: Bench, stage: int, given: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a plan would still change; it looks at the cloud first, as the next plan in life does."""
    return _planned(bench, stage, given, "-refresh=true").actions


def attempt(bench: Bench, stage: int, given: Mapping[str, Any], *options: str, refresh: bool = True) -> str:
    """What Terraform says where it refuses to apply this; empty where it is applied.

    `refresh`: whether it looks at the cloud first, where nobody has since.
    """
    looks = [] if refresh else ["-refresh=false"]
    done = _run(bench, stage, given, "apply", "-auto-approve", "-no-color", *looks, *options)
    return "" if done.returncode == 0 else " ".join(re.sub(r"[│╷╵]", " ", done.stderr).split())


def force(bench: Bench, stage: int, given: Mapping[str, Any]) -> None:
    """As `apply`, with guards and preconditions put aside: for what the next stage's plan needs."""
    with _unguarded(bench):
        apply(bench, stage, given)


def plan(bench: Bench, stage: int, given: Mapping[str, Any]) -> Change:
    """Plans against the applied state, without asking the cloud again: nobody else touches it.

    Guards and preconditions are put aside, so that it is seen what they would stop; guards that would have are named.
    """
    with _unguarded(bench):
        change = _planned(bench, stage, given)
    ending = [address for action in _ENDS for address in change.actions.get(action, [])]
    change.guards = [address for address in ending if ".terraform_data.keep[" in address]
    return change


def refusals(bench: Bench, stage: int, given: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The guards that refuse this, as Terraform names them, and the sentences of preconditions that do."""
    guards, sentences = [], []
    for message in _announced(bench, stage, given, "-refresh=false"):
        if message["type"] == "diagnostic" and message["diagnostic"]["severity"] == "error":
            detail = message["diagnostic"].get("detail", "")
            found = _GUARDED.findall(detail)
            guards += found
            sentences += [] if found else [detail]
    return sorted(guards), sentences


_PRECONDITION = re.compile(r"\n +precondition \{\n.*?\n( {4}|  )\}(?=\n)", re.DOTALL)


@contextmanager
def _unguarded(bench: Bench) -> Iterator[None]:
    home = bench.stage(1).parent
    made = (
        *home.glob("stage*/as-made.tf"),
        *home.glob("stage*/databases.tf"),
        home / "modules/cosmosdb-mongodb/databases.tf",
    )
    paths = (*home.glob("modules/*/protection.tf"), *made)
    files = {path: path.read_text(encoding="utf-8") for path in paths}
    for path, text in files.items():
        open_ = text.replace("prevent_destroy = true", "prevent_destroy = false")
        path.write_text(_PRECONDITION.sub("", open_), encoding="utf-8")
    try:
        yield
    finally:
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")


def _planned(bench: Bench, stage: int, given: Mapping[str, Any], refresh: str = "-refresh=false") -> Change:
    change, others = Change(), []
    for message in _announced(bench, stage, given, refresh):
        if message["type"] == "diagnostic" and message["diagnostic"]["severity"] == "error":
            guards = _GUARDED.findall(message["diagnostic"].get("detail", ""))
            change.guards += guards
            others += [] if guards else [message["diagnostic"]]
        if message["type"] == "planned_change" and message["change"]["action"] not in ("noop", "read"):
            _add(change, message["change"])
    assert not others, f"Terraform refuses to plan this: {others}"
    return change


def _add(change: Change, planned: Mapping[str, Any]) -> None:
    action, address, type_ = planned["action"], planned["resource"]["addr"], planned["resource"]["resource_type"]
    change.actions.setdefault(action, []).append(address)
    change.types.setdefault(action, Counter())[type_] += 1
    if action in _ENDS and type_ in DATA:
        change.destroyed_data = sorted([*change.destroyed_data, address])


def _announced(bench: Bench, stage: int, given: Mapping[str, Any], refresh: str) -> Iterator[dict[str, Any]]:
    done = _run(bench, stage, given, "plan", "-json", "-lock=false", refresh)
    return (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))


def _run(
    bench: Bench, stage: int, given: Mapping[str, Any], command: str, *options: str
) -> subprocess.CompletedProcess[str]:
    var_file = bench.home / "changed.tfvars.json"
    var_file.write_text(json.dumps(given), encoding="utf-8")
    variables = [] if command == "init" else [f"-var-file={var_file}"]
    return subprocess.run(
        [bench.binary, command, "-input=false", *options, *variables],
        cwd=bench.stage(stage),
        env={**os.environ, **bench.env},
        capture_output=True,
        text=True,
        check=False,
    )


_MOVED = re.compile(r"^moved \{\n  from = (\S+)\n  to   = (\S+)\n\}", re.MULTILINE)


def moves(modules: Path, state: Mapping[str, Any]) -> dict[str, str]:
    """Addresses before and after, for what a `moved` block of a module or of stage 2 has renamed in this state."""
    blocks = [pair for path in modules.glob("*/moved.tf") for pair in _MOVED.findall(path.read_text(encoding="utf-8"))]
    addresses = resources(state)
    found = {
        address.removesuffix(new) + old: address
        for old, new in blocks
        for address in addresses
        if address.endswith(f".{new}")
    }
    assert len({new for _, new in blocks}) <= len(found), "a `moved` block moves nothing that production has"
    of_stage = _MOVED.findall((modules.parent / "stage2" / "moved.tf").read_text(encoding="utf-8"))
    for old, new in of_stage:
        inside = {
            old + address.removeprefix(new): address
            for address in addresses
            if address == new or address.startswith(f"{new}.")
        }
        assert inside, f"{new} is nothing that production has"
        found |= inside
    return found


def rename(bench: Bench, stage: int, addresses: Mapping[str, str]) -> None:
    """`terraform state mv`: the state as it was before the code's addresses changed."""
    for old, new in addresses.items():
        done = subprocess.run(
            [bench.binary, "state", "mv", old, new],
            cwd=bench.stage(stage),
            env={**os.environ, **bench.env},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """One line for each action, address or number that is not as the case says."""
    for name in sorted(wanted.keys() | found.keys()):
        one, other, where = wanted.get(name), found.get(name), f"{path} › {name}" if path else name
        if isinstance(one, dict | None) and isinstance(other, dict | None):
            yield from differences(one or {}, other or {}, where)
        elif isinstance(one, list | None) and isinstance(other, list | None):
            yield from (
                f"{where}: {address} is no longer there" for address in one or [] if address not in (other or [])
            )
            yield from (f"{where}: {address} is new" for address in other or [] if address not in (one or []))
        elif one != other:
            yield f"{where}: wanted {one!r}, planned {other!r}"


def rewrite(file: Path, name: str, found: Mapping[str, Any]) -> None:
    """Writes what the plan says now into one case; `destroys data` stays as people wrote it."""
    cases = yaml.safe_load(file.read_text(encoding="utf-8"))
    kept = {key: value for key, value in cases[name].items() if key not in ("changes", "types", "refused by")}
    cases[name] = {**kept, **found}
    text = yaml.safe_dump(cases, sort_keys=False, width=120, allow_unicode=True)
    file.write_text(text, encoding="utf-8")


class Snapshot:
    """Cloud and state of a bench, to come back to."""

    def __init__(self, bench: Bench) -> None:
        self._home = bench.home
        self._kept = {
            path: path.read_bytes() for path in (bench.home / "cloud.json", *(bench.home / "state").iterdir())
        }

    @property
    def cloud(self) -> bytes:
        return self._kept[self._home / "cloud.json"]

    def restore(self) -> None:
        for path in (self._home / "state").iterdir():
            path.unlink()
        for path, content in self._kept.items():
            partial = path.with_suffix(".restored")
            partial.write_bytes(content)
            partial.chmod(0o600)
            partial.replace(path)
