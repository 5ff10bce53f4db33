"""What an answer of the MCP registry API v0.1 has to be, as a JSON Schema of our own.

From modelcontextprotocol/registry, docs/reference/api/openapi.yaml and docs/reference/server-json (version 2025-12-01,
read 2026-11-30): required members, lengths and patterns are those of the specification. It allows members that are not
known; here they are refused, because this registry says names and descriptions and nothing else.

The published documents are not part of this repository. Where MCP_REGISTRY_SPECIFICATION names a file of that
openapi.yaml, every answer is held against it as well (docs/registry.md says how it was last done).
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

_TEXT = {"type": "string", "minLength": 1, "maxLength": 100}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


_REMOTE = _object(
    ("type", "url"), type={"enum": ["streamable-http"]}, url={"type": "string", "pattern": r"^https?://[^\s]+$"}
)
_SIGN_IN = _object(
    ("type", "resource_metadata"), type={"const": "oauth2"}, resource_metadata={"type": "string", "format": "uri"}
)
_DETAIL = _object(
    ("name", "description", "version", "remotes", "_meta"),
    name={"type": "string", "minLength": 3, "maxLength": 200, "pattern": r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$"},
    title=_TEXT,
    description=_TEXT,
    version={"type": "string", "minLength": 1, "maxLength": 255, "not": {"const": "latest"}},
    remotes={"type": "array", "minItems": 1, "maxItems": 1, "items": _REMOTE},
    _meta=_object(
        ("io.modelcontextprotocol.registry/publisher-provided",),
        **{"io.modelcontextprotocol.registry/publisher-provided": _object(("sign-in",), **{"sign-in": _SIGN_IN})},
    ),
)
#: `ServerResponse`: VS Code reads `_meta` without looking whether it is there (mcpGalleryService.ts), so it must be.
SERVER = _object(
    ("server", "_meta"),
    server=_DETAIL,
    _meta=_object(
        ("io.modelcontextprotocol.registry/official",),
        **{
            "io.modelcontextprotocol.registry/official": _object(
                ("status", "isLatest"), status={"enum": ["active"]}, isLatest={"const": True}
            )
        },
    ),
)
#: `ServerList`.
SERVERS = _object(
    ("servers", "metadata"),
    servers={"type": "array", "items": SERVER},
    metadata=_object(("count",), count={"type": "integer"}, nextCursor={"type": "string", "minLength": 1}),
)
ERROR = _object(("error",), error={"type": "string", "minLength": 1})


def check(answer: Any, schema: dict[str, Any]) -> None:
    """Raise jsonschema.ValidationError, which names the member, where the answer is not as specified."""
    jsonschema.validate(answer, schema, format_checker=jsonschema.FormatChecker())
    if (published := os.environ.get("MCP_REGISTRY_SPECIFICATION")) and schema is not ERROR:
        name = "ServerList" if schema is SERVERS else "ServerResponse"
        _published(Path(published), name).validate(answer)
    if schema is SERVERS:
        assert answer["metadata"]["count"] == len(answer["servers"])


@cache
def _published(specification: Path, name: str) -> jsonschema.Draft202012Validator:
    """Return a validator of one schema of the specification (OpenAPI 3.1, whose schemas are JSON Schema 2020-12)."""
    document = yaml.safe_load(specification.read_text(encoding="utf-8"))
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
