"""What other teams put into their pipelines: the script of the action and of the template, and the example it runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

HOME = Path(__file__).parents[1]
EXAMPLES = HOME / "examples"


def script(folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """In a folder of a stranger's, with a package `emulators` that is none of ours."""
    (folder / "emulators").mkdir()
    (folder / "emulators" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    command = ["bash", str(HOME / "ci" / "policies.sh")]
    environment = {**os.environ, "POLICY_PYTHON": sys.executable, **given}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash runs the script, and this machine has none")
def test_the_script_checks_and_tests(tmp_path: Path) -> None:
    """Findings and results are written even where the check failed, and its exit status is the worse one."""
    shutil.copytree(EXAMPLES, tmp_path / "my policies")
    (tmp_path / "bad.xml").write_text("<policies><inbound><nonsense/></inbound></policies>")
    found = script(tmp_path, POLICY_PATHS="my policies\n  bad.xml \n\n", POLICY_TESTS="my policies")
    assert (found.returncode, found.stderr) == (1, "")
    assert "6 cases: 6 passed, 0 failed" in found.stdout
    log = json.loads((tmp_path / "policies.sarif").read_text())
    assert [one["properties"]["name"] for one in log["runs"][0]["results"]] == ["nonsense"]
    assert 'tests="6" failures="0"' in (tmp_path / "policy-tests.xml").read_text()


def test_action_and_template_say_the_same_to_the_script() -> None:
    """Every setting of the script is set by both, and none that it does not read."""
    text = (HOME / "ci" / "policies.sh").read_text(encoding="utf-8")
    read = set(re.findall(r"\$\{(POLICY_\w+)", text)) - {"POLICY_PYTHON"}
    action: Any = yaml.safe_load((HOME / "action.yml").read_text(encoding="utf-8"))
    template: Any = yaml.safe_load((HOME / "ci" / "azure-pipelines.yml").read_text(encoding="utf-8"))
    (step,) = (one for one in action["runs"]["steps"] if "run" in one)
    (bash,) = (one for one in template["steps"] if "bash" in one)
    assert (set(step["env"]), set(bash["env"]) - {"POLICY_EMULATOR"}) == (read, read)
    assert f'bash "$GITHUB_ACTION_PATH/{(HOME / "ci" / "policies.sh").relative_to(HOME).as_posix()}"' == step["run"]
