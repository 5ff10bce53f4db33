"""`python -m tests.policy.plans [CLASS…]`: plans of the cases whose rule needs the whole of a plan.

Each `cases/<Class>/<name>.tf` beside a `<name>.json` (or of a class that is named) is applied and planned again by
real Terraform with the stand-in provider; the document keeps what Checkov reads. `made_from` says of which text it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emulators import azurerm
from ops.terraform import binary as terraform_binary

CASES = Path(__file__).parent / "cases"
PROVIDERS = """
provider "azurerm" {
  subscription_id = "00000000-0000-0000-0000-000000000000"
  features {}
}
"""
# A case that needs no ids says so, and may then hold what an apply would refuse.
PLANNED_ONLY = "# Planned only"
# The stand-in's keys are new each time; these words take their place wherever they appear.
KEYS = ("primary_key", "secondary_key", "primary_readonly_key", "secondary_readonly_key")


def main(classes: list[str]) -> None:
    chosen = [CASES / name for name in classes] or sorted({path.parent for path in CASES.glob("*/*.json")})
    with tempfile.TemporaryDirectory(prefix="policy-plans-") as folder:
        home = Path(folder)
        (home / "terraform.rc").touch()
        with azurerm.serve(azurerm.Store(home / "cloud.json")) as attached:
            env = {**os.environ, **attached.env, "TF_CLI_CONFIG_FILE": str(home / "terraform.rc")}
            for case in [path for chosen_folder in chosen for path in sorted(chosen_folder.glob("*.tf"))]:
                root = home / case.parent.name / case.stem
                document = _planned(root, case.read_text(encoding="utf-8"), env)
                case.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _planned(root: Path, text: str, env: Mapping[str, str]) -> dict[str, Any]:
    root.mkdir(parents=True)
    (root / "main.tf").write_text(text + PROVIDERS, encoding="utf-8")
    binary = str(terraform_binary.find().path)

    def terraform(*arguments: str) -> str:
        done = subprocess.run(
            [binary, *arguments], cwd=root, env=dict(env), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"terraform {arguments[0]} of {root.parent.name}/{root.name} failed:\n{done.stderr}")
        return done.stdout

    terraform("init", "-input=false", "-no-color")
    if not text.startswith(PLANNED_ONLY):
        terraform("apply", "-input=false", "-no-color", "-auto-approve")
    terraform("plan", "-input=false", "-no-color", "-out=plan.out")
    shown = json.loads(terraform("show", "-json", "plan.out"))
    return {"made_from": fingerprint(text), **_needed(shown)}


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _needed(shown: Mapping[str, Any]) -> dict[str, Any]:
    changes = [
        {"address": change["address"], "change": {"actions": change["change"]["actions"], "before": {}, "after": {}}}
        for change in shown["resource_changes"]
    ]
    module = {"resources": [_readable(resource) for resource in shown["planned_values"]["root_module"]["resources"]]}
    document = {
        "format_version": shown["format_version"],
        "terraform_version": shown["terraform_version"],
        "variables": shown.get("variables", {}),
        "planned_values": {"root_module": module},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": []}},
    }
    text = json.dumps(document)
    for name, key, value in _keys(module["resources"]):
        text = text.replace(value, f"{key}-of-{name}")
    readable: dict[str, Any] = json.loads(text)
    return readable


def _readable(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Without what the provider left empty: nobody configured it, and no rule looks at it."""
    values = {name: value for name, value in resource["values"].items() if value not in (None, [], {}, "")}
    return {**{name: resource[name] for name in ("address", "mode", "type", "name")}, "values": values}


def _keys(resources: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    for resource in resources:
        for key in KEYS:
            if resource["values"].get(key):
                yield resource["name"], key, resource["values"][key]


if __name__ == "__main__":
    main(sys.argv[1:])
