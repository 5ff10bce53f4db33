"""Client × protocol version × way to sign in × identity: who sees which tools, who is refused, and with which status.

What a cell cannot be is in IMPOSSIBLE, with its reason; the test at the end sees that no cell is left out silently.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path

import pytest
from forge import Forge
from platform_under_test import ROOT, Platform

from tests.integration.matrix import callers, sign_ins

pytestmark = pytest.mark.usefixtures("local_only")

WRITING = {"insert-many", "update-many", "delete-many"}
CLIENTS = {"fastmcp": callers.fastmcp, "sdk": callers.sdk, "raw": callers.raw}
VERSIONS = ["2025-06-18", "2025-11-25", "2026-07-28"]
# Lines added to the environment's values.
MODES = {"façade": "", "no façade": "oauth_facade_enabled = false\n", "groups": 'authorization = "groups"\n'}
PEOPLE = {"admin": "writes", "reader": "reads", "outsider": 403}
# Who → what they get. `overflow` is an administrator in more than 200 groups; `tenant` has a token of another one.
IDENTITIES = {**PEOPLE, "app with role": "reads", "app without role": 403, "tenant": 401, "overflow": 403}
WAYS = {"façade": sign_ins.facade, "entra": sign_ins.entra, "msal": sign_ins.msal_person}

IMPOSSIBLE = {
    ("fastmcp", "2025-06-18"): "FastMCP offers the newest version of the handshake's generation and no older one",
    ("sdk", "2025-06-18"): "the SDK's client offers the newest version of the handshake's generation and no older one",
    ("façade", "no façade"): "there is no façade to sign in through",
    ("overflow", "façade"): "roles decide, so groups are not in the token and cannot overflow",
    ("overflow", "no façade"): "roles decide, so groups are not in the token and cannot overflow",
}
ALL = [
    *itertools.product(MODES, CLIENTS, VERSIONS, WAYS, PEOPLE),
    *itertools.product(MODES, CLIENTS, VERSIONS, ["own"], set(IDENTITIES) - set(PEOPLE)),
]


def why_not(mode: str, client: str, version: str, way: str, identity: str) -> str | None:
    found = (IMPOSSIBLE.get(pair) for pair in ((client, version), (way, mode), (identity, mode)))
    return next((reason for reason in found if reason), None)


CELLS = sorted(cell for cell in ALL if why_not(*cell) is None)
# One test has one token: mode, way and identity; its cells are the clients and versions that use it.
TOKENS = sorted({(mode, way, identity) for mode, _, _, way, identity in CELLS})


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform of its own, with two programs in the directory; each mode is one more deployment of it."""
    folder = tmp_path_factory.mktemp("matrix")
    shutil.copytree(ROOT / "terraform", folder / "terraform", ignore=shutil.ignore_patterns(".terraform"))
    shutil.copy(Path(__file__).with_name("daemons.tf"), folder / "terraform/stage2")
    home = {"TERRAFORM_DIR": str(folder / "terraform"), "TWIN_HOME": str(folder / "home")}
    platform = Platform("local", {**home, "GATEWAY_PORT": "0", "ENTRA_PORT": "0"})
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

    @lru_cache(maxsize=1)
    def deploy(mode: str) -> Deployed:
        file = Path(copied.variables["TERRAFORM_DIR"]) / "environments/local/terraform.tfvars"
        values = (ROOT / "terraform/environments/local/terraform.tfvars").read_text(encoding="utf-8")
        file.write_text(values + MODES[mode], encoding="utf-8")
        platform = Platform("local", copied.variables)
        platform.invoke("deploy")
        return Deployed(platform)

    return deploy


@pytest.mark.parametrize(("mode", "way", "identity"), TOKENS)
async def test_every_client_of_every_version(
    deployed_as: Callable[[str], Deployed], mode: str, way: str, identity: str
) -> None:
    """With one token, every client and version sees the tools of the tier, or gets the one right status."""
    deployed = deployed_as(mode)
    wanted = IDENTITIES[identity]
    for _, client, version, _, _ in [cell for cell in CELLS if (cell[0], cell[3], cell[4]) == (mode, way, identity)]:
        seen = await CLIENTS[client](deployed.platform.endpoint, deployed.token(way, identity), version)
        told = seen if isinstance(seen, int) else "writes" if seen >= WRITING else "reads"
        assert told == wanted, f"{client} on {version}: {seen}"
        assert isinstance(seen, int) or wanted == "writes" or not seen & WRITING


def test_no_cell_is_left_out_silently() -> None:
    """Every cell is tried, or has its reason; and each reason is needed."""
    reasons = [why_not(*cell) for cell in ALL]
    assert len(CELLS) + sum(1 for reason in reasons if reason) == len(ALL)
    assert set(IMPOSSIBLE.values()) == {reason for reason in reasons if reason}
