"""Answers to `tools/call` as JSON-RPC text, written without the SDK's models.

The SDK validates and dumps each answer twice, which costs more than a small query. What a protocol version adds to an
answer or leaves out is asked of the SDK once, at start; tests compare the two ways answer by answer.
"""

from __future__ import annotations

import json
from typing import Any

from mcp_types import SERVER_INFO_META_KEY, CallToolResult
from mcp_types.methods import serialize_server_result
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mongo_db_server import ejson
from mongo_db_server.errors import CallError
from mongo_db_server.replies import Reply, error_texts, texts_and_facts

_WRITTEN_PER_CALL = ("content", "structuredContent", "isError")


class Envelope:
    """How one protocol version wraps an answer. `server_info` is the SDK's own stamp."""

    def __init__(self, version: str, server_info: Any) -> None:
        sample = CallToolResult(content=[], structured_content={})
        shaped = serialize_server_result(
            "tools/call", version, sample.model_dump(by_alias=True, mode="json", exclude_none=True)
        )
        self._structured = "structuredContent" in shaped
        rest = {name: value for name, value in shaped.items() if name not in _WRITTEN_PER_CALL}
        if version in MODERN_PROTOCOL_VERSIONS:
            rest["_meta"] = {SERVER_INFO_META_KEY: server_info}
        self._rest = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in rest.items())

    def write(self, request_id: int | str, answer: Reply | CallError) -> bytes:
        """One JSON-RPC response."""
        if isinstance(answer, CallError):
            result = f'{_content(error_texts(answer))},"isError":true'
        else:
            texts, facts = texts_and_facts(answer)
            structured = f',"structuredContent":{_structured(answer, facts)}' if self._structured else ""
            result = f'{_content(texts)}{structured},"isError":false'
        return f'{{"jsonrpc":"2.0","id":{json.dumps(request_id)},"result":{{{result}{self._rest}}}}}'.encode()


def _content(texts: list[str]) -> str:
    return '"content":' + ejson.text([{"type": "text", "text": text} for text in texts])


def _structured(reply: Reply, facts: dict[str, Any]) -> str:
    """The facts with the untrusted items, which are JSON text already, put in as they are."""
    written = ejson.text(facts)
    if reply.untrusted is None:
        return written
    items = ",".join(reply.untrusted.texts)
    return f"{written[:-1]},{json.dumps(reply.untrusted.name)}:[{items}]}}"
