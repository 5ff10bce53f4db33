"""One request as the gateway's ring holds it, for tests of what is made of it."""

from __future__ import annotations

from typing import Any

ID = "11111111-2222-4333-8444-555555555555"
SUMMARY: dict[str, Any] = {
    "id": ID,
    "time": "2026-11-23T10:00:00.000+00:00",
    "method": "POST",
    "path": "/mongodb/mcp",
    "api": "mcp-mongodb",
    "operation": "post",
    "rpc": "tools/call",
    "tool": "find",
    "caller": "oid",
    "client": "azp",
    "tier": "reader",
    "backend": "mongodb-reader-a",
    "status": 200,
    "milliseconds": 12.34,
    "refusal": "",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
ENTRY: dict[str, Any] = {
    "element": "choose",
    "scope": "api",
    "document": "API 'mcp-mongodb'",
    "fragment": "",
    "section": "inbound",
    "path": "choose[1]",
    "line": 12,
    "attributes": {},
    "depth": 0,
    "at": 0.1,
    "milliseconds": 0.2,
    "changes": [["tier", "", "<reader>"]],
    "conditions": [["when[1]", '@(tier == "admin")', "false"]],
    "notes": ["branch: otherwise"],
    "error": "",
}
