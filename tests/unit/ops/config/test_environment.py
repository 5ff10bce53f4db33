from __future__ import annotations

from pathlib import Path

import pytest

from ops.config import environment
from ops.errors import SettingError, UsageError
from tests.unit.ops.conftest import Make


def test_unknown_lists_the_known(make: Make) -> None:
    """An environment that does not exist is refused with those that do."""
    with pytest.raises(UsageError, match=r"environment 'qa' does not exist; .* holds: dev, local") as caught:
        make("qa")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["..", "../environments/dev", ""])
def test_a_path_is_no_name(make: Make, name: str) -> None:
    """Nothing but a folder's own name is an environment."""
    with pytest.raises(UsageError):
        make(name)


def test_a_local_issuer_makes_it_local(make: Make) -> None:
    """Where the issuer is this machine, the twin stands in for Azure."""
    assert make("local").is_local
    assert not make("dev").is_local


def test_home_can_be_elsewhere(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TWIN_HOME moves every generated file; without it they are below .twin/<env>."""
    assert make().home == tmp_path / "home"
    monkeypatch.delenv("TWIN_HOME")
    assert make().home == environment.ROOT / ".twin" / "local"


def test_terraform_dir_must_hold_stages(tmp_path: Path) -> None:
    """A TERRAFORM_DIR without stages is refused by name."""
    with pytest.raises(SettingError, match="TERRAFORM_DIR"):
        environment.load("local", {"TERRAFORM_DIR": str(tmp_path)})
