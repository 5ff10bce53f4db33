"""`python -m tests.policy.plans`: plan documents of the cases whose rule needs the whole of a plan, in results/.

Each `cases/<Class>/plan*.tf` is applied and planned again by real Terraform with the local provider, as
`ops.terraform.plan_json` does with the environments. A document's name carries a hash of everything that it is made
from, so that one which is there is right, and only what changed is made again. The session does this before its tests:
Checkov's environment, in which they run, has no provider.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "cases"
FOLDER = ROOT / "results" / "policy-cases"
PROVIDERS = """
provider "azurerm" {
  subscription_id = "00000000-0000-0000-0000-000000000000"
  features {}
}
"""
# A case that needs no ids says so, and may then hold what an apply would refuse.
PLANNED_ONLY = "# Planned only"
AT_A_TIME = 2


def cases() -> list[Path]:
    return sorted(CASES.glob("*/plan*.tf"))


def document(case: Path) -> Path:
    """Where the plan of a case is, once it is made."""
    made_from = hashlib.sha256(case.read_bytes() + _provider_hash()).hexdigest()
    return FOLDER / f"{case.parent.name}-{case.stem}-{made_from[:16]}.json"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = {case: document(case) for case in cases()}
    for stale in set(FOLDER.iterdir()) - set(wanted.values()):
        stale.unlink()
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(_make, [case for case, path in wanted.items() if not path.exists()]))


def _make(case: Path) -> None:
    """Writes the document of a case; a Terraform that refuses it ends the run with what Terraform says."""
    from emulators import azurerm
    from ops.terraform import binary as terraform_binary

    binary = str(terraform_binary.find().path)
    text = case.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="policy-plan-") as folder:
        home, root = Path(folder), Path(folder, "root")
        root.mkdir()
        (root / "main.tf").write_text(text + PROVIDERS, encoding="utf-8")
        (home / "terraform.rc").touch()
        # A cloud for each: cases use the same names.
        with azurerm.serve(azurerm.Store(home / "cloud.json")) as attached:
            env = {**os.environ, **attached.env, "TF_CLI_CONFIG_FILE": str(home / "terraform.rc")}
            for arguments in _commands(text):
                command = [binary, *arguments]
                done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise SystemExit(f"error: terraform {arguments[0]} of {case.relative_to(ROOT)}:\n{done.stderr}")
    partial = document(case).with_suffix(".partial")
    partial.write_text(done.stdout, encoding="utf-8")
    partial.rename(document(case))


def _commands(text: str) -> Iterator[list[str]]:
    yield ["init", "-input=false", "-no-color"]
    if not text.startswith(PLANNED_ONLY):
        yield ["apply", "-input=false", "-no-color", "-auto-approve"]
    yield ["plan", "-input=false", "-no-color", "-out=plan.out"]
    yield ["show", "-json", "plan.out"]


@cache
def _provider_hash() -> bytes:
    """Of the local provider and of this file: a plan is as they make it."""
    folders = [ROOT / "emulators" / name for name in ("azurerm", "base")]
    files = [path for folder in folders for path in folder.rglob("*") if _makes_plans(path)]
    parts = [path.read_bytes() for path in sorted([*files, Path(__file__)])]
    return hashlib.sha256(b"".join(parts)).digest()


def _makes_plans(path: Path) -> bool:
    return path.is_file() and path.suffix in (".py", ".json", ".yaml", ".xz") and "tests" not in path.parts


if __name__ == "__main__":
    main()
