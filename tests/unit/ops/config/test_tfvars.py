from __future__ import annotations

from pathlib import Path

import pytest

from ops.config import tfvars
from ops.config.environment import ROOT
from ops.errors import SettingError

ENVIRONMENTS = ROOT / "terraform" / "environments"


def test_reads_plain_values(tmp_path: Path) -> None:
    """Strings, numbers, lists, objects and null come out as Python has them."""
    path = tmp_path / "terraform.tfvars"
    path.write_text('# why\na = "x"\nb = [1, true, null]\nc = { d = { "e f" = "g" } }', encoding="utf-8")
    assert tfvars.read(path) == {"a": "x", "b": [1, True, None], "c": {"d": {"e f": "g"}}}


@pytest.mark.parametrize(
    ("text", "line"), [("a = 1\nb == 2\n", 2), ("a = {\n  b = \n", 2), ('a = "x\n', 1), ("a = 1\n}\n", 2)]
)
def test_corrupt(tmp_path: Path, text: str, line: int) -> None:
    """Text that is not HCL is refused with its file and line, in one sentence."""
    path = tmp_path / "terraform.tfvars"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingError, match="is not valid HCL") as caught:
        tfvars.read(path)
    assert str(caught.value).startswith(f"{path}:{line} ")
    assert "\n" not in str(caught.value)


def test_binary_junk(tmp_path: Path) -> None:
    """Bytes that are no text are refused too."""
    path = tmp_path / "terraform.tfvars"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingError, match="cannot be read"):
        tfvars.read(path)


@pytest.mark.parametrize(
    ("name", "remedy"), [("deployer_acess", r"did you mean deployer_access\?"), ("foo", "lists the variables")]
)
def test_a_name_that_no_variable_has_is_refused(tmp_path: Path, name: str, remedy: str) -> None:
    """Terraform would warn, which the tasks do not show, and go on with the default."""
    (tmp_path / "variables.tf").write_text('variable "deployer_access" {\n}\n', encoding="utf-8")
    tfvars.require_declared(tmp_path / "x.tfvars", {"deployer_access": "public"}, tmp_path)
    with pytest.raises(SettingError, match=rf"{name} in .*x.tfvars is no variable of this platform; .*{remedy}"):
        tfvars.require_declared(tmp_path / "x.tfvars", {name: "public"}, tmp_path)


@pytest.mark.parametrize("environment", sorted(path.parent.name for path in ENVIRONMENTS.glob("*/terraform.tfvars")))
def test_the_shipped_files_hold_variables_only(environment: str) -> None:
    """And the check finds the variables where the platform has them."""
    path = ENVIRONMENTS / environment / "terraform.tfvars"
    stage = ENVIRONMENTS.parent / "stage2"
    tfvars.require_declared(path, tfvars.read(path), stage)
    with pytest.raises(SettingError, match="did you mean monitoring"):
        tfvars.require_declared(path, {"monitorring": {}}, stage)


def test_entries_keep_their_order(tmp_path: Path) -> None:
    """Read for the first time, and again: the first entry of mcp_servers is the endpoint."""
    path = tmp_path / "terraform.tfvars"
    path.write_text("mcp_servers = {\n  zebra = { port = 1 }\n  ant = { port = 2 }\n}\n", encoding="utf-8")
    for _ in range(2):
        assert list(tfvars.read(path, tmp_path / "cache")["mcp_servers"]) == ["zebra", "ant"]


@pytest.mark.parametrize(
    "second", ['  "Payroll.Read" = { groups = ["payroll"] }', "  Mcp = {\n    reads = 1\n    reads = 2\n  }"]
)
def test_a_name_that_stands_twice_is_refused(tmp_path: Path, second: str) -> None:
    """Terraform takes the last one without a word, and who holds a role is not for that to decide."""
    path = tmp_path / "terraform.tfvars"
    path.write_text(f'roles = {{\n  "Payroll.Read" = {{ groups = ["admin"] }}\n{second}\n}}\n', encoding="utf-8")
    with pytest.raises(
        SettingError, match=r"terraform\.tfvars:\d has (Payroll\.Read|reads) a second time, after line \d;"
    ):
        tfvars.read(path, tmp_path)


def test_what_is_written_is_aligned() -> None:
    """Arguments that follow each other are; one whose value goes on, a comment or another depth ends that."""
    written = 'a = {\n  x = 1\n  long = { y = [2] }\n  z = {\n    k = 1\n  }\n  # why\n  n = "= 3"\n  mm = f(4)\n}\n'
    assert tfvars.aligned(written) == (
        'a = {\n  x    = 1\n  long = { y = [2] }\n  z = {\n    k = 1\n  }\n  # why\n  n  = "= 3"\n  mm = f(4)\n}\n'
    )
    assert tfvars.aligned(tfvars.aligned(written)) == tfvars.aligned(written)
