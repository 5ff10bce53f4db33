"""Which ports are chosen; whether they are free is asked of the system, so that is replaced here."""

from __future__ import annotations

import pytest

from ops.errors import BusyError
from ops.local import ports
from ops.local.ports import Ports
from tests.unit.ops.conftest import Make


@pytest.fixture(autouse=True)
def taken(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    found: set[int] = set()
    monkeypatch.setattr("ops.local.ports.is_free", lambda port: port not in found)
    monkeypatch.setattr("twin.supervise.ports.is_free", lambda port: port not in found)
    return found


def test_tfvars_decide(make: Make) -> None:
    """Without settings the ports are those of terraform.tfvars, and Terraform needs no further variable."""
    chosen = ports.choose(make())
    assert chosen == Ports(8080, 8081, 8082)
    assert chosen.variables(make()) == {}


def test_settings_win(make: Make) -> None:
    """Another port reaches Terraform as the address that it means."""
    environment = make(GATEWAY_PORT="9000")
    assert ports.choose(environment).variables(environment) == {"public_base_url": "http://127.0.0.1:9000"}


def test_a_picked_port_is_kept(make: Make) -> None:
    """0 picks a free port, and the next run picks the same: nothing changes."""
    environment = make(GATEWAY_PORT="0", ENTRA_PORT="0")
    assert ports.choose(environment) == ports.choose(environment)


def test_a_picked_port_that_was_taken_since_is_replaced(make: Make, taken: set[int]) -> None:
    """Unless the platform itself listens there."""
    environment = make(GATEWAY_PORT="0", ENTRA_PORT="0")
    first = ports.choose(environment)
    taken.add(first.gateway)
    assert ports.choose(environment, frozenset({first.gateway})) == first
    assert ports.choose(environment).gateway != first.gateway


def test_a_taken_console_port_is_replaced_unless_it_was_asked_for(make: Make, taken: set[int]) -> None:
    """Nothing refers to the console's address, so a second platform needs no setting."""
    taken.add(8082)
    assert ports.choose(make()).console not in (None, 8082)
    assert ports.choose(make(CONSOLE_PORT="8082")).console == 8082
    assert ports.choose(make(), frozenset({8082})).console == 8082


def test_beside_other_platforms_the_console_takes_any_port(make: Make) -> None:
    assert ports.choose(make(GATEWAY_PORT="0", ENTRA_PORT="0")).console != 8082
    assert ports.choose(make(CONSOLE_PORT="0")).console != 8082


@pytest.mark.parametrize(("port", "setting"), [(8080, "GATEWAY_PORT"), (8081, "ENTRA_PORT"), (8082, "CONSOLE_PORT")])
def test_taken(taken: set[int], port: int, setting: str) -> None:
    """A port that another program holds is refused with the setting that changes it."""
    taken.add(port)
    with pytest.raises(BusyError, match=rf"port {port} on 127.0.0.1 is taken .* set {setting}"):
        ports.check_free(Ports(8080, 8081, 8082))
    ports.check_free(Ports(8080, 8081, 8082), ours=frozenset({port}))


def test_two_parts_need_two_ports() -> None:
    """One port for both is refused before anything is applied."""
    with pytest.raises(BusyError, match="both 9000"):
        ports.check_free(Ports(9000, 9000))
    with pytest.raises(BusyError, match="CONSOLE_PORT 9000"):
        ports.check_free(Ports(9000, 9001, 9000))
