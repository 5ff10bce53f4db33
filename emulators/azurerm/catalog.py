"""What the two providers say about their resource types, read from schemas/ (see schemas/README.md)."""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from emulators.azurerm.documented import add_documented
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.whole_numbers import add_whole_numbers
from emulators.base.store import Values as Values

FOLDER = Path(__file__).parent / "schemas"

Schema = Mapping[str, Any]  # one entry of `resource_schemas`: {"version": …, "block": …}
Block = Mapping[str, Any]  # {"attributes": {name: …}, "block_types": {name: …}}
Rules = Mapping[str, Any]  # {field: {rule: …, "fields": Rules}}


@dataclass(frozen=True)
class Catalog:
    """One provider: its schema, the rules that a schema cannot express, and the form of its types' ids."""

    name: str
    version: str
    schema: Mapping[str, Any]
    constraints: Mapping[str, Any]
    digest_source: bytes

    @property
    def source(self) -> str:
        """The address by which Terraform knows the provider."""
        return f"registry.terraform.io/hashicorp/{self.name}"

    def resource(self, type_: str) -> Schema:
        return self._entry("resource_schemas", type_, "resource type")

    def data_source(self, type_: str) -> Schema:
        return self._entry("data_source_schemas", type_, "data source")

    def rules(self, type_: str) -> Rules:
        rules: Rules = self.constraints["resources"].get(type_, {})
        return rules

    def example_id(self, type_: str) -> str | None:
        """An id of this type with example names in it, or None where the form is not recorded."""
        example: str | None = self.constraints["ids"].get(type_)
        return example

    def _entry(self, kind: str, type_: str, noun: str) -> Schema:
        try:
            entry: Schema = self.schema[kind][type_]
        except KeyError:
            raise ProviderError(
                f"{type_} is not a {noun} of {self.name} {self.version}, as emulators/azurerm/schemas records it"
            ) from None
        return entry


@lru_cache(maxsize=4)
def load(name: str) -> Catalog:
    """`name` is "azurerm" or "azuread"; the version is the one whose files are in schemas/."""
    found = sorted(FOLDER.glob(f"hashicorp-{name}-*.schema.json.xz"))
    if len(found) != 1:
        raise ProviderError(
            f"emulators/azurerm/schemas holds {len(found)} schema files of {name}, where exactly one is needed"
        )
    packed = found[0].read_bytes()
    version = found[0].name.removeprefix(f"hashicorp-{name}-").removesuffix(".schema.json.xz")
    rules = found[0].with_name(f"hashicorp-{name}-{version}.constraints.json.xz").read_bytes()
    constraints = json.loads(lzma.decompress(rules))
    add_documented(name, constraints["resources"])
    schema = json.loads(lzma.decompress(packed))
    add_whole_numbers(schema["resource_schemas"], constraints["resources"])
    return Catalog(name, version, schema, constraints, packed)


def catalog_of(type_: str) -> Catalog:
    """The provider that a type's prefix names."""
    return load("azuread" if type_.startswith("azuread_") else "azurerm")
