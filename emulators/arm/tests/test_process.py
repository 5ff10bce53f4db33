"""The control plane as a process, with the issuer as its child: production names through its proxy."""

from __future__ import annotations

import base64
import json
import re
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulators.arm.permissions import PERMISSIONS
from emulators.arm.tests.conftest import SUBSCRIPTION, TENANT, person
from emulators.base.well_known import AZURE_CLI, GRAPH

LOGIN = "https://login.microsoftonline.com"
APP = "22222222-bbbb-4bbb-8bbb-000000000001"
PRINCIPAL = "22222222-bbbb-4bbb-8bbb-000000000002"
ROLES = ["Privileged Role Administrator"]
SETTINGS = {
    "tenant_id": TENANT,
    "subscription_id": SUBSCRIPTION,
    "control_secret": "control",
    "people": [person("11111111-bbbb-4bbb-8bbb-000000000001", "owner", roles=["Owner"], directory_roles=ROLES)],
    "applications": [
        {"client_id": APP, "object_id": PRINCIPAL, "name": "pipeline", "secret": "s", "roles": ["Reader"]}
    ],
}


def configured(folder: Path, **changes: Any) -> list[str]:
    path = folder / "arm.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"data_dir": str(folder / "arm"), **SETTINGS, **changes}), encoding="utf-8")
    return [sys.executable, "-m", "emulators.arm", "--config", str(path)]


class Azure:
    """A client that knows the proxy and the certificate authority only."""

    def __init__(self, endpoints: dict[str, str]) -> None:
        context = ssl.create_default_context(cafile=endpoints["certificate_authority"])
        proxy = urllib.request.ProxyHandler({"https": endpoints["proxy"]})
        self._opener = urllib.request.build_opener(proxy, urllib.request.HTTPSHandler(context=context))

    def ask(self, url: str, body: Any = None, token: str = "", form: dict[str, str] | None = None) -> Any:
        data = urllib.parse.urlencode(form).encode() if form else json.dumps(body).encode() if body else None
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body:
            headers["Content-Type"] = "application/json"
        with self._opener.open(urllib.request.Request(url, data, headers), timeout=20) as answer:
            return json.load(answer)

    def token(self, resource: str) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": APP,
            "client_secret": "s",
            "scope": f"{resource}/.default",
        }
        return str(self.ask(f"{LOGIN}/{TENANT}/oauth2/v2.0/token", form=form)["access_token"])

    def owner_token(self, resource: str) -> str:
        """The owner signs in as a person does with a device code: on the issuer's page."""
        client = {"client_id": AZURE_CLI, "scope": f"{resource}/.default"}
        started = self.ask(f"{LOGIN}/{TENANT}/oauth2/v2.0/devicecode", form=client)
        page = self._page("/devicelogin", {"user_code": started["user_code"]})
        action = re.search(r'action="([^"]*/login)"', page)
        transaction = re.search(r'"transaction" value="([^"]+)"', page)
        assert action, page
        assert transaction, page
        assert "You have signed in" in self._page(action[1], {"transaction": transaction[1], "user": "owner"})
        form = {"grant_type": "device_code", "client_id": AZURE_CLI, "device_code": started["device_code"]}
        return str(self.ask(f"{LOGIN}/{TENANT}/oauth2/v2.0/token", form=form)["access_token"])

    def _page(self, path: str, form: dict[str, str]) -> str:
        with self._opener.open(f"{LOGIN}{path}", urllib.parse.urlencode(form).encode(), timeout=20) as answer:
            return str(answer.read().decode())


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[Azure]:
    process = subprocess.Popen(configured(tmp_path), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready arm ")
        yield Azure(json.loads((tmp_path / "arm" / "endpoints.json").read_text(encoding="utf-8")))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_the_issuers_tokens_open_resource_manager_as_far_as_roles_go(azure: Azure) -> None:
    groups = f"https://management.azure.com/subscriptions/{SUBSCRIPTION}/resourcegroups?api-version=2024-03-01"
    token = azure.token("https://management.azure.com")
    assert azure.ask(groups, token=token) == {"value": []}
    with pytest.raises(urllib.error.HTTPError) as refused:
        azure.ask(groups, token=token[:-8] + "AAAAAAAA")
    assert refused.value.code == 401


def test_what_graph_changes_is_in_the_very_next_token(azure: Azure) -> None:
    """The issuer is another process: it reads the directory again before it answers."""
    token = azure.token("https://graph.microsoft.com")
    assert "roles" not in claims(token)
    graph = "https://graph.microsoft.com/v1.0/servicePrincipals"
    owner = azure.owner_token("https://graph.microsoft.com")
    found = azure.ask(f"{graph}?$filter=appId%20eq%20'{GRAPH}'", token=owner)
    role = PERMISSIONS["Group.Create"]
    body = {"principalId": PRINCIPAL, "resourceId": found["value"][0]["id"], "appRoleId": role}
    azure.ask(f"{graph}/{PRINCIPAL}/appRoleAssignments", body, owner)
    assert claims(azure.token("https://graph.microsoft.com"))["roles"] == ["Group.Create"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"issuer": ["/nowhere/issuer"]}, "the issuer's command '/nowhere/issuer' cannot be run"),
        ({"issuer": [sys.executable, "-c", "import sys; sys.exit('no such tenant')"]}, "did not start: no such tenant"),
        ({"trusted_issuers": {"https://i": "https://elsewhere/keys"}}, "did not start: trusted_issuers['https://i']"),
    ],
)
def test_an_issuer_that_does_not_start_is_one_sentence(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    ended = subprocess.run(configured(tmp_path, **changes), capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1), ended.stderr
    assert sentence in ended.stderr
