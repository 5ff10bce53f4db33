"""Answers on the wire: each service words its errors in its own document."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from xml.sax.saxutils import escape

from starlette.responses import Response

from emulators.arm.call import Answer, Document
from emulators.arm.errors import AzureError

Shape = Callable[[AzureError], Response]


def plain(answer: Answer) -> Response:
    headers = {"x-ms-request-id": str(uuid.uuid4()), **answer.headers}
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    return _json(answer.body, answer.status, headers)


def _json(body: object, status: int, headers: dict[str, str]) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, headers, media_type="application/json; charset=utf-8")


def _error(error: AzureError, more: Document) -> Response:
    document = {"error": {"code": error.code, "message": error.message, **more}}
    return _json(document, error.status, {"x-ms-request-id": str(uuid.uuid4()), **error.headers})


def resource_manager(error: AzureError) -> Response:
    return _error(error, {})


def graph(error: AzureError) -> Response:
    return _error(error, {"innerError": {"request-id": str(uuid.uuid4()), "client-request-id": str(uuid.uuid4())}})


def key_vault(error: AzureError) -> Response:
    inner = error.headers.pop("x-inner-error", None)
    return _error(error, {"innererror": {"code": inner}} if inner else {})


def registry(error: AzureError) -> Response:
    return _json({"errors": [{"code": error.code, "message": error.message}]}, error.status, error.headers)


def devops(error: AzureError) -> Response:
    """Without a token that it takes, Azure DevOps shows its sign-in page, with a status that looks like success."""
    if error.code.startswith("InvalidAuthenticationToken") or error.code == "AuthenticationFailed":
        page = "<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head><body></body></html>"
        return Response(page, 203, media_type="text/html; charset=utf-8")
    document = {"$id": "1", "innerException": None, "message": error.message, "typeKey": error.code, "errorCode": 0}
    return _json(document, error.status, error.headers)


def blob(error: AzureError) -> Response:
    text = f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
    headers = {"x-ms-error-code": error.code, **error.headers}
    document = f'<?xml version="1.0" encoding="utf-8"?>{text}'
    return Response(document, error.status, headers, media_type="application/xml")
