"""A REST API that becomes tools: its document read, its operations chosen, and a folder that says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ops.cli.steps import Runner
from ops.config import environment as environments
from ops.config.environment import Environment
from ops.errors import UsageError
from ops.images import catalog
from ops.servers import add_server
from tests.unit.ops.conftest import Make

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "servers": [{"url": "https://shop.example/v1"}],
    "paths": {
        "/orders": {"parameters": [], "get": {"operationId": "listOrders"}, "post": {"operationId": "order.add"}},
        "/odd": {"get": {"operationId": "odd name"}, "put": {}},
    },
}


@pytest.fixture
def local(make: Make, servers: Path) -> Environment:
    (servers / "gateway-auth" / "requirements.txt").write_text("", encoding="utf-8")
    return make("local", SERVERS_DIR=str(servers))


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    return path


def add(environment: Environment, document: Path, **options: Any) -> None:
    add_server.add(environment, Runner(), "shop", add_server.parse(openapi=str(document), **options))


def test_chosen_operations_are_served(local: Environment, document: Path) -> None:
    """The folder holds the document; what is served, from where and with which credential stands in the Dockerfile."""
    add(local, document, operations=["order.add", "listOrders"], headers=["X-Api-Key=SHOP_KEY"])
    source = catalog.sources(local.servers_dir)["shop"]
    assert source.entrypoint[:3] == ("python", "-m", "gateway_auth.front")
    assert source.entrypoint[3:] == (
        *("--openapi", "shop_server", "--base-url", "https://shop.example/v1"),
        *("--operation", "order.add", "--operation", "listOrders", "--header", "X-Api-Key=SHOP_KEY"),
    )
    written = source.folder / "src" / "shop_server" / "openapi.json"
    assert json.loads(written.read_text(encoding="utf-8")) == DOCUMENT
    again = environments.load(local.name, {"SERVERS_DIR": str(local.servers_dir)})
    assert again.servers["shop"]["front"] == {}


@pytest.mark.parametrize(
    ("changed", "options", "sentence"),
    [
        ({}, {}, "choose what is served with --operation, once for each; .* has: listOrders, order.add$"),
        ({}, {"operations": ["dropOrders"]}, "has no operation 'dropOrders'; its operationIds are: listOrders"),
        ({}, {"operations": ["odd name"]}, "has no operation 'odd name'"),
        ({}, {"operations": ["listOrders"], "base_url": "http://shop.example"}, "must be an https URL"),
        ({"servers": [{"url": "/v1"}]}, {"operations": ["listOrders"]}, "address '/v1' must be an https URL"),
        ({"openapi": "2.0"}, {"operations": ["listOrders"]}, "is no OpenAPI document of version 3"),
        ({}, {"operations": ["listOrders"], "headers": ["X-Api-Key"]}, "must be NAME=VARIABLE"),
        ({}, {"operations": ["listOrders"], "headers": ["X-Api-Key=a b"]}, "must be NAME=VARIABLE"),
        ({}, {"operations": ["listOrders"], "command": "x"}, "--command says how a server of --pypi or --npm runs"),
    ],
)
def test_bad_input(
    local: Environment, document: Path, changed: dict[str, Any], options: dict[str, Any], sentence: str
) -> None:
    """One sentence, and nothing is written."""
    document.write_text(json.dumps(DOCUMENT | changed), encoding="utf-8")
    with pytest.raises(UsageError, match=sentence):
        add(local, document, **options)
    assert not (local.servers_dir / "shop").exists()


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("missing.json", "cannot be read"),
        ("http://shop.example/openapi.json", "must be a file or an https URL"),
        ("ftp://shop.example/openapi.json", "must be a file or an https URL"),
    ],
)
def test_where_a_document_may_be(local: Environment, place: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        add(local, Path(place) if "://" not in place else place, operations=["a"])  # type: ignore[arg-type]


def test_yaml_is_refused(local: Environment, tmp_path: Path) -> None:
    """With the remedy."""
    path = tmp_path / "shop.yaml"
    path.write_text("openapi: 3.0.0\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"is no JSON .* convert YAML"):
        add(local, path, operations=["a"])


def test_another_api_of_the_same_name_is_refused(
    local: Environment, document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other operations, or another document; the same again is fine."""
    add(local, document, operations=["listOrders"])
    assert "1 operation is a tool" in capsys.readouterr().err
    again = environments.load(local.name, {"SERVERS_DIR": str(local.servers_dir)})
    add(again, document, operations=["listOrders"])
    assert "shop is there" in capsys.readouterr().err
    with pytest.raises(
        UsageError, match=r"shop is there already, as .*--operation listOrders .*--operation order\.add"
    ):
        add(again, document, operations=["order.add"])
    document.write_text(json.dumps(DOCUMENT | {"info": {"version": "2"}}), encoding="utf-8")
    with pytest.raises(UsageError, match="of another document"):
        add(again, document, operations=["listOrders"])
