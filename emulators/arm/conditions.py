"""Conditions of role assignments, as "Delegate Azure role assignment management with conditions" writes them.

Only the delegation form is read: clauses on which roles, and which kinds of principal, may be assigned or removed.
Anything else in a condition is refused when it is written, because an unread condition would be a silent permission.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulators.arm.errors import bad_request

_ACTION = re.compile(r"ActionMatches\s*\{\s*'([^']+)'\s*\}", re.IGNORECASE)
_CLAUSE = re.compile(
    r"@(Request|Resource)\[Microsoft\.Authorization/roleAssignments:(RoleDefinitionId|PrincipalType)\]\s+"
    r"(ForAnyOfAnyValues|ForAnyOfAllValues):(Guid|String)(Not)?Equals(?:IgnoreCase)?\s*\{([^}]*)\}",
    re.IGNORECASE,
)
_GLUE = re.compile(r"[\s()!]|AND|OR", re.IGNORECASE)
VERBS = {"write": "request", "delete": "resource"}


@dataclass(frozen=True)
class Clause:
    """`source` is `request` (assignments being written) or `resource` (assignments being removed)."""

    source: str
    attribute: str
    negated: bool
    values: frozenset[str]

    def holds(self, actual: str) -> bool:
        return (actual.lower() in self.values) != self.negated


def parse(text: str) -> tuple[Clause, ...]:
    """The clauses. Raises InvalidCondition for what is not of the delegation form."""
    rest = _GLUE.sub("", _CLAUSE.sub("", _ACTION.sub("", text)))
    found = tuple(
        Clause(m[1].lower(), m[2].lower(), bool(m[5]), frozenset(v.strip(" '\"").lower() for v in m[6].split(",")))
        for m in _CLAUSE.finditer(text)
    )
    if rest or not found:
        raise bad_request(
            "InvalidCondition",
            f"The local control plane reads only conditions that limit which roles or principals are assigned; "
            f"it cannot read {rest[:80]!r}",
        )
    return found


def permit(text: str | None, action: str, role_id: str, principal_type: str) -> bool:
    """Whether an assignment with this condition lets its holder write or delete the given role assignment."""
    if not text:
        return True
    source = VERBS.get(action.rsplit("/", 1)[-1].lower())
    if source is None or "/roleassignments/" not in action.lower():
        return True
    actual = {"roledefinitionid": role_id, "principaltype": principal_type}
    return all(clause.holds(actual[clause.attribute]) for clause in parse(text) if clause.source == source)
