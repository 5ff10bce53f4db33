from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from emulators.base.store import Store
from ops.cli.steps import Runner
from ops.errors import TerraformError
from ops.rollout import destroy
from ops.terraform import workspace
from tests.unit.ops.conftest import Make


def test_nothing_deployed(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """Destroying twice, or too early, is fine and makes no file."""
    destroy.destroy(make(), Runner())
    assert "nothing to destroy" in capsys.readouterr().err
    assert not make().home.exists()


def test_broken_terraform_does_not_keep_files(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Locally everything goes even if Terraform cannot plan any more, and the reason is told."""

    @contextmanager
    def refuses(*_: object, **__: object) -> Iterator[workspace.Workspace]:
        raise TerraformError("main.tf is broken", log=home)
        yield

    home = make().home
    (home / "state").mkdir(parents=True)
    monkeypatch.setattr(destroy.workspace, "opened", refuses)
    destroy.destroy(make(), Runner())
    assert "main.tf is broken; everything is deleted all the same" in capsys.readouterr().err
    assert not home.exists()


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_a_damaged_state_hinders_nobody(make: Make, stage: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The way out of an empty state leads through `destroy`, so it must work with one."""
    home = make().home
    (home / "state").mkdir(parents=True)
    (home / f"state/{stage}.tfstate").touch()
    Store(home / "cloud.json").put("azurerm_virtual_network", {"id": "/made"})
    destroy.destroy(make(), Runner())
    assert not home.exists()
    assert "is empty or damaged" in " ".join(capsys.readouterr().err.split())
