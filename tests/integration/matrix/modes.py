"""The platforms and tokens of the matrix: how it is deployed, who there is, and how each comes to a token."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import pytest

from tests.integration.matrix import sign_ins
from tests.support import own_platform
from tests.support.forge import Forge
from tests.support.platform_under_test import Platform

WRITING = {"insert-many", "update-many", "delete-many"}
VERSIONS = ["2025-06-18", "2025-11-25", "2026-07-28"]
# What each changes about the environment's values.
MODES: dict[str, dict[str, Any]] = {
    "façade": {},
    "no façade": {"oauth_facade_enabled": False},
    "groups": {"authorization": "groups"},
}
PEOPLE = {"admin": "writes", "reader": "reads", "outsider": 403}
# Who → what they get. `overflow` is an administrator in more than 200 groups; `tenant` has a token of another one.
IDENTITIES = {**PEOPLE, "app with role": "reads", "app without role": 403, "tenant": 401, "overflow": 403}
WAYS = {"façade": sign_ins.facade, "document": sign_ins.document, "entra": sign_ins.entra, "msal": sign_ins.msal_person}

#: What no client can be asked, by way and mode or by identity and mode.
IMPOSSIBLE = {
    ("façade", "no façade"): "there is no façade to sign in through",
    ("document", "no façade"): "there is no façade to sign in through",
    ("overflow", "façade"): "roles decide, so groups are not in the token and cannot overflow",
    ("overflow", "no façade"): "roles decide, so groups are not in the token and cannot overflow",
}


def outcome(seen: set[str] | int) -> str | int:
    """The status of an answer, or the tier whose tools it lists."""
    return seen if isinstance(seen, int) else "writes" if seen >= WRITING else "reads"


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform of its own, with two programs in the directory; each mode is one more deployment of it."""
    platform = own_platform.copied(tmp_path_factory.mktemp("matrix"))
    shutil.copy(Path(__file__).with_name("daemons.tf"), own_platform.terraform(platform) / "stage2")
    try:
        yield platform
    finally:
        platform.invoke("destroy", "--yes")


class Deployed:
    """One mode, applied; tokens are asked for once."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.token = cache(self._token)

    def _token(self, way: str, identity: str) -> str:
        if way in WAYS:
            return WAYS[way](self.platform, identity)
        home = Path(self.platform.variables["TWIN_HOME"])
        if identity.startswith("app "):
            return sign_ins.msal_daemon(self.platform, *_daemon(home, identity.removeprefix("app ").replace(" ", "-")))
        forge = Forge.of(home, self.token("entra", "admin"))
        other = "99999999-9999-4999-8999-999999999999"
        if identity == "tenant":
            return forge.signed(tid=other, iss=forge.claims["iss"].replace(forge.claims["tid"], other))
        names = {"groups": "src1"}
        return forge.signed(groups=None, roles=None, _claim_names=names, _claim_sources={"src1": {"endpoint": "x"}})


def _daemon(home: Path, key: str) -> tuple[str, str]:
    """Client id and secret of a program, from the applied state."""
    state = json.loads((home / "run/state.json").read_text(encoding="utf-8"))
    values = {
        item["type"]: item["values"]
        for item in state
        if item["address"].endswith(f'daemon["{key}"]') and item["type"].startswith("azuread_application")
    }
    return values["azuread_application"]["client_id"], values["azuread_application_password"]["value"]


@pytest.fixture(scope="module")
def deployed_as(copied: Platform) -> Callable[[str], Deployed]:
    """The platform in a mode. The tests are in order of modes, so that each is deployed once."""

    usual = own_platform.values(copied)

    @lru_cache(maxsize=1)
    def deploy(mode: str) -> Deployed:
        own_platform.set_values(copied, {**usual, **MODES[mode]})
        platform = Platform("local", copied.variables)
        platform.invoke("deploy")
        return Deployed(platform)

    return deploy
