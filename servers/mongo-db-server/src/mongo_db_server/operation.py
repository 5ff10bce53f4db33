"""What a tool does to the database, declared once: annotations, tier gating and the audit line follow from it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from mcp_types import ToolAnnotations

if TYPE_CHECKING:
    from mongo_db_server.settings import Tier


class Operation(StrEnum):
    READ = "read"
    METADATA = "metadata"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ADMIN = "admin"  # looks at the whole database server: changes nothing, and is not for everybody

    @property
    def writes(self) -> bool:
        return self in (Operation.CREATE, Operation.UPDATE, Operation.DELETE)

    @property
    def confirmed(self) -> bool:
        """Whether every call needs the caller's confirmation."""
        return self is Operation.DELETE

    def allowed_in(self, tier: Tier) -> bool:
        return tier == "admin" or self in (Operation.READ, Operation.METADATA)


def tool_annotations(operation: Operation, *, title: str, may_write: bool) -> ToolAnnotations:
    """Hints for clients (MCP, "ToolAnnotations"). `may_write`: an argument can make a reading tool write, as `$out`
    does, so a client must not run it unasked."""
    writes = operation.writes or may_write
    return ToolAnnotations(
        title=title,
        read_only_hint=not writes,
        destructive_hint=writes and operation is not Operation.CREATE,
        idempotent_hint=operation is Operation.DELETE or not writes,
        open_world_hint=False,
    )
