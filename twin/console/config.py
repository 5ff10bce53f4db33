"""The console's settings file, JSON, 0600."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from twin.errors import RuntimeFailure

SHORTEST_KEY = 16


@dataclass(frozen=True)
class Config:
    """`key` is the secret first segment of every address; `state` the share of the applied state that is shown."""

    home: Path
    state: Path
    key: str
    host: str = "127.0.0.1"
    port: int = 8082

    def __post_init__(self) -> None:
        if self.host not in ("127.0.0.1", "::1"):
            raise RuntimeFailure(f"the console mints tokens, so it listens on 127.0.0.1 only, not on {self.host}")
        if len(self.key) < SHORTEST_KEY or not self.key.replace("-", "").replace("_", "").isalnum():
            raise RuntimeFailure(f"the console's key must be {SHORTEST_KEY} or more letters, digits, - or _")

    @classmethod
    def load(cls, path: Path) -> Config:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{**values, "home": Path(values["home"]), "state": Path(values["state"])})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RuntimeFailure(f"the console's settings at {path} cannot be read ({error})") from error


def address(home: Path, port: int) -> str:
    """Where a person opens the console of `home`; empty where it has none."""
    try:
        key = json.loads((home / "run" / "console.json").read_text(encoding="utf-8"))["key"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return f"http://127.0.0.1:{port}/{key}/"
