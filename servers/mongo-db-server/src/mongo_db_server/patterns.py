"""Names and patterns: `*` stands for any characters, `?` for one; everything else is meant as it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from mongo_db_server.errors import RefusedError
from mongo_db_server.namespaces import is_system_collection, is_system_database, require_collection, require_database


def items(text: str) -> tuple[str, ...]:
    """The parts of a comma list; empty parts do not count."""
    return tuple(part for part in (item.strip() for item in text.split(",")) if part)


@lru_cache(maxsize=1024)
def as_regex(pattern: str) -> str:
    """The pattern as an anchored regular expression that Python and MongoDB read alike."""
    body = "".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return f"^{body}$"


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Each `*` takes as little as leads to what follows it, and is never tried again (`(?>…)`): so a name that a caller
    made up costs its length times the pattern's, and not a power of it."""
    first, *rest = (
        "".join("." if char == "?" else re.escape(char) for char in part) for part in re.split(r"\*+", pattern)
    )
    between = "".join(f"(?>.*?{part})" for part in rest[:-1])
    end = f".*{rest[-1]}" if rest else ""
    return re.compile(rf"{first}{between}{end}\Z", re.DOTALL)


def matches(pattern: str, name: str) -> bool:
    return _compiled(pattern).match(name) is not None


@dataclass(frozen=True)
class AllowDeny:
    """`allow` None admits everything, an empty one nothing; whatever `deny` names stays out."""

    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()

    @classmethod
    def of(cls, allow: str | None, deny: str) -> AllowDeny:
        return cls(None if allow is None else items(allow), items(deny))

    @property
    def active(self) -> bool:
        return self.allow is not None or bool(self.deny)

    def admits(self, name: str) -> bool:
        if any(matches(pattern, name) for pattern in self.deny):
            return False
        return self.allow is None or any(matches(pattern, name) for pattern in self.allow)


@dataclass(frozen=True)
class Scope:
    """Which databases and collections exist for callers.

    A collection pattern with a dot is compared with `database.collection`, one without with the collection's name; a
    *denied* one is compared with both, so that a collection whose name holds a dot cannot slip through.
    """

    databases: AllowDeny = AllowDeny()
    collections: AllowDeny = AllowDeny()

    @property
    def active(self) -> bool:
        return self.databases.active or self.collections.active

    def admits_database(self, name: str) -> bool:
        if is_system_database(name):
            return False
        # The server folds case when it compares database names for creation, so we do when we deny.
        return not self.databases.active or (self.databases.admits(name) and self._folded.admits(name.lower()))

    @cached_property
    def _folded(self) -> AllowDeny:
        return AllowDeny(None, tuple(pattern.lower() for pattern in self.databases.deny))

    def admits_collection(self, database: str, name: str) -> bool:
        if is_system_collection(name):
            return False
        if not self.collections.active:
            return True
        whole, rules = f"{database}.{name}", self.collections
        if any(matches(pattern, whole) or matches(pattern, name) for pattern in rules.deny):
            return False
        return rules.allow is None or any(
            matches(pattern, whole if "." in pattern else name) for pattern in rules.allow
        )

    def require_database(self, name: str) -> None:
        """Raises InvalidCallError for an impossible name, RefusedError for one outside the scope."""
        require_database(name)
        if not self.admits_database(name):
            raise RefusedError(
                f"`{name}` is not among the databases that this server opens "
                "(`MCP_DATABASES_ALLOW`, `MCP_DATABASES_DENY`)."
            )

    def require_collection(self, database: str, name: str) -> None:
        """Both names. Raises InvalidCallError for an impossible one, RefusedError for one outside the scope."""
        self.require_database(database)
        require_collection(name)
        if not self.admits_collection(database, name):
            raise RefusedError(
                f"`{database}.{name}` is not among the collections that this server opens "
                "(`MCP_COLLECTIONS_ALLOW`, `MCP_COLLECTIONS_DENY`)."
            )
