from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ops.config.environment import ROOT
from ops.errors import ImageError
from ops.images import catalog, local_store, provenance, sbom
from ops.images.catalog import Image
from ops.images.provenance import Origin

DIGEST = "sha256:" + "c" * 64
ORIGIN = Origin("d" * 40, 1_700_000_000, dirty=False, repository="https://example.test/r", base="python:3.12-slim")
LOCK = f"""
# a comment
Fast_MCP==4.1.2 \\
    --hash=sha256:{"1" * 64} \\
    --hash=sha256:{"2" * 64}
    # via mongo-db-server
pywin32==312 ; sys_platform == 'win32' \\
    --hash=sha256:{"3" * 64}
zipp==4.1.2 ; python_full_version < '3.12' \\
    --hash=sha256:{"4" * 64}
"""


def document(python: str = "3.11.2", origin: Origin = ORIGIN) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        sbom.document("mongodb-mcp", "0.1.0", DIGEST, LOCK, python, origin, {"VERSION": "0.1.0"})
    )
    return found


@pytest.mark.parametrize(("python", "names"), [("3.12.4", ["fast-mcp"]), ("3.11.2", ["fast-mcp", "zipp"])])
def test_an_sbom_names_what_the_lock_installs_there(python: str, names: list[str]) -> None:
    """Lines for other platforms and other Pythons are left out; names are normalised, all hashes kept."""
    found = document(python)["components"]
    assert [component["name"] for component in found] == names
    assert found[0]["purl"] == "pkg:pypi/fast-mcp@4.1.2"
    assert [one["value"] for one in found[0]["properties"]] == ["1" * 64, "2" * 64]


@pytest.mark.parametrize("line", ["httpx>=1 --hash=sha256:" + "1" * 64, "httpx==1.0", "!! --hash=sha256:" + "1" * 64])
def test_a_loose_lock_is_refused(line: str) -> None:
    """A line that pins no version, or has no hash, does not say what was installed."""
    with pytest.raises(ImageError, match="compile it again"):
        sbom.packages(line, "3.12.4")


def test_the_same_image_has_the_same_sbom() -> None:
    """Nothing of the clock or of chance is in it; every component is one that the image depends on."""
    found = document()
    assert found == document()
    assert found["metadata"]["timestamp"].startswith("2023-11-14T22:13:20")
    references = [component["bom-ref"] for component in found["components"]]
    image = found["metadata"]["component"]
    assert {"ref": image["bom-ref"], "dependsOn": references} in found["dependencies"]
    assert document("3.12.4")["serialNumber"] != found["serialNumber"]


def test_the_document_keeps_cyclonedx_own_schema() -> None:
    """The schema that cyclonedx-python-lib brings along knows every field."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document())) is None


def test_the_servers_own_lock_is_a_whole_sbom() -> None:
    """The lock of this project's server gives an SBOM with what the server calls by name."""
    lock = (ROOT / "servers/mongo-db-server/requirements.txt").read_text(encoding="utf-8")
    assert {"fastmcp", "pymongo", "joserfc", "uvicorn"} <= {str(p.name) for p in sbom.packages(lock, "3.12.4")}


def test_the_pedigree_says_commit_and_base() -> None:
    """Whoever has the image can find the sources, the lock and the base that it was made of."""
    origin = Origin("d" * 40, 0, dirty=True, repository="https://h/r", base="b:1", base_digest="sha256:" + "e" * 64)
    found = document(origin=origin)["metadata"]
    pedigree = found["component"]["pedigree"]
    assert pedigree["commits"] == [{"uid": "d" * 40, "url": "https://h/r"}]
    (base,) = pedigree["ancestors"]
    assert (base["name"], base["hashes"]) == ("b:1", [{"alg": "SHA-256", "content": "e" * 64}])
    facts = {one["name"]: one["value"] for one in found["properties"]}
    assert facts["source:uncommitted-changes"] == "true"
    assert facts["build:argument:VERSION"] == "0.1.0"
    assert len(facts["lock:sha256"]) == 64


def test_buildkits_provenance_becomes_a_statement_about_the_pushed_digest() -> None:
    """BuildKit tells the predicate; what it is about is known after the push. Both versions of SLSA."""
    old = json.loads(provenance.statement("r", DIGEST, {"buildType": "https://mobyproject.org/buildkit@v1"}))
    assert old["subject"] == [{"name": "r", "digest": {"sha256": "c" * 64}}]
    assert (old["_type"], old["predicateType"]) == (
        "https://in-toto.io/Statement/v0.1",
        "https://slsa.dev/provenance/v0.2",
    )
    new = json.loads(provenance.statement("r", DIGEST, {"buildDefinition": {}}))
    assert (new["_type"], new["predicateType"]) == (
        "https://in-toto.io/Statement/v1",
        "https://slsa.dev/provenance/v1",
    )


def test_an_sbom_without_a_lock(servers: Path, tmp_path: Path) -> None:
    """An image without a lock has no SBOM, and the missing file is named."""
    source = catalog.sources(servers)["mongodb-mcp"]
    source.requirements.unlink()
    image = Image("mongodb", "mongodb-mcp", "1", source)
    with pytest.raises(ImageError, match=r"needs .*requirements\.txt, which cannot be read"):
        local_store.describe(tmp_path, image, DIGEST, "3.12.4", ORIGIN, {})


def test_the_commit_is_the_folders_own(tmp_path: Path) -> None:
    """A commit elsewhere leaves an image as it is; what is not committed shows; a password in an address does not."""
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "a").write_text("1", encoding="utf-8")
    assert provenance.find_origin(folder).commit == "unknown"

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    git("remote", "add", "origin", "https://user:token@example.test/repo.git")
    git("add", "server")
    git("commit", "-m", "server")
    first = provenance.find_origin(folder)
    (tmp_path / "b").write_text("2", encoding="utf-8")
    git("add", "b")
    git("commit", "-m", "elsewhere")
    assert provenance.find_origin(folder) == first
    assert (first.dirty, first.repository) == (False, "https://example.test/repo.git")
    (folder / "a").write_text("3", encoding="utf-8")
    assert provenance.find_origin(folder).dirty
