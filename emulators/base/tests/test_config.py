"""Configuration files: what is of the wrong kind is one sentence, in every emulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from emulators.base import serving
from emulators.base.config import check_object, read_object
from emulators.base.errors import ConfigError, ListenError


@dataclass(frozen=True)
class Shape:
    home: Path
    port: int = 0
    name: str | None = None
    delay: float = 0
    seed: bool = False
    people: tuple[dict[str, Any], ...] = ()
    command: tuple[str, ...] = ()
    hosts: Mapping[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"home": 5}, "'home' must be text, not a number"),
        ({"port": "a"}, "'port' must be a whole number, not text"),
        ({"port": True}, "'port' must be a whole number, not true or false"),
        ({"port": 99999}, "'port' must be from 0 to 65535, not 99999"),
        ({"port": -1}, "'port' must be from 0 to 65535, not -1"),
        ({"name": []}, "'name' must be text, not a list"),
        ({"delay": "1"}, "'delay' must be a number, not text"),
        ({"seed": 1}, "'seed' must be true or false, not a number"),
        ({"people": {}}, "'people' must be a list, not an object"),
        ({"people": [5]}, "'people' must be a list of objects; one of them is a number"),
        ({"command": [None]}, "'command' must be a list of text; one of them is null"),
        ({"hosts": []}, "'hosts' must be an object, not a list"),
        ({"delay": None}, "'delay' must be a number, not null"),
        ({"hom": "/x"}, "the file has the unknown key 'hom'"),
    ],
)
def test_what_is_of_the_wrong_kind_is_named(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        check_object({"home": "/h", **given}, "the file", Shape, ["home"])


def test_what_is_right_passes() -> None:
    given = {"home": "/h", "port": 65535, "name": None, "delay": 1, "people": [{}], "command": ["a"], "hosts": {"a": 1}}
    check_object(given, "the file", Shape, ["home"])


@pytest.mark.parametrize("text", ["[]", "5", "{"])
def test_what_is_no_object_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"the file .*f\.json"):
        read_object(tmp_path / "f.json", "the file")


@pytest.mark.parametrize("port", [-1, 65536, 99999])
def test_a_port_that_does_not_exist_is_refused(port: int) -> None:
    with pytest.raises(ListenError, match=f"port {port} does not exist: it must be from 0 to 65535"):
        serving.listen("127.0.0.1", port, "give another one")
