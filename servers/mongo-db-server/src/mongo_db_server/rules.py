"""The operator's rules for every call, read from the settings once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from mongo_db_server.fields import FieldRules
from mongo_db_server.patterns import AllowDeny, Scope

if TYPE_CHECKING:
    from mongo_db_server.settings import Settings


@dataclass(frozen=True)
class Rules:
    """`regex_length` is in characters, `depth` in levels of nesting of what a caller sends."""

    scope: Scope = field(default_factory=Scope)
    fields: FieldRules = field(default_factory=FieldRules)
    tools: AllowDeny = field(default_factory=AllowDeny)
    regex_length: int = 1_000
    depth: int = 100

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Raises SettingsError for a field pattern that cannot be carried out."""
        return cls(
            scope=Scope(
                AllowDeny.of(settings.mcp_databases_allow, settings.mcp_databases_deny),
                AllowDeny.of(settings.mcp_collections_allow, settings.mcp_collections_deny),
            ),
            fields=FieldRules.of(settings.mcp_fields_allow, settings.mcp_fields_deny),
            tools=AllowDeny.of(settings.mcp_tools_allow, settings.mcp_tools_deny),
            regex_length=settings.mcp_regex_length_ceiling,
            depth=settings.mcp_nesting_depth_ceiling,
        )
