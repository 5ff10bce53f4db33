from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ops.config.environment import ROOT
from ops.errors import ImageError
from ops.images import catalog as images
from ops.images import documents as images_papers
from ops.images import provenance as images_origin
from ops.images import sbom as images_sbom
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


@pytest.mark.parametrize(("python", "names"), [("3.12.4", ["fast-mcp"]), ("3.11.2", ["fast-mcp", "zipp"])])
def test_a_bill_names_what_the_lock_installs_there(python: str, names: list[str]) -> None:
    """Lines for other platforms and other Pythons are left out; names are normalised, all hashes kept."""
    found = images_sbom.packages(LOCK, python)
    assert [package.name for package in found] == names
    assert found[0].purl == "pkg:pypi/fast-mcp@4.1.2"
    assert found[0].hashes == ("1" * 64, "2" * 64)


@pytest.mark.parametrize("line", ["httpx>=1 --hash=sha256:" + "1" * 64, "httpx==1.0", "!! --hash=sha256:" + "1" * 64])
def test_a_loose_lock_is_refused(line: str) -> None:
    """A line that pins no version, or has no hash, does not say what was installed."""
    with pytest.raises(ImageError, match="compile it again"):
        images_sbom.packages(line, "3.12.4")


def test_the_same_image_has_the_same_bill() -> None:
    """Nothing of the clock or of chance is in it; every component is one that the image depends on."""
    bill = images_sbom.bill("mongodb-mcp", "0.1.0", DIGEST, LOCK, "3.11.2", ORIGIN)
    assert bill == images_sbom.bill("mongodb-mcp", "0.1.0", DIGEST, LOCK, "3.11.2", ORIGIN)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    references = [component["bom-ref"] for component in bill["components"]]
    assert bill["dependencies"] == [{"ref": bill["metadata"]["component"]["bom-ref"], "dependsOn": references}]
    other = images_sbom.bill("mongodb-mcp", "0.1.0", DIGEST, LOCK, "3.12.4", ORIGIN)
    assert other["serialNumber"] != bill["serialNumber"]


def test_the_servers_own_lock_is_a_whole_bill() -> None:
    """The lock of this project's server gives a bill with what the server calls by name."""
    lock = (ROOT / "servers/mongo-db-server/requirements.txt").read_text(encoding="utf-8")
    assert {"fastmcp", "pymongo", "joserfc", "uvicorn"} <= {p.name for p in images_sbom.packages(lock, "3.12.4")}


def test_provenance_says_commit_lock_and_base(servers: Path, tmp_path: Path) -> None:
    """Whoever has the image can find the sources, the lock and the base that it was made of."""
    origin = Origin("d" * 40, 0, dirty=True, repository="https://h/r", base="b:1", base_digest="sha256:" + "e" * 64)
    statement = images_origin.statement("r", DIGEST, origin, {"requirements.txt": b""}, {"platform": "linux/amd64"})
    definition = statement["predicate"]["buildDefinition"]
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert definition["resolvedDependencies"] == [
        {"uri": "git+https://h/r", "digest": {"gitCommit": "d" * 40}},
        {
            "name": "requirements.txt",
            "digest": {"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        },
        {"uri": "docker://b:1", "digest": {"sha256": "e" * 64}},
    ]
    assert definition["internalParameters"] == {"uncommittedChanges": True}


def test_papers_without_a_lock(servers: Path, tmp_path: Path) -> None:
    """An image without a lock has no bill, and the missing file is named."""
    source = images.sources(servers)["mongodb-mcp"]
    source.requirements.unlink()
    with pytest.raises(ImageError, match=r"need .*requirements\.txt, which cannot be read"):
        images_papers.write(tmp_path, Image("mongodb", "mongodb-mcp", "1", source), DIGEST, "3.12.4", ORIGIN)


def test_the_commit_is_the_folders_own(tmp_path: Path) -> None:
    """A commit elsewhere leaves an image as it is; what is not committed shows; a password in an address does not."""
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "a").write_text("1", encoding="utf-8")
    assert images_origin.look(folder).commit == "unknown"

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    git("remote", "add", "origin", "https://user:token@example.test/repo.git")
    git("add", "server")
    git("commit", "-m", "server")
    first = images_origin.look(folder)
    (tmp_path / "b").write_text("2", encoding="utf-8")
    git("add", "b")
    git("commit", "-m", "elsewhere")
    assert images_origin.look(folder) == first
    assert (first.dirty, first.repository) == (False, "https://example.test/repo.git")
    (folder / "a").write_text("3", encoding="utf-8")
    assert images_origin.look(folder).dirty
