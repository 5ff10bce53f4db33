"""Blob versions are Azurite's snapshots; the blob service here is a list of what it was asked."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from starlette.requests import Request
from starlette.responses import Response

from emulators.arm.web import versions

LIST = (
    "<Blobs><Blob><Name>s</Name><Snapshot>2026-11-23T10:00:00.1234567Z</Snapshot></Blob><Blob><Name>s</Name>"
    "<Properties><Last-Modified>Mon, 23 Nov 2026 10:01:00 GMT</Last-Modified></Properties></Blob></Blobs>"
)


class Store:
    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.headers: list[Mapping[str, str]] = []

    async def send(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Response:
        self.asked.append((method, path, query))
        self.headers.append(headers)
        return Response(LIST if "comp=list" in query else b"")


def request(method: str, path: str, query: str = "") -> Request:
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"authorization", b"Bearer x"), (b"x-ms-blob-type", b"BlockBlob"), (b"host", b"st")],
    }
    return Request(scope)


@pytest.mark.parametrize(
    ("method", "query"), [("PUT", ""), ("PUT", "comp=blocklist"), ("PUT", "comp=metadata"), ("DELETE", "")]
)
async def test_what_is_overwritten_or_deleted_is_kept_first(method: str, query: str) -> None:
    """With the caller's own right, and nothing of the new content."""
    store = Store()
    await versions.forward(store.send, request(method, "/c/s", query), b"new")
    assert store.asked == [("PUT", "/c/s", "comp=snapshot"), (method, "/c/s", query)]
    assert store.headers[0] == {"authorization": "Bearer x", "host": "st"}


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "/c/s", ""),
        ("PUT", "/c/s", "comp=lease"),
        ("PUT", "/c/s", "comp=block&blockid=MQ=="),
        ("PUT", "/c", "restype=container"),
        ("DELETE", "/c", "restype=container"),
    ],
)
async def test_what_changes_no_blob_makes_no_version(method: str, path: str, query: str) -> None:
    store = Store()
    await versions.forward(store.send, request(method, path, query), b"")
    assert store.asked == [(method, path, query)]


async def test_a_version_is_read_and_deleted_by_its_time() -> None:
    store = Store()
    for method in ("GET", "DELETE"):
        await versions.forward(store.send, request(method, "/c/s", "versionid=2026&x=1"), b"")
    assert store.asked == [("GET", "/c/s", "snapshot=2026&x=1"), ("DELETE", "/c/s", "snapshot=2026&x=1")]


async def test_a_list_says_which_version_is_the_current_one() -> None:
    store = Store()
    listed = await versions.forward(store.send, request("GET", "/c", "comp=list&include=versions"), b"")
    text = bytes(listed.body).decode()
    assert store.asked == [("GET", "/c", "comp=list&include=snapshots")]
    assert text.count("<IsCurrentVersion>true</IsCurrentVersion>") == 1
    assert "<VersionId>2026-11-23T10:00:00.1234567Z</VersionId>" in text
    assert "<VersionId>2026-11-23T10:01:00.0000000Z</VersionId>" in text
    assert "Snapshot" not in text
