"""Keys, locks and live checks: what is decided on what az and the platform answered."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ops.day2 import probes_azure, rotate, unlock, verify
from ops.day2.probes import NotRun, Scene
from ops.day2.unlock import Lock, parse
from ops.environment import ROOT
from ops.errors import AzError, SettingError, SmokeError, UsageError
from ops.platform import Platform
from tests.unit.ops.conftest import Make

PLATFORM = Platform("http://gateway", {"mongodb": "http://gateway/mongodb/mcp"}, "http://issuer", "t", "s", {})
HELD = {"ID": "1-2-3", "Operation": "OperationTypeApply", "Who": "ada@laptop", "Created": "2026-11-23T08:00:00Z"}


def test_the_holder_of_a_lock_is_named() -> None:
    """As Terraform's azurerm backend writes it into the blob's metadata."""
    encoded = base64.b64encode(json.dumps(HELD).encode()).decode()
    held = parse({"terraformlockid": encoded})
    assert held == Lock("1-2-3", "ada@laptop", "OperationTypeApply", "2026-11-23T08:00:00Z")
    assert held.text() == "ada@laptop, Apply, since 2026-11-23T08:00:00Z"


@pytest.mark.parametrize("metadata", [None, {}, {"terraformlockid": ""}])
def test_no_lock(metadata: dict[str, Any] | None) -> None:
    """A state that is free, or not there yet."""
    assert parse(metadata) is None


def test_a_lock_that_nobody_can_read() -> None:
    """It is not broken on a guess."""
    with pytest.raises(AzError, match="is not what Terraform writes"):
        parse({"terraformlockid": "e30="})


@pytest.mark.parametrize("task", [unlock.unlock, rotate.rotate])
def test_not_on_this_machine(make: Make, task: Any) -> None:
    """One sentence says why."""
    with pytest.raises(UsageError, match="there is nothing"):
        task(make("local"))


def test_keys_are_regenerated_when_nobody_uses_them(make: Make) -> None:
    """Secondary first, the servers change over, then primary."""
    lines = rotate.commands(make("dev", STORAGE_ACCOUNT="stmcptfstate"), "primary", "secondary")
    kinds = [line.split()[-1] if line.startswith("az") else line.split()[0] for line in lines]
    assert kinds == [
        *("secondary", "secondaryReadonly", "terraform", "terraform", "sed", "terraform", "terraform"),
        *("primary", "primaryReadonly", "terraform", "terraform"),
    ]


@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_the_active_key_is_written_and_nothing_else(environment: str) -> None:
    """Into a file that does not name it yet, and over what it says."""
    text = (ROOT / f"terraform/environments/{environment}/terraform.tfvars").read_text(encoding="utf-8")
    once = rotate.with_active(text, "secondary")
    assert once.replace('  active_key = "secondary"\n\n', "") == text
    assert rotate.with_active(once, "primary") == once.replace('active_key = "secondary"', 'active_key = "primary"')


def test_a_file_without_cosmos() -> None:
    """Nothing is guessed."""
    with pytest.raises(SettingError, match=r"no `cosmos = \{`"):
        rotate.with_active("name = 1\n", "secondary")


def test_an_interrupted_rotation_goes_on_with_the_same_keys(make: Make, tmp_path: Path) -> None:
    """Else it would regenerate the key that servers have just changed over to."""
    environment = make("dev", STORAGE_ACCOUNT="stmcptfstate")
    assert rotate._begun(environment) is None
    environment.home.mkdir()
    (environment.home / "rotation.json").write_text('{"old": "primary", "new": "secondary"}', encoding="utf-8")
    assert rotate._begun(environment) == ("primary", "secondary")


def test_a_check_passes_fails_or_says_why_not(make: Make) -> None:
    """Three verdicts, never silence."""

    def fails(_: Scene) -> str:
        raise SmokeError("it answers 500")

    def cannot(_: Scene) -> str:
        raise NotRun("no test identity")

    checks = (
        verify.Check("a", "holds", lambda _: "seen"),
        verify.Check("b", "holds", fails),
        verify.Check("c", "holds", cannot),
    )
    found = verify.findings(Scene(make("local"), PLATFORM), checks)
    assert [(f.verdict, f.text) for f in found] == [
        ("pass", "seen"),
        ("fail", "it answers 500"),
        ("not run", "no test identity"),
    ]


def test_azures_own_checks_are_not_run_locally(make: Make) -> None:
    """The twin would agree with itself."""
    scene = Scene(make("local"), PLATFORM)
    for check in verify.CHECKS:
        if check.run.__module__ == probes_azure.__name__:
            with pytest.raises(NotRun):
                check.run(scene)


GROUPS = {"aci-mongodb-admin-a": {"ipAddress": {"ip": "10.0.2.4"}}}


def test_addresses_that_agree() -> None:
    """The record holds the group's one address."""
    records = [{"name": "mongodb-admin-a", "aRecords": [{"ipv4Address": "10.0.2.4"}]}]
    assert probes_azure.compare(GROUPS, records) == "1 records"


@pytest.mark.parametrize("records", [[], [{"name": "mongodb-admin-a", "aRecords": [{"ipv4Address": "10.0.2.9"}]}]])
def test_an_address_that_changed(records: list[Any]) -> None:
    """Both are named, and what mends it."""
    with pytest.raises(SmokeError, match=r"aci-mongodb-admin-a has 10\.0\.2\.4, its record .*invoke heal"):
        probes_azure.compare(GROUPS, records)
