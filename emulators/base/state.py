"""The applied Terraform state, as the emulators read it.

The source is `terraform show -json`, one document per stage. Data sources are left out: what stage 2 looked up is a
managed resource of stage 1, and they read the thing itself, not a copy of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emulators.base.errors import StateError


@dataclass(frozen=True)
class Resource:
    """One applied resource: `address` as Terraform prints it, `values` with every computed attribute."""

    address: str
    type: str
    values: Mapping[str, Any]

    def __getitem__(self, attribute: str) -> Any:
        try:
            return self.values[attribute]
        except KeyError:
            raise StateError(f"{self.address} has no attribute {attribute!r}") from None

    def get(self, attribute: str, default: Any = None) -> Any:
        value = self.values.get(attribute)
        return default if value is None else value

    def block(self, name: str) -> Mapping[str, Any]:
        """The first block of that name, or an empty mapping: Terraform keeps single blocks as lists of one."""
        blocks = self.values.get(name) or []
        return blocks[0] if blocks else {}


@dataclass(frozen=True)
class State:
    """All managed resources of all stages."""

    resources: tuple[Resource, ...]

    @classmethod
    def from_show_json(cls, *documents: Mapping[str, Any]) -> State:
        """Reads `terraform show -json` documents; an empty state (nothing applied) adds nothing."""
        found: list[Resource] = []
        for document in documents:
            root = (document.get("values") or {}).get("root_module") or {}
            found.extend(_managed(root))
        return cls(tuple(found))

    @classmethod
    def load(cls, path: Path) -> State:
        """Reads what `dump` wrote."""
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StateError(f"the applied state at {path} cannot be read ({error}); apply it first") from error
        try:
            return cls(tuple(Resource(entry["address"], entry["type"], dict(entry["values"])) for entry in entries))
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(f"{path} holds no applied state; apply it again (`invoke deploy`)") from error

    def dump(self, path: Path) -> None:
        """Write the state for processes. It holds secrets: the file is readable by its owner only."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(json.dumps([asdict(resource) for resource in self.resources]), encoding="utf-8")
        partial.replace(path)

    def of_type(self, type_: str) -> tuple[Resource, ...]:
        return tuple(resource for resource in self.resources if resource.type == type_)

    def one(self, type_: str, **where: Any) -> Resource:
        """The only resource of that type whose attributes equal `where`; none or several is a StateError."""
        found = [r for r in self.of_type(type_) if all(r.get(name) == value for name, value in where.items())]
        if len(found) != 1:
            wanted = ", ".join(f"{name}={value!r}" for name, value in where.items())
            raise StateError(f"the applied state holds {len(found)} {type_}({wanted}), where exactly one is needed")
        return found[0]


def _managed(module: Mapping[str, Any]) -> Iterator[Resource]:
    for resource in module.get("resources") or []:
        if resource.get("mode") == "managed":
            yield Resource(resource["address"], resource["type"], resource.get("values") or {})
    children: Iterable[Mapping[str, Any]] = module.get("child_modules") or []
    for child in children:
        yield from _managed(child)
