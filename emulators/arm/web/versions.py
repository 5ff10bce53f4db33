"""Blob versions, which Azurite does not keep: here they are its snapshots, taken before a blob is changed or deleted.

"Blob versioning": every write and deletion keeps what was there, under the time of that version; reading `?versionid=`
gives it back, and a list with `include=versions` shows all of them.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response

Send = Callable[[str, str, str, Mapping[str, str], bytes], Awaitable[Response]]
"""Method, path, query, headers and body to Azurite."""

_KEEPING = (None, "metadata", "properties", "blocklist")
"""`comp` of the PUT requests after which there is a new version; leases and blocks make none."""
_PASSED_ON = ("authorization", "x-ms-version", "x-ms-date", "host")
_VERSION_ID = re.compile(r"(^|&)versionid=", re.IGNORECASE)
_LISTED = re.compile(r"(\binclude=(?:[^&]*(?:,|%2C))?)versions", re.IGNORECASE)
_BLOB = re.compile(r"<Blob>(.*?)</Blob>", re.DOTALL)


async def forward(send: Send, request: Request, body: bytes) -> Response:
    """The request, with versions in the place of Azurite's snapshots."""
    path, query = request.scope["raw_path"].decode(), request.scope["query_string"].decode()
    headers = {name: value for name, value in request.headers.items() if name not in ("connection", "content-length")}
    if _changes(request):
        await _keep(send, path, headers)
    listing = "versions" in request.query_params.get("include", "").split(",")
    if listing:
        query = _LISTED.sub(r"\1snapshots", query)
    answer = await send(request.method, path, _VERSION_ID.sub(r"\1snapshot=", query), headers, body)
    return _with_versions(answer) if listing and answer.status_code == 200 else answer


def _changes(request: Request) -> bool:
    """A blob as a whole is written or deleted: not a version of it, not a container."""
    asked = request.query_params
    if request.url.path.strip("/").count("/") < 1 or "versionid" in asked or "snapshot" in asked:
        return False
    return request.method == "DELETE" or (request.method == "PUT" and asked.get("comp") in _KEEPING)


async def _keep(send: Send, path: str, headers: Mapping[str, str]) -> None:
    """What is there now becomes a version; where nothing is there yet, nothing does."""
    own = {name: headers[name] for name in _PASSED_ON if name in headers}
    await send("PUT", path, "comp=snapshot", own, b"")


def _with_versions(answer: Response) -> Response:
    """Azurite's list of blobs and snapshots, as the list of versions that Azure gives."""
    text = _BLOB.sub(lambda found: f"<Blob>{_version(found[1])}</Blob>", bytes(answer.body).decode())
    kept = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return Response(text, answer.status_code, kept)


def _version(blob: str) -> str:
    if "<Snapshot>" in blob:
        return re.sub(r"<(/?)Snapshot>", r"<\1VersionId>", blob)
    changed = re.search(r"<Last-Modified>([^<]+)</Last-Modified>", blob)
    current = parsedate_to_datetime(changed[1]).strftime("%Y-%m-%dT%H:%M:%S.0000000Z") if changed else ""
    told = f"<VersionId>{current}</VersionId><IsCurrentVersion>true</IsCurrentVersion>"
    return blob.replace("</Name>", f"</Name>{told}", 1)
