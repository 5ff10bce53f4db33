"""Organisations of Azure DevOps: their projects, members and service connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulators.arm.call import Document
from emulators.arm.errors import AzureError
from emulators.base.config import check_keys
from emulators.base.errors import ConfigError


@dataclass
class Organisation:
    """`older`: its service connections are trusted by the organisation's own issuer, not by Entra ID's."""

    id: str
    name: str
    projects: Mapping[str, str]
    members: frozenset[str]
    older: bool = False
    connections: dict[str, list[Document]] = field(default_factory=dict)

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Organisation:
        """From `{id, name, projects: {name: id}, members: [object id], older}`; ConfigError names a wrong key."""
        needed = {"id", "name", "projects", "members"}
        check_keys(given, "an organisation", needed | {"older"})
        if missing := sorted(needed - set(given)):
            raise ConfigError(f"an organisation lacks {missing[0]!r}")
        projects, members = dict(given["projects"]), frozenset(given["members"])
        return cls(given["id"], given["name"], projects, members, bool(given.get("older")))

    def project(self, wanted: str) -> tuple[str, str]:
        """Name and id, by either."""
        for name, identifier in self.projects.items():
            if wanted.lower() in (name.lower(), identifier.lower()):
                return name, identifier
        raise AzureError(
            404,
            "ProjectDoesNotExistWithNameException",
            f"TF200016: The following project does not exist: {wanted}. Verify that the name of the project is "
            "correct and that the project exists on the specified Azure DevOps Server.",
        )
