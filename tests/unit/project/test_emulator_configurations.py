"""Each emulator checks its configuration file before it does anything."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from emulators.base.errors import EmulatorError


@pytest.mark.parametrize("module", ["apim.process", "arm.config", "entra.config", "mongodb.config"])
def test_every_emulator_checks_its_file(module: str, tmp_path: Path) -> None:
    """A list, an object without anything, and a port as text: each is a sentence of the emulator's own."""

    config: Any = importlib.import_module(f"emulators.{module}").Config
    for number, document in enumerate(([], {}, {"port": "a"}, {"port": 99999})):
        path = tmp_path / f"{number}.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(document), encoding="utf-8")

        with pytest.raises(EmulatorError):
            config.load(path)
