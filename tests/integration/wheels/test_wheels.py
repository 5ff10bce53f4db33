"""Each emulator as a wheel: built, installed alone into a clean environment, run there by its documented command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from uv import find_uv_bin

from ops.terraform import binary as terraform_binary
from tests.support.platform_under_test import ROOT

EMULATORS = ROOT / "emulators"
PACKAGED = sorted(path.parent.name for path in EMULATORS.glob("*/pyproject.toml") if path.parent.name != "base")
SECONDS = 300
NETWORK = """
terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm", version = "~> 5.2" }
  }
}

resource "azurerm_virtual_network" "example" {
  name                = "vnet-example"
  resource_group_name = azurerm_resource_group.example.name
  location            = azurerm_resource_group.example.location
  address_space       = ["10.0.0.0/16"]
}
"""


@dataclass
class Installed:
    """An environment in which one emulator is installed, and a folder elsewhere to run it in."""

    python: Path
    folder: Path

    def command(self, emulator: str, *arguments: str) -> list[str]:
        return [str(self.python), "-I", "-m", f"emulators.{emulator}", *arguments]

    def run(self, emulator: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = self.command(emulator, *arguments)
        return subprocess.run(
            command, cwd=self.folder, env=_environment(), capture_output=True, text=True, timeout=SECONDS, check=False
        )

    @contextmanager
    def serving(self, emulator: str, *arguments: str) -> Iterator[int]:
        """The port that it says; it ends by SIGTERM."""
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                self.command(emulator, *arguments),
                cwd=self.folder,
                env=_environment(),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            try:
                assert process.stdout is not None
                ready = process.stdout.readline()
                assert re.fullmatch(r"ready \w+ \d+\n", ready), (self.folder / "log").read_text(encoding="utf-8")
                yield int(ready.split()[2])
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(20)


def _environment() -> dict[str, str]:
    """Nothing that leads back to the checkout."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


def _uv(*arguments: str) -> None:
    subprocess.run([find_uv_bin(), *arguments], check=True, capture_output=True, text=True, timeout=SECONDS)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every wheel, by the name of its folder."""
    made: dict[str, Path] = {}
    for name in ("base", *PACKAGED):
        folder = tmp_path_factory.mktemp(f"wheel-{name}")
        _uv("build", "--wheel", "--out-dir", str(folder), str(EMULATORS / name))
        (made[name],) = folder.glob("*.whl")
    return made


@pytest.fixture
def install(wheels: dict[str, Path], tmp_path: Path) -> Callable[..., Installed]:
    """Installs by path: a package of the same name in an index is never asked for."""

    def installed(*names: str) -> Installed:
        environment, folder = tmp_path / "environment", tmp_path / "elsewhere"
        folder.mkdir()
        _uv("venv", "--python", sys.executable, str(environment))
        python = environment / "bin" / "python"
        _uv("pip", "install", "--python", str(python), *(str(wheels[name]) for name in ("base", *names)))
        return Installed(python, folder)

    return installed


def _fetch(url: str, form: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    data = urllib.parse.urlencode(form).encode() if form else None
    with opener.open(urllib.request.Request(url, data, headers or {}), timeout=20) as answer:
        return json.load(answer)


def _example(readme: str, name: str) -> str:
    """The JSON that a README shows under that file name."""
    found = re.search(rf"`{re.escape(name)}`.*?```json\n(.*?)```", readme, re.DOTALL)
    assert found, f"the README shows no {name}"
    return found[1]


def entra(installed: Installed) -> None:
    """As its README says: the discovery document, then a token for the daemon."""
    readme = (EMULATORS / "entra" / "README.md").read_text(encoding="utf-8")
    settings = {**json.loads(_example(readme, "entra.json")), "port": 0}
    (installed.folder / "entra.json").write_text(json.dumps(settings), encoding="utf-8")
    (installed.folder / "directory.json").write_text(_example(readme, "directory.json"), encoding="utf-8")
    directory = json.loads(_example(readme, "directory.json"))
    with installed.serving("entra", "--config", "entra.json") as port:
        base = f"http://127.0.0.1:{port}/{directory['tenant_id']}"
        found = _fetch(f"{base}/v2.0/.well-known/openid-configuration")
        assert found["issuer"] == f"{base}/v2.0"
        form = {
            "grant_type": "client_credentials",
            "client_id": directory["applications"][1]["client_id"],
            "client_secret": directory["applications"][1]["secrets"][0],
            "scope": "api://orders/.default",
        }
        assert _fetch(found["token_endpoint"], form)["token_type"] == "Bearer"


def azurerm(installed: Installed) -> None:
    """Anybody's Terraform: a plan of its README's example and of what refers to it, with one command each."""
    readme = (EMULATORS / "azurerm" / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"```hcl\n(.*?)```", readme, re.DOTALL)
    assert shown
    (installed.folder / "main.tf").write_text(shown[1] + NETWORK, encoding="utf-8")
    terraform = str(terraform_binary.find().path)
    ready = installed.run("azurerm", terraform, "init", "-input=false", "-no-color")
    assert ready.returncode == 0, ready.stdout + ready.stderr
    planned = installed.run("azurerm", terraform, "plan", "-input=false", "-no-color")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "Plan: 2 to add, 0 to change, 0 to destroy." in planned.stdout


def arm(installed: Installed) -> None:
    """Without an issuer it says what it needs."""
    _write_private(installed.folder / "arm.json", _arm_settings())
    ended = installed.run("arm", "--config", "arm.json")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1), ended.stderr
    assert "install arm-emulator[issuer]" in ended.stderr


def _arm_settings(**more: Any) -> dict[str, Any]:
    return {
        "data_dir": "arm",
        "tenant_id": "33333333-3333-4333-8333-333333333333",
        "subscription_id": "44444444-4444-4444-8444-444444444444",
        "control_secret": "only-for-this-run",
        **more,
    }


def _write_private(path: Path, document: dict[str, Any]) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(document), encoding="utf-8")


def mongodb(installed: Installed) -> None:
    """Flags only, and a driver from outside."""
    with (
        installed.serving("mongodb", "--port", "0", "--data-dir", "data") as port,
        MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{port}", serverSelectionTimeoutMS=10_000) as client,
    ):
        client.shop.orders.insert_one({"_id": 1, "total": 5})
        assert client.shop.orders.find_one({"total": {"$gt": 4}}) == {"_id": 1, "total": 5}


def apim(installed: Installed) -> None:
    """A policy is checked, then served in front of a backend."""
    policy = str(EMULATORS / "apim" / "tests" / "samples" / "good" / "errors-as-json.xml")
    checked = installed.run("apim", "check", policy)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    passing = installed.folder / "policy.xml"
    passing.write_text(
        "<policies><inbound><base /></inbound><backend><base /></backend><outbound><base />"
        '<set-header name="X-From" exists-action="override"><value>policy</value></set-header></outbound></policies>',
        encoding="utf-8",
    )
    with _backend() as url:
        arguments = ("serve", "--policy", str(passing), "--backend", url, "--port", "0")
        with installed.serving("apim", *arguments) as port:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"http://127.0.0.1:{port}/orders", timeout=20) as answer:
                assert (answer.headers["X-From"], answer.read()) == ("policy", b"/orders")


@contextmanager
def _backend() -> Iterator[str]:
    """Answers with the path that it was asked for."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.path)))
            self.end_headers()
            self.wfile.write(self.path.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


USES: dict[str, Callable[[Installed], None]] = {
    "apim": apim,
    "arm": arm,
    "azurerm": azurerm,
    "entra": entra,
    "mongodb": mongodb,
}


@pytest.mark.parametrize("emulator", PACKAGED)
def test_an_emulator_alone_in_a_clean_environment(install: Callable[..., Installed], emulator: str) -> None:
    installed = install(emulator)
    help_ = installed.run(emulator, "--help")
    assert help_.returncode == 0, help_.stderr
    assert f"python -m emulators.{emulator}" in help_.stdout
    USES[emulator](installed)
    written = {path.name for path in installed.python.parents[1].rglob("emulators/**/*") if path.suffix != ".pyc"}
    assert not {"cache", ".twin", "keys.json", "cloud.json"} & written, "it wrote beside its own code"


def test_the_control_plane_with_its_issuer(install: Callable[..., Installed]) -> None:
    """arm-emulator[issuer]: the control port answers, and production's sign-in through the proxy."""
    installed = install("arm", "entra")
    daemon = {
        "client_id": "22222222-bbbb-4bbb-8bbb-000000000001",
        "object_id": "22222222-bbbb-4bbb-8bbb-000000000002",
        "name": "pipeline",
        "secret": "only-for-this-run",
    }
    settings = _arm_settings(applications=[daemon])
    _write_private(installed.folder / "arm.json", settings)
    with installed.serving("arm", "--config", "arm.json"):
        endpoints = json.loads((installed.folder / "arm" / "endpoints.json").read_text(encoding="utf-8"))
        headers = {"X-Control": settings["control_secret"]}
        assert _fetch(f"{endpoints['control']}/cloud", headers=headers)["resources"] == []
        arguments = _curl(endpoints, settings["tenant_id"], daemon)
        token = subprocess.run(arguments, cwd=installed.folder, capture_output=True, text=True, timeout=60, check=False)
        assert json.loads(token.stdout)["token_type"] == "Bearer", token.stdout + token.stderr


def _curl(endpoints: dict[str, str], tenant: str, daemon: dict[str, str]) -> Sequence[str]:
    """A client in a process of its own: proxy and authority are all that it is told."""
    form = {
        "grant_type": "client_credentials",
        "client_id": daemon["client_id"],
        "client_secret": daemon["secret"],
        "scope": "https://management.azure.com/.default",
    }
    program = (
        "import ssl, sys, urllib.request as u\n"
        "proxy, authority, url, form = sys.argv[1:]\n"
        "tls = u.HTTPSHandler(context=ssl.create_default_context(cafile=authority))\n"
        "opener = u.build_opener(u.ProxyHandler({'https': proxy}), tls)\n"
        "print(opener.open(url, form.encode(), timeout=20).read().decode())\n"
    )
    url = f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
    where = (endpoints["proxy"], endpoints["certificate_authority"], url)
    return [sys.executable, "-c", program, *where, urllib.parse.urlencode(form)]
