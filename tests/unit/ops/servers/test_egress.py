"""A server that calls where its entry does not let it is told so, whatever it was added from."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx2
import pytest
from gateway_auth import SettingsError
from gateway_auth.front import app
from gateway_auth.front.__main__ import application
from gateway_auth.front.child import ChildTransport
from gateway_auth.front.egress import Hosts, Reached
from gateway_auth.front.settings import FrontSettings
from gateway_auth.testing import AUTH_ENVIRONMENT

from ops.images import catalog
from ops.servers import add_server
from tests.unit.ops.servers.test_as_caller import API

PROXY = {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NODE_USE_ENV_PROXY"}


def started(kind: str, *words: str) -> list[str]:
    """What the image of that kind starts the front with."""
    names = {"__PACKAGE__": "words_server", "__COMMAND__": ", ".join(f'"{word}"' for word in words)}
    files = add_server.rendered("words", add_server.TEMPLATES / kind, names)
    entrypoint = catalog.entrypoint(files["Dockerfile"])
    assert entrypoint[:3] == ("python", "-m", "gateway_auth.front")
    return list(entrypoint[3:])


def settings(**given: str) -> FrontSettings:
    values = {name.lower(): value for name, value in AUTH_ENVIRONMENT.items()}
    return FrontSettings(**values, mcp_server_name="words", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["pypi", "npm"])
def test_a_package_knows_no_way_out_but_the_proxy(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By variables that Python's and Node's clients heed; what it is refused is in servers/gateway-auth/tests."""
    told: list[Mapping[str, str]] = []

    class Noted(ChildTransport):
        def __init__(self, command: Sequence[str], *, environment: Mapping[str, str], **more: object) -> None:
            told.append(environment)
            raise LookupError(command)

    monkeypatch.setattr(app, "ChildTransport", Noted)
    monkeypatch.setattr(app, "FastMCPProxy", _Asking)
    with pytest.raises(LookupError, match="words"):
        application(started(kind, "words", "--flag"), settings())
    assert set(told[0]) >= PROXY
    assert {told[0][name] for name in PROXY - {"NODE_USE_ENV_PROXY"}} == {"http://127.0.0.1:0"}  # not serving yet


class _Asking:
    """Asks for the server behind as soon as it is made."""

    def __init__(self, *, client_factory: object, **_: object) -> None:
        asyncio.run(client_factory())  # type: ignore[operator]


def test_a_rest_api_is_reached_where_its_entry_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry that add-server writes names its host; without it the call is refused, with the sentence."""
    document = tmp_path / "api.json"
    document.write_text(json.dumps(API), encoding="utf-8")
    wanted = add_server.parse(openapi=str(document), operations=["readMe"])
    assert 'egress = ["graph.example.com"]' in " ".join(add_server.entry_text("words", wanted).split())
    for url, named in (("https://api.test:8443/v1", "api.test:8443"), ("http://127.0.0.1:80", "127.0.0.1")):
        other = add_server.parse(openapi=str(document), operations=["readMe"], base_url=url)
        assert f'egress = ["{named}"]' in " ".join(add_server.entry_text("words", other).split())
    seen: list[Hosts] = []
    monkeypatch.setattr("gateway_auth.front.openapi.Reached", lambda inner, hosts: seen.append(hosts) or inner)
    package = tmp_path / "words_server"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "openapi.json").write_bytes(document.read_bytes())
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    words = ("--openapi", "words_server", "--base-url", "https://graph.example.com", "--operation", "readMe")
    application(started("openapi", *words), settings(mcp_front_egress="graph.example.com"))
    (hosts,) = seen
    reached = Reached(httpx2.MockTransport(lambda _: httpx2.Response(204)), hosts)

    async def ask(host: str) -> int:
        async with httpx2.AsyncClient(transport=reached) as client:
            return (await client.get(f"https://{host}/me")).status_code

    assert asyncio.run(ask("graph.example.com")) == 204
    with pytest.raises(httpx2.ConnectError, match=r"elsewhere.test:443 is not in egress of this server's entry"):
        asyncio.run(ask("elsewhere.test"))


def test_an_image_goes_its_own_way_and_egress_is_refused() -> None:
    """By Terraform when it is planned (tests/plan/refusals), and by the front where somebody sets it all the same."""
    beside = settings(mcp_front_url="http://127.0.0.1:9001/mcp")
    assert application(started("image"), beside)
    with pytest.raises(SettingsError, match=r"name what may be called in network.containers_egress"):
        application(started("image"), beside.model_copy(update={"mcp_front_egress": "api.test"}))
