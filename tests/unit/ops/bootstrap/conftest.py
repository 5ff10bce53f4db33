from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ops import bootstrap
from ops.azure import az
from ops.config.environment import Environment
from ops.errors import AzError
from tests.unit.ops.conftest import Make, dry_run

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "az.json").read_text(encoding="utf-8"))
"""Answers in the form that az gives them, by the command's first words."""

PRINCIPAL = RECORDED["identity show"]["principalId"]


class Cloud:
    """What a command makes is there from then on. `refuse` takes the place of the next answers."""

    def __init__(self) -> None:
        self.made: list[tuple[str, ...]] = []
        self.there: set[str] = set()
        self.lists: dict[str, list[Any]] = {"role": [], "credential": [], "directory": [], "permission": []}
        self.refuse: dict[str, list[AzError]] = {}

    def run(self, *arguments: str) -> Any:
        words = " ".join(arguments)
        for sign, errors in self.refuse.items():
            if sign in words and errors:
                raise errors.pop(0)
        if _changes(arguments):
            self.made.append(arguments)
            return self._make(arguments, words)
        return _queried(self._read(arguments, words), arguments)

    def _make(self, arguments: tuple[str, ...], words: str) -> None:
        given = dict(pairwise(arguments))
        if words.startswith("role assignment create"):
            role = {"principalId": given["--assignee-object-id"], "scope": given["--scope"]}
            definition = bootstrap.roles.ROLES[given["--role"]]
            path = f"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{definition}"
            self.lists["role"].append({**role, "roleDefinitionId": path, "condition": given.get("--condition")})
        elif words.startswith("identity federated-credential"):
            listed = [held for held in self.lists["credential"] if held["name"] != given["--name"]]
            trusted = {"issuer": given["--issuer"], "subject": given["--subject"], "audiences": [given["--audiences"]]}
            self.lists["credential"] = [*listed, {"name": given["--name"], **trusted}]
        elif words.startswith("rest"):
            kind = "directory" if "roleManagement" in given["--uri"] else "permission"
            self.lists[kind].append(json.loads(given["--body"]))
        else:
            self.there.add(" ".join(arguments[:2]))

    def _read(self, arguments: tuple[str, ...], words: str) -> Any:
        if words.startswith("role assignment list"):
            return self.lists["role"]
        if words.startswith("identity federated-credential list"):
            return self.lists["credential"]
        if words.startswith("rest"):
            return {"value": self.lists["directory" if "roleManagement" in words else "permission"]}
        if words.startswith("storage container exists"):
            return {"exists": "storage container" in self.there}
        first = " ".join(arguments[:2])
        if first in ("group show", "identity show") and first.replace("show", "create") not in self.there:
            raise AzError("it is not there", kind="not-found")
        if words.startswith("storage account show") and "storage account" not in self.there:
            raise AzError("it is not there", kind="not-found")
        return next(answer for name, answer in RECORDED.items() if words.startswith(name))


def commands(environment: Environment, options: bootstrap.Options, steps: tuple[str, ...] = ()) -> list[str]:
    """What the dry run prints."""
    wanted = steps or tuple(bootstrap.STEPS)
    return dry_run(lambda runner: bootstrap.bootstrap(environment, runner, options, wanted))


def _changes(arguments: tuple[str, ...]) -> bool:
    return "create" in arguments or "update" in arguments or "POST" in arguments or arguments[:2] == ("account", "set")


def _queried(answer: Any, arguments: tuple[str, ...]) -> Any:
    """The few forms of --query that bootstrap uses: `name` and `[0].name`."""
    if "--query" not in arguments:
        return answer
    query = arguments[arguments.index("--query") + 1]
    return answer[0][query.removeprefix("[0].")] if query.startswith("[0].") else answer[query]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    made = Cloud()
    monkeypatch.setattr(az, "run", made.run)
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(bootstrap, "_initialise", lambda *_: None)
    return made


@pytest.fixture
def dev(make: Make) -> Environment:
    """An environment on Azure with every setting that bootstrap needs."""
    return make(
        "dev",
        SUBSCRIPTION_ID=RECORDED["account show"]["id"],
        IDENTITY_NAME="id-mcp-pipeline",
        ADO_ORG="contoso",
        ADO_PROJECT="mcp",
        SERVICE_CONNECTION_NAME="sc-mcp",
        STORAGE_ACCOUNT="stmcptfstate",
        CONTAINER_NAME="tfstate",
    )
