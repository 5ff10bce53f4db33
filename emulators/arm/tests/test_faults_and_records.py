"""Faults count down, records hold no secret, configurations are checked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from emulators.arm.config import Config
from emulators.arm.faults import Fault, Faults
from emulators.arm.recorder import Recorder, blob_template
from emulators.base.errors import EmulatorError


def test_a_fault_fits_its_requests_and_is_gone_after_its_times() -> None:
    faults = Faults()
    faults.add(Fault.parse({"method": "PUT", "path": "/vaults/", "status": 429, "retry_after": 7, "times": 2}))
    assert faults.take("GET", "management.azure.com", "/a/vaults/b") is None
    taken = [faults.take("PUT", "management.azure.com", "/a/vaults/b") for _ in range(3)]
    assert [fault is None for fault in taken] == [False, False, True]
    assert taken[0] is not None
    assert taken[0].error().headers == {"Retry-After": "7"}


def test_a_fault_lets_through_as_many_as_it_is_told_to() -> None:
    faults = Faults()
    faults.add(Fault.parse({"path": "/roleAssignments/", "skip": 2}))
    taken = [faults.take("PUT", "management.azure.com", "/s/roleAssignments/x") for _ in range(4)]
    assert [fault is None for fault in taken] == [True, True, False, True]


@pytest.mark.parametrize("document", [{"stauts": 500}, {"status": 418}])
def test_a_fault_that_cannot_be_made_is_refused(document: dict[str, int]) -> None:
    with pytest.raises(EmulatorError, match=r"unknown keys|needs a code"):
        Fault.parse(document)


def test_records_name_templates_and_what_was_refused() -> None:
    recorder = Recorder()
    recorder.add("GET", "kv-dev.vault.azure.net", "/secrets/{name}", "7.4", 200)
    recorder.add("GET", "management.azure.com", "/unknown", "2020-01-01", 501, known=False)
    recorder.tunnels_refused.append("example.org:443")
    assert recorder.rows()[0]["host"] == "{name}.vault.azure.net"
    assert recorder.refused() == ["GET https://management.azure.com/unknown 2020-01-01", "CONNECT example.org:443"]


def test_blob_requests_are_recorded_by_position_without_signatures() -> None:
    query = {"restype": "container", "comp": "list", "sig": "secret"}
    assert blob_template("/tfstate/stage1.tfstate", {"comp": "lease"}) == "/{container}/{blob}?comp=lease"
    assert blob_template("/tfstate", query) == "/{container}?restype=container&comp=list"


def test_a_configuration_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "arm.json"
    path.write_text(json.dumps({}), encoding="utf-8")
    path.chmod(0o644)
    with pytest.raises(EmulatorError, match="readable by you only"):
        Config.load(path)
    path.chmod(0o600)
    with pytest.raises(EmulatorError, match="lacks 'data_dir'"):
        Config.load(path)


def test_the_readmes_configuration_is_one() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"```json\n(.*?)```", readme, re.DOTALL)
    assert shown
    cloud = Config.parse(json.loads(shown[1])).cloud()
    assert [user.key for user in cloud.tenant.users.values()] == ["admin", "reader", "outsider", "olga"]
