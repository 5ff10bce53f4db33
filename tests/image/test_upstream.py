"""An image that somebody else publishes, by its digest: from a registry of theirs, through an engine, behind the front.

The registry is Debian's docker-registry, which lets everybody in, and the engine one of this run's own. The image holds
BusyBox and a script, as many published ones hold no Python: it speaks MCP over HTTP, and says whose token it was shown.
"""

from __future__ import annotations

import io
import json
import shutil
import socket
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from gateway_auth.front import app
from gateway_auth.front.settings import FrontSettings
from gateway_auth.testing import AUTH_ENVIRONMENT, Signer, gateway_headers
from starlette.testclient import TestClient

from ops.cli.steps import Runner
from ops.config import environment as environments
from ops.errors import OpsError
from ops.images import upstream
from ops.terraform import workspace
from tests.image.engine import Engine
from tests.support import own_platform
from twin.supervise.docker_box import Box, Boxes

NETWORK = "10.213.7.1/24"  # of the engine's own containers
PORT = 9001
PATH = "/cgi-bin/mcp"
SCRIPT = """#!/bin/sh
body=$(head -c "${CONTENT_LENGTH:-0}")
id=$(printf %s "$body" | sed -n 's/.*"id": *\\([0-9]*\\).*/\\1/p')
method=$(printf %s "$body" | sed -n 's/.*"method": *"\\([^"]*\\)".*/\\1/p')
about='{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"charts","version":"1"}}'
tool='{"name":"whose","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}'
case "$REQUEST_METHOD $method" in
  "POST initialize") answer="\\"result\\":$about" ;;
  "POST tools/list") answer="\\"result\\":{\\"tools\\":[$tool]}" ;;
  "POST tools/call") text="\\"type\\":\\"text\\",\\"text\\":\\"$HTTP_AUTHORIZATION\\""
    answer="\\"result\\":{\\"content\\":[{$text}]}" ;;
  POST*) answer='"error":{"code":-32601,"message":"no such method"}' ;;
  *) printf 'Status: 405 Method Not Allowed\\r\\n\\r\\n'; exit ;;
esac
if [ -z "$id" ]; then printf 'Status: 202 Accepted\\r\\n\\r\\n'; exit; fi
printf 'Content-Type: application/json\\r\\n\\r\\n{"jsonrpc":"2.0","id":%s,%s}' "$id" "$answer"
"""


@dataclass(frozen=True)
class Published:
    """Somebody's image in their registry, and the engine of whoever hosts it."""

    reference: str
    engine: Engine


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def layer() -> bytes:
    """A root file system: BusyBox, a shell of its name, and what answers."""
    program = shutil.which("busybox")
    if not program:
        raise RuntimeError("busybox is not on PATH; `nox -s image` installs Debian's busybox-static")
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for folder in ("bin", "tmp", "www", "www/cgi-bin"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for name, data in (("bin/busybox", Path(program).read_bytes()), ("www/cgi-bin/mcp", SCRIPT.encode())):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            tar.addfile(entry, io.BytesIO(data))
        for name in ("sh", "head", "sed"):
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return made.getvalue()


def published(engine: Engine, registry: str) -> str:
    """Push it as its publisher would, take it out of the engine again, and return its reference by digest."""
    name = f"{registry}/owner/charts"
    command = ["/bin/busybox", "httpd", "-f", "-p", str(PORT), "-h", "/www"]
    engine.client.api.import_image_from_data(
        layer(), repository=name, tag="1", changes=[f"ENTRYPOINT {json.dumps(command)}", "ENV PATH=/bin"]
    )
    said = [json.loads(line) for line in engine.client.images.push(name, tag="1").splitlines()]
    digest = next((line["aux"]["Digest"] for line in said if "aux" in line), None)
    assert digest, said
    engine.client.images.remove(f"{name}:1", force=True)
    return f"{name}@{digest}"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("upstream")
    port = free_port()
    settings = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(folder / "store")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    (folder / "registry.json").write_text(json.dumps(settings), encoding="utf-8")  # YAML, as JSON is
    with (folder / "registry.log").open("wb") as log:
        store = subprocess.Popen(["docker-registry", "serve", str(folder / "registry.json")], stdout=log, stderr=log)
    try:
        engine = Engine(folder / "engine", {}, NETWORK)
        try:
            answers(f"http://127.0.0.1:{port}/v2/", lambda: (folder / "registry.log").read_text(errors="replace"))
            yield Published(published(engine, f"127.0.0.1:{port}"), engine)
        finally:
            engine.stop()
    finally:
        store.terminate()
        store.wait(20)


def answers(url: str, words: Any, seconds: float = 30) -> None:
    """Wait until something answers there, whatever it says."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            assert time.monotonic() < deadline, words()
            time.sleep(0.1)
        else:
            return


def imported(folder: Path, image: Published, reference: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Add a server of that image and bring the image here, as `invoke push` and `invoke deploy` do; return the home."""
    monkeypatch.setenv("DOCKER_HOST", image.engine.host)
    monkeypatch.setenv("DOCKER_CONFIG", str(folder / "nobody-is-signed-in"))
    platform = own_platform.copied(folder, "servers", RUNTIME="docker")
    platform.invoke("add-server", "charts", "--image", reference, "--port", str(PORT), "--path", PATH)
    environment = environments.load("local", {**platform.variables})
    upstream.require_engine(environment)
    upstream.import_all(workspace.locate(environment, {}, runner=Runner()))
    return environment.home


def test_it_is_imported_by_digest_and_called_behind_the_front(
    image: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs closed, reached from this machine alone; the front hands it the token of who calls, and nothing else."""
    home = imported(tmp_path, image, image.reference, monkeypatch)
    digest = image.reference.partition("@")[2]
    noted = json.loads((home / f"images/owner/charts/{digest.removeprefix('sha256:')}/image.json").read_text())
    assert (noted["reference"], noted["foreign"]) == (image.reference, True)
    assert image.engine.client.images.get(image.reference).attrs["RepoDigests"] == [image.reference]
    port, boxes = free_port(), Boxes(image.engine.client, home)
    container = boxes.create(Box("charts", image.reference, (), port, {"PORT": str(PORT)}, {}, 0.1, PORT))
    try:
        container.start()
        url = f"http://127.0.0.1:{port}{PATH}"
        answers(url, container.logs)
        host = container.attrs["HostConfig"]
        assert (host["ReadonlyRootfs"], host["CapDrop"], host["SecurityOpt"]) == (True, ["ALL"], ["no-new-privileges"])
        process = container.top()["Processes"][0]
        assert {"65534", "nobody"} & set(process)
        assert called(url, "gateway") == ""
        assert called(url, "caller") == "Bearer token-of-ada"
    finally:
        boxes.remove()


def test_another_digest_is_said_to_be_none(image: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the registry's tags say: what is not what was named is not run, and nothing is noted."""
    other = f"{image.reference.partition('@')[0]}@sha256:{'0' * 64}"
    with pytest.raises(OpsError, match=r"front.upstream of charts names, cannot be pulled: there is no such image"):
        imported(tmp_path, image, other, monkeypatch)
    assert not list(tmp_path.glob("home/images/owner/charts/*"))


def called(url: str, identity: str) -> str:
    """What its tool says of the token that it was shown, called through a front as a person."""
    mint = Signer()
    values = {name.lower(): value for name, value in AUTH_ENVIRONMENT.items()}
    settings = FrontSettings(
        **values,
        mcp_server_name="charts",
        mcp_front_reads=True,
        mcp_front_identity=identity,  # type: ignore[arg-type]
    )
    gate = app.of_address(settings, url, mint.fetch)
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "whose", "arguments": {}}}
    headers = gateway_headers(mint(), x_mcp_downstream_token="token-of-ada")
    accept = {"accept": "application/json, text/event-stream"}
    with TestClient(gate, base_url="http://127.0.0.1") as client:
        answer = client.post("/mcp", headers=headers | accept, json=body).json()
    return str(answer["result"]["content"][0]["text"])
