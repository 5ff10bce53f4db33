"""Which ports are chosen; whether they are free is asked of the system, so that is replaced here."""

from __future__ import annotations

import pytest

from ops import local_platform
from ops.checks import doctor
from ops.errors import BusyError, ToolError
from ops.local_platform import Ports
from tests.unit.ops.conftest import Make
from twin.errors import RuntimeFailure
from twin.supervise import database_choice
from twin.supervise.settings import RuntimeConfig


@pytest.fixture(autouse=True)
def taken(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    found: set[int] = set()
    monkeypatch.setattr("ops.local_platform.is_free", lambda port: port not in found)
    monkeypatch.setattr("twin.supervise.ports.is_free", lambda port: port not in found)
    return found


def test_tfvars_decide(make: Make) -> None:
    """Without settings the ports are those of terraform.tfvars, and Terraform needs no further variable."""
    chosen = local_platform.choose(make())
    assert chosen == Ports(8080, 8081, 8082)
    assert chosen.variables(make()) == {}


def test_settings_win(make: Make) -> None:
    """Another port reaches Terraform as the address that it means."""
    environment = make(GATEWAY_PORT="9000")
    assert local_platform.choose(environment).variables(environment) == {"public_base_url": "http://127.0.0.1:9000"}


def test_a_picked_port_is_kept(make: Make) -> None:
    """0 picks a free port, and the next run picks the same: nothing changes."""
    environment = make(GATEWAY_PORT="0", ENTRA_PORT="0")
    assert local_platform.choose(environment) == local_platform.choose(environment)


def test_a_picked_port_that_was_taken_since_is_replaced(make: Make, taken: set[int]) -> None:
    """Unless the platform itself listens there."""
    environment = make(GATEWAY_PORT="0", ENTRA_PORT="0")
    first = local_platform.choose(environment)
    taken.add(first.gateway)
    assert local_platform.choose(environment, frozenset({first.gateway})) == first
    assert local_platform.choose(environment).gateway != first.gateway


def test_a_taken_console_port_is_replaced_unless_it_was_asked_for(make: Make, taken: set[int]) -> None:
    """Nothing refers to the console's address, so a second platform needs no setting."""
    taken.add(8082)
    assert local_platform.choose(make()).console not in (None, 8082)
    assert local_platform.choose(make(CONSOLE_PORT="8082")).console == 8082
    assert local_platform.choose(make(), frozenset({8082})).console == 8082


def test_beside_other_platforms_the_console_takes_any_port(make: Make) -> None:
    assert local_platform.choose(make(GATEWAY_PORT="0", ENTRA_PORT="0")).console != 8082
    assert local_platform.choose(make(CONSOLE_PORT="0")).console != 8082


@pytest.mark.parametrize(("port", "setting"), [(8080, "GATEWAY_PORT"), (8081, "ENTRA_PORT"), (8082, "CONSOLE_PORT")])
def test_taken(taken: set[int], port: int, setting: str) -> None:
    """A port that another program holds is refused with the setting that changes it."""
    taken.add(port)
    with pytest.raises(BusyError, match=rf"port {port} on 127.0.0.1 is taken .* set {setting}"):
        local_platform.check_free(Ports(8080, 8081, 8082))
    local_platform.check_free(Ports(8080, 8081, 8082), ours=frozenset({port}))


def test_two_parts_need_two_ports() -> None:
    """One port for both is refused before anything is applied."""
    with pytest.raises(BusyError, match="both 9000"):
        local_platform.check_free(Ports(9000, 9000))
    with pytest.raises(BusyError, match="CONSOLE_PORT 9000"):
        local_platform.check_free(Ports(9000, 9001, 9000))


def test_settings_reach_the_runtime(make: Make) -> None:
    """Ports as chosen, the database as set."""
    environment = make(MONGODB_URI="mongodb://h/", MONGO="docker", MONGO_IMAGE="mongo:8.0")
    expected = RuntimeConfig(1, 2, "mongodb://h/", "docker", "mongo:8.0", trace=True, console_port=3)
    assert local_platform.config(environment, Ports(1, 2, 3)) == expected


def test_traces_can_be_switched_off(make: Make) -> None:
    assert [local_platform.config(make(TRACE=value), Ports(1, 2)).trace for value in "01"] == [False, True]


def test_a_container_is_looked_for_unless_told_otherwise(make: Make) -> None:
    found = local_platform.config(make(), Ports(1, 2))
    assert (found.mongo, found.mongo_image, found.mongodb_uri) == ("auto", "mongo:7.0", None)


def test_doctor_says_which_database_it_would_be(make: Make) -> None:
    assert doctor.CHECKS["database"].run(make(MONGO="twin")) == "emulators.mongodb (MONGO=twin)"


def test_doctor_says_how_to_mend_a_missing_database(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeFailure("start Docker")

    monkeypatch.setattr(database_choice, "choose", fails)
    with pytest.raises(ToolError, match="start Docker"):
        doctor.CHECKS["database"].run(make(MONGO="docker"))
