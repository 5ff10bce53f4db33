"""Roots of roots/, applied by pytest-terraform to the stand-in provider.

pytest-terraform runs Terraform with the environment that pytest has, so the provider is attached there. It writes what
it recorded (`tf_resources.json`, with every secret in it) beside the root: therefore roots are used from a copy, and
nothing is replayed. Its own reading of the state keeps one resource of each type and name, and all of ours are called
"this": `applied` reads `terraform show` instead. Roots have the scope of a test: a wider one is shared between the
workers of pytest-xdist, each with a cloud of its own, and pytest-terraform 0.7 breaks where a second worker asks
for it (`TerraformTestApi.load` does not exist).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_terraform import tf

from tests.plan.bench import Bench
from tests.plan.inventory import resources

ROOTS = Path(__file__).parent / "roots"


@dataclass(frozen=True)
class Applied:
    """`resources` are attributes by address, `secret` what is marked sensitive of them, `outputs` by name."""

    resources: dict[str, dict[str, Any]]
    secret: dict[str, dict[str, Any]]
    outputs: dict[str, Any]
    secret_outputs: set[str]


def applied(root: tf.TerraformTestApi) -> Applied:
    shown = root.terraform.show()
    outputs = shown["values"].get("outputs", {})
    return Applied(
        resources(shown),
        dict(_sensitive(shown["values"]["root_module"])),
        {name: output["value"] for name, output in outputs.items()},
        {name for name, output in outputs.items() if output["sensitive"]},
    )


def _sensitive(module: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in module.get("resources", []):
        yield resource["address"], resource["sensitive_values"]
    for child in module.get("child_modules", []):
        yield from _sensitive(child)


@contextmanager
def attached(bench: Bench) -> Iterator[None]:
    """For the time of the block: pytest-terraform finds the copied roots, and Terraform the stand-in provider."""
    copied = bench.home / "tests" / "plan" / "roots"  # so that ../../../../terraform is the bench's
    shutil.copytree(ROOTS, copied)
    kept = {name: os.environ.get(name) for name in bench.env}
    was = tf.LazyModuleDir.value, tf.LazyTfBin.value
    os.environ.update(bench.env)
    tf.LazyModuleDir.value, tf.LazyTfBin.value = str(copied), bench.binary
    try:
        yield
    finally:
        tf.LazyModuleDir.value, tf.LazyTfBin.value = was
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def cloud(bench: Bench) -> set[str]:
    """Ids of everything that there is in the stand-in cloud; what is soft-deleted can be had back, and is not there."""
    objects = json.loads((bench.home / "cloud.json").read_text(encoding="utf-8"))["objects"]
    return {id_ for type_, held in objects.items() if type_.startswith(("azurerm_", "azuread_")) for id_ in held}
