"""An environment as Terraform plans it, served by the local gateway in this process: no socket, a stopped clock."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from emulators.apim.load import Loaded
from emulators.apim.tests import tokens
from emulators.apim.tests.harness import NOW, Call, GatewayHarness, Reply, ok
from emulators.base.state import Resource, State
from tests.plan.bench import Bench

JSON = {"Content-Type": "application/json"}
CALLBACK = "http://localhost:51234/callback"
CHALLENGE = "c" * 43
RESULT = b'{"jsonrpc": "2.0", "id": 7, "result": {}}'


def root(bench: Bench, name: str) -> Path:
    """A root of served_<name>.tf and what stands around it, beside the stages, so that its `../modules/…` resolve."""
    folder = bench.home / "terraform" / f"served-{name}"
    folder.mkdir()
    for part in ("base", name):
        shutil.copy(Path(__file__).with_name(f"served_{part}.tf"), folder / f"{part}.tf")
    return folder


def state(bench: Bench, case: str) -> State:
    """Stage 1 applied and stage 2 planned: policies, backends and names are known then.

    Ids that Entra has yet to give, and what the vault holds, are made up here. They stand in named values only.
    """
    for path in (bench.home / "state").iterdir():
        path.unlink()
    bench.apply(bench.stage(1), case=case)
    one = bench.show(bench.stage(1))
    two = bench.plan(bench.stage(2), case=case)._raw
    planned = State.from_show_json(one, {"values": two["planned_values"]})
    return State(tuple(_with_id(resource) for resource in planned.resources))


def _with_id(resource: Resource) -> Resource:
    if resource.type != "azurerm_api_management_named_value" or resource.values.get("value"):
        return resource
    made_up = str(uuid.uuid5(uuid.NAMESPACE_URL, resource["name"]))
    return replace(resource, values={**resource.values, "value": made_up, "value_from_key_vault": []})


class Environment:
    """`gateway` is the gateway; `issuer`, `api` and `client` are what callers have to know."""

    def __init__(self, state: State, loaded: Loaded) -> None:
        self.gateway = GatewayHarness(loaded)
        self.values = {value["name"]: value["value"] for value in state.of_type("azurerm_api_management_named_value")}
        self.issuer, self.api = self.values["entra-issuer"], self.values["api-client-id"]
        self.client = self.values["client-desktop"]
        operations = state.of_type("azurerm_api_management_api_operation")
        self.is_alone = (
            sum(str(one["url_template"]).endswith("/mcp") and one["method"] == "POST" for one in operations) == 1
        )
        self.endpoint = f"{self.values['public-base-url']}/mongodb/mcp"
        self._publish(state)

    def _publish(self, state: State) -> None:
        answers = self.gateway.backends.answers
        keys = [{**tokens.KEY.as_dict(private=False), "use": "sig"}]
        document = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
        answers[f"{self.issuer}/keys"] = ok(json.dumps({"keys": keys}).encode())
        answers[f"{self.issuer}/.well-known/openid-configuration"] = ok(json.dumps(document).encode())
        answers[f"{self.values['entra-authority']}/oauth2/v2.0/token"] = ok(
            b'{"access_token": "t"}', headers={**JSON, "Set-Cookie": "fpc=1"}
        )
        expiry = str(int(NOW + 3600))
        answers["http://identity.test"] = ok(json.dumps({"access_token": "gateway", "expires_on": expiry}).encode())
        for backend in state.of_type("azurerm_api_management_backend"):
            answers[backend["url"]] = ok(RESULT, headers={**JSON, "Server": "uvicorn", "X-Powered-By": "python"})

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Of a reader who signed in with a client; a change to None leaves a claim out."""
        found = {"iss": self.issuer, "aud": self.api, "tid": self.values["tenant-id"], "scp": "Mcp.Access"}
        return tokens.claims(**{**found, "roles": ["Mcp.Read"], "oid": "caller", "azp": self.client, **changes})

    def token(self, **changes: Any) -> dict[str, str]:
        return tokens.bearer(tokens.sign(self.claims(**changes)))

    async def call(self, headers: Mapping[str, str], method: str = "tools/list", **more: Any) -> Reply:
        message = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": {}}).encode()
        return await self.gateway.send("POST", "/mongodb/mcp", {**JSON, **headers}, message, **more)

    @property
    def servers_called(self) -> list[Call]:
        return [call for call in self.gateway.backends.calls if ".mcp.internal:" in call.url]

    async def authorize(self, headers: Mapping[str, str] | None = None, **changes: Any) -> Reply:
        query = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": CALLBACK,
            "scope": self.values["api-scope"],
            "state": "s t&a=te",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "resource": self.endpoint,
            **changes,
        }
        return await self.gateway.send("GET", f"/oauth/authorize?{_encoded(query)}", headers or {})

    async def exchange(self, headers: Mapping[str, str] | None = None, **changes: Any) -> Reply:
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client,
            "code": "code",
            "code_verifier": "v" * 43,
            "redirect_uri": CALLBACK,
            "resource": self.endpoint,
            **changes,
        }
        sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return await self.gateway.send("POST", "/oauth/token", sent, _encoded(form).encode())

    async def register(self, *redirect_uris: str, **more: Any) -> Reply:
        body = json.dumps({**more, "redirect_uris": list(redirect_uris)}).encode()
        return await self.gateway.send("POST", "/oauth/register", JSON, body)


def _encoded(values: Mapping[str, Any]) -> str:
    return urlencode({name: value for name, value in values.items() if value is not None}, doseq=True)


def header(message: Reply | Call, name: str) -> str:
    """The header's values joined, or nothing where it is not there."""
    return ", ".join(message.headers.get(name, []))
