"""Which resource types a Terraform run can meet: those that its configuration and its state name.

Terraform decodes all 1,030 types of the two providers in every command: a quarter of what a plan takes. A type that no
file names cannot be planned, read or destroyed, so leaving it out of the schema changes nothing but the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from emulators.azurerm.catalog import Catalog, catalog_of
from emulators.azurerm.errors import ProviderError

# Names in expressions (`moved`, `import`, `removed`) count too: what is no type is found in no schema and does no harm.
_NAME = re.compile(r"\b(?:azurerm|azuread)_\w+")
_DECLARED = re.compile(r'^\s*(resource|data)\s+"?((?:azurerm|azuread)_\w+)', re.MULTILINE)

Schemas = frozenset[str] | None
"""Names of types, or None for all of them."""


def types_used(root: Path, state: Path) -> Schemas:
    """The types named in the `.tf` files under `root` and the state files in `state`.

    None where that is not certain: configuration in JSON, which may spell a name in other ways, or a type that does not
    exist, for which Terraform proposes similar ones from the whole list.
    """
    if any(root.rglob("*.tf.json")):
        return None
    names: set[str] = set()
    for text in _texts((*root.rglob("*.tf"), *state.glob("*.tfstate"))):
        if not all(_exists(*declared) for declared in _DECLARED.findall(text)):
            return None
        names.update(_NAME.findall(text))
    return frozenset(names)


def only(catalog: Catalog, types: frozenset[str]) -> dict[str, object]:
    """The catalog's schema with those types, as resources and as data sources."""
    kinds = ("resource_schemas", "data_source_schemas")
    kept = {kind: {name: entry for name, entry in catalog.schema[kind].items() if name in types} for kind in kinds}
    return {**catalog.schema, **kept}


def _texts(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        yield path.read_text(encoding="utf-8", errors="replace")


def _exists(kind: str, type_: str) -> bool:
    catalog = catalog_of(type_)
    try:
        catalog.resource(type_) if kind == "resource" else catalog.data_source(type_)
    except ProviderError:
        return False
    return True
