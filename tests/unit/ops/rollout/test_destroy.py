from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ops.errors import TerraformError
from ops.rollout import destroy as teardown
from ops.terraform import workspace
from tests.unit.ops.conftest import Make


def test_nothing_deployed(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """Destroying twice, or too early, is fine and makes no file."""
    teardown.destroy(make())
    assert "nothing to destroy" in capsys.readouterr().err
    assert not make().home.exists()


def test_broken_terraform_does_not_keep_files(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Locally everything goes even if Terraform cannot plan any more, and the reason is told."""

    @contextmanager
    def refuses(*_: object) -> Iterator[workspace.Workspace]:
        raise TerraformError("main.tf is broken", log=home)
        yield

    home = make().home
    (home / "state").mkdir(parents=True)
    monkeypatch.setattr(teardown.workspace, "opened", refuses)
    monkeypatch.setattr(teardown.terraform_binary, "find", lambda: None)
    teardown.destroy(make())
    assert "main.tf is broken; everything is deleted all the same" in capsys.readouterr().err
    assert not home.exists()
