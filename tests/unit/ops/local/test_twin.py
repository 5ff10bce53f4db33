from __future__ import annotations

import pytest

from emulators.base.errors import RuntimeFailure
from ops.checks import doctor
from ops.errors import ToolError
from ops.local import twin as twin_control
from ops.local.ports import Ports
from tests.unit.ops.conftest import Make
from twin.supervise import database_choice
from twin.supervise.settings import RuntimeConfig


def test_settings_reach_the_runtime(make: Make) -> None:
    """Ports as chosen, the database as set."""
    environment = make(MONGODB_URI="mongodb://h/", MONGO="docker", MONGO_IMAGE="mongo:8.0")
    expected = RuntimeConfig(1, 2, "mongodb://h/", "docker", "mongo:8.0", trace=True, console_port=3)
    assert twin_control.config(environment, Ports(1, 2, 3)) == expected


def test_traces_can_be_switched_off(make: Make) -> None:
    assert [twin_control.config(make(TRACE=value), Ports(1, 2)).trace for value in "01"] == [False, True]


def test_a_container_is_looked_for_unless_told_otherwise(make: Make) -> None:
    found = twin_control.config(make(), Ports(1, 2))
    assert (found.mongo, found.mongo_image, found.mongodb_uri) == ("auto", "mongo:7.0", None)


def test_doctor_says_which_database_it_would_be(make: Make) -> None:
    assert doctor.CHECKS["database"].run(make(MONGO="twin")) == "emulators.mongodb (MONGO=twin)"


def test_doctor_says_how_to_mend_a_missing_database(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeFailure("start Docker")

    monkeypatch.setattr(database_choice, "choose", fails)
    with pytest.raises(ToolError, match="start Docker"):
        doctor.CHECKS["database"].run(make(MONGO="docker"))
