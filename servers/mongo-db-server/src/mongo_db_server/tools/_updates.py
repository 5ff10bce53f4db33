"""Updates and new documents as the caller sends them, checked and in BSON values."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from mongo_db_server import queries
from mongo_db_server.errors import InvalidCallError, RefusedError
from mongo_db_server.filters import check_update
from mongo_db_server.toolkit import Call, parse_text

Update = Annotated[dict[str, Any] | list[dict[str, Any]], BeforeValidator(parse_text)]


def update_of(value: Any, call: Call) -> Any:
    """Update operators or stages. Raises InvalidCallError for anything else, RefusedError for what a rule forbids."""
    decoded = call.decode(value, "update")
    queries.check_operators(decoded, call.tier, call.rules)
    steps = decoded if isinstance(decoded, list) else [decoded]
    if not steps or not all(isinstance(step, dict) and step and _is_operators(step) for step in steps):
        raise InvalidCallError("`update` must hold update operators such as $set, or a list of update pipeline stages.")
    check_update(decoded, call.rules.fields)
    return decoded


def _is_operators(step: dict[str, Any]) -> bool:
    return all(name.startswith("$") for name in step)


def array_filters_of(value: Any, call: Call) -> Any:
    if value is None:
        return None
    decoded = call.decode(value, "array_filters")
    queries.check_operators(decoded, call.tier, call.rules)
    if call.rules.fields.active:
        raise RefusedError("`array_filters` could compare a redacted field; with redacted fields they are refused.")
    return decoded


def document_of(value: Any, where: str, call: Call) -> dict[str, Any]:
    """A document to store. Raises InvalidCallError for what is none, RefusedError for one with a redacted field."""
    decoded = call.decode(value, where)
    if not isinstance(decoded, dict):
        raise InvalidCallError(f"`{where}` must be an object.")
    if call.rules.fields.active:
        call.rules.fields.require_document(decoded)
    return decoded


def check_batch(size: int, what: str, call: Call) -> None:
    if size > call.limits.write_batch:
        raise RefusedError(
            f"{size} {what} in one call; this server takes {call.limits.write_batch} "
            "(`MCP_WRITE_BATCH_CEILING`): send them in parts."
        )
