"""What a Kusto query reads: tables, columns, fields of the server's audit line, and the values it compares with.

Not a parser: queries of this repository only, in which a name is a column, a table, a function or defined on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.plan.bench import TERRAFORM

TABLES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "documented/tables.yaml").read_text(encoding="utf-8"))

_COMMENT = re.compile(r"//[^\n]*")
_STRING = re.compile(r'"[^"]*"')
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_CALLED = re.compile(r"\s*\(")
_DEFINED = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\s*=(?![=~])")
_COMPARED = re.compile(r"\b(\w+)\s*(?:==|=~|in)\s*(\([^)]*\)|\"[^\"]*\")")
_HEADER = re.compile(r"tostring\((\w+)\)\)\)\[\"([\w-]+)\"\]")
_PLACEHOLDER = re.compile(r"\$\{\w+\}|\{TimeRange:grain\}")
_AUDIT_FIELD = re.compile(r"\bCall\.(\w+)")
_WORDS = {
    *("and", "as", "asc", "by", "contains", "desc", "extend", "fullouter", "has", "in", "inner", "isfuzzy", "join"),
    *("kind", "let", "on", "or", "order", "project", "startswith", "summarize", "take", "true", "union", "where"),
}


@dataclass(frozen=True)
class Query:
    name: str
    text: str = field(repr=False)

    @cached_property
    def _code(self) -> str:
        """Without comments, and with a number where Terraform or the workbook puts one in."""
        return _PLACEHOLDER.sub("1", _COMMENT.sub("", self.text))

    @cached_property
    def _bare(self) -> str:
        return _STRING.sub('""', self._code)

    @cached_property
    def names(self) -> set[str]:
        """Every table and column, documented or made on the way."""
        found = _NAME.finditer(self._bare)
        return {name.group() for name in found if not _CALLED.match(self._bare, name.end())} - _WORDS

    @cached_property
    def defined(self) -> set[str]:
        """Columns and tables that the query makes itself."""
        return set(_DEFINED.findall(self._bare)) - _WORDS

    @property
    def tables(self) -> set[str]:
        return self.names & set(TABLES)

    @property
    def unknown(self) -> set[str]:
        """Names that no table it reads is documented to have. A join numbers columns that both sides have."""
        columns = {column for table in self.tables for column in TABLES[table]["columns"]}
        known = columns | self.tables | self.defined
        return {name for name in self.names - known if name.rstrip("0123456789") not in known}

    @property
    def audit_fields(self) -> set[str]:
        return set(_AUDIT_FIELD.findall(self._code)) if "Call" in self.defined else set()

    @property
    def headers(self) -> set[tuple[str, str]]:
        """Column that holds headers, and the header in lower case."""
        return set(_HEADER.findall(self._code))

    def undocumented_values(self) -> Iterator[str]:
        """Texts that a documented column is compared with, and that it is not documented to hold."""
        for column, compared in _COMPARED.findall(self._code):
            known = {v for table in self.tables for v in TABLES[table].get("values", {}).get(column, [])}
            if any(column in TABLES[table]["columns"] for table in self.tables):
                yield from (f"{column}: {text}" for text in re.findall(r'"([^"]*)"', compared) if text not in known)


def committed() -> list[Query]:
    """The queries of alerts and workbook, by folder and file name."""
    files = sorted((TERRAFORM / "modules/monitoring").glob("*/*.kql"))
    return [Query(f"{path.parent.name}/{path.stem}", path.read_text(encoding="utf-8")) for path in files]
