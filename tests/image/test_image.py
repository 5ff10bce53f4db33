"""The server's image: how it is made, how it runs, how it is pushed, deployed by digest, and rolled back."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import docker
import pytest

from ops.images import engine, provenance, sbom
from tests.image import base
from tests.image.conftest import REPOSITORY, Rig
from tools import release

LARGEST = 150_000_000  # bytes over the base
NO_SHELL = {f"/bin/{name}": "/dev/null" for name in ("sh", "bash", "dash")}
LISTED = "import importlib.metadata as m; print('\\n'.join(d.name + '==' + d.version for d in m.distributions()))"


def test_the_platform_answers_through_the_gateway(deployed: Rig) -> None:
    """A call with a token of the reader reaches a container, which asks the database."""
    answer = deployed.platform.call("tools/call", {"name": "list-databases", "arguments": {}}, user="reader")
    assert answer.status == 200, answer.text
    assert "platform" in answer.text, answer.text
    assert len(deployed.containers()) == 2


def test_the_image_is_small_and_says_what_it_is(deployed: Rig, image: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Under 150 MB over its base, a user by number, a health check without a shell, labels of its origin."""
    over = image.attrs["Size"] - deployed.docker.images.get(base.NAME).attrs["Size"]
    config = image.attrs["Config"]
    size = image.attrs["Size"]
    with capsys.disabled():  # for the transcript
        sys.stdout.write(f" [{size / 1e6:.0f} MB, {over / 1e6:.0f} MB over its base; user {config['User']}] ")
    assert over < LARGEST
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"] == ["CMD", "python", "-m", "gateway_healthcheck"]
    assert config["Entrypoint"] == ["python", "-m", "mongo_db_server"]
    assert config["Labels"]["org.opencontainers.image.version"] == release.version()
    assert config["Labels"]["org.opencontainers.image.base.name"] == base.NAME


def test_containers_are_closed(deployed: Rig) -> None:
    """Read-only, no root, no capability and no way to one; and who may inspect them reads no password."""
    for container in deployed.containers():
        host = container.attrs["HostConfig"]
        assert container.attrs["Config"]["User"] == "10001:10001"
        assert (host["ReadonlyRootfs"], host["CapDrop"], host["SecurityOpt"]) == (True, ["ALL"], ["no-new-privileges"])
        assert "mongodb://" not in json.dumps(container.attrs)
        status = container.exec_run(["python", "-c", "print(open('/proc/1/status').read())"]).output.decode()
        found = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert (found["Uid"].split()[0], found["CapEff"], found["NoNewPrivs"]) == ("10001", "0" * 16, "1")
        written = container.exec_run(["python", "-c", "open('/opt/venv/x', 'w')"])
        assert "Read-only file system" in written.output.decode()


def test_containers_are_healthy(deployed: Rig) -> None:
    """The image's own health check agrees."""
    for container in deployed.containers():
        checked = container.exec_run(["python", "-m", "gateway_healthcheck"])
        assert checked.exit_code == 0, checked.output


def test_no_shell_is_needed(deployed: Rig, image: Any) -> None:
    """With every shell of the base taken away, the server starts and its health check answers."""
    running = next(c for c in deployed.containers() if "reader" in c.name).attrs
    given = dict(pair.split("=", 1) for pair in running["Config"]["Env"])
    wanted = {name: value for name, value in given.items() if name.startswith("MCP_")}
    container = deployed.docker.containers.run(
        image.id,
        detach=True,
        environment={**wanted, "HOST": "127.0.0.1", "PORT": "18975", "MONGODB_URI": "mongodb://127.0.0.1:9"},
        volumes=[f"{nothing}:{shell}:ro" for shell, nothing in NO_SHELL.items()],
        network_mode="host",
        read_only=True,
        cap_drop=["ALL"],
    )
    try:
        for shell in NO_SHELL:
            assert container.exec_run([shell, "-c", "true"]).exit_code != 0, f"{shell} still runs"
        check = ["python", "-m", "gateway_healthcheck"]
        _until(lambda: container.exec_run(check).exit_code == 0, container.logs)
    finally:
        container.remove(force=True)


def test_the_sbom_lies_beside_the_digest(deployed: Rig) -> None:
    """It names exactly the packages that the image holds, and the digest; provenance is there where BuildKit built."""
    digest = _recorded(deployed)["digest"]
    folder = deployed.home / "images/mongodb-mcp" / digest.removeprefix("sha256:")
    found = json.loads((folder / sbom.FILE).read_text(encoding="utf-8"))
    held = deployed.containers()[0].exec_run(["python", "-I", "-c", LISTED]).output.decode().split()
    assert {f"{c['name']}=={c['version']}" for c in found["components"]} == {_normal(line) for line in held}
    image = found["metadata"]["component"]
    assert image["hashes"] == [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}]
    assert image["pedigree"]["ancestors"][0]["name"] == base.NAME
    assert (folder / provenance.FILE).exists() == engine.has_buildx()


def test_nobody_pulls_without_a_sign_in(deployed: Rig) -> None:
    """The registry asks for a token, and `az acr login` is what got one for the push."""
    assert any("push" in scopes for scopes in deployed.registry.sign_ins)
    reference = f"{REPOSITORY}:{release.version()}"
    with pytest.raises(docker.errors.APIError, match=r"(?i)401|unauthorized"):
        deployed.docker.api.inspect_distribution(reference, auth_config={"username": "x", "password": "y"})


def test_a_second_image_goes_out_and_the_first_comes_back(deployed: Rig) -> None:
    """Deployed by digest, each; the roll-back pulls the first digest again, which the engine has no more."""
    first = _recorded(deployed)["digest"]
    module = deployed.servers / "mongo-db-server/src/mongo_db_server/__init__.py"
    module.write_text(module.read_text(encoding="utf-8") + "\nRELEASE = 2\n", encoding="utf-8")
    deployed.platform.invoke("deploy", "--runtime", "docker", timeout=600)
    second = _recorded(deployed)["digest"]
    assert second != first
    assert _running(deployed) == {f"{REPOSITORY}@{second}"}
    deployed.docker.images.remove(f"{REPOSITORY}@{first}", force=True)

    deployed.platform.invoke("rollback", "--server", "mongodb", "--setting", "RUNTIME=docker", timeout=600)

    assert _recorded(deployed)["digest"] == first
    assert _running(deployed) == {f"{REPOSITORY}@{first}"}
    answer = deployed.platform.call("tools/list", user="admin")
    assert answer.status == 200, answer.text


def test_the_same_sources_give_the_same_layer(deployed: Rig) -> None:
    """Built again from nothing, every layer has the digest that it had."""
    source = {"path": str(deployed.servers), "dockerfile": "mongo-db-server/Dockerfile"}
    arguments = {"BASE_IMAGE": base.NAME, "SOURCE_DATE_EPOCH": "0"}
    kept, _ = deployed.docker.images.build(**source, buildargs=arguments, network_mode="host", tag="again:1")
    again, _ = deployed.docker.images.build(
        **source, buildargs=arguments, network_mode="host", tag="again:2", nocache=True
    )
    assert again.id != kept.id
    assert again.attrs["RootFS"]["Layers"] == kept.attrs["RootFS"]["Layers"]


def _recorded(rig: Rig) -> dict[str, Any]:
    path = rig.home / "terraform/environments/local/images.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["mongodb"]
    return found


def _running(rig: Rig) -> set[str]:
    return {container.attrs["Config"]["Image"] for container in rig.containers()}


def _normal(line: str) -> str:
    name, _, version = line.partition("==")
    return f"{name.lower().replace('_', '-').replace('.', '-')}=={version}"


def _until(met: Callable[[], bool], words: Callable[[], bytes], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, words().decode()
        time.sleep(0.5)
