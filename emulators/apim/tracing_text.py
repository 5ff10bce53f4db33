"""A trace as plain text: one line for the request, then what each element did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

#: What distinguishes an element from others of its kind.
_NAMING = ("fragment-id", "backend-id", "name", "resource", "template", "code", "header-name")

Document = Mapping[str, Any]


def lines(trace: Document) -> Iterator[str]:
    summary = trace["summary"]
    yield f"{summary['method']} {summary['path']} {summary['status'] or 'cut'} {_took(summary)} {summary['id']}"
    if summary["refusal"]:
        yield f"  refused: {summary['refusal']}"
    for section, entries in groupby(trace["entries"], key=lambda entry: entry["section"]):
        yield f"  {section}"
        for entry in entries:
            yield from _entry(entry)
    if trace["dropped"]:
        yield f"  {trace['dropped']} more elements ran and were not kept"


def _entry(entry: Document) -> Iterator[str]:
    indent = "  " * (entry["depth"] + 2)
    named = next((f" {entry['attributes'][name]}" for name in _NAMING if name in entry["attributes"]), "")
    where = f"fragment {entry['fragment']}, " if entry["fragment"] else ""
    yield f"{indent}{entry['element']}{named} ({where}line {entry['line']}) {_took(entry)}"
    for path, text, value in entry["conditions"]:
        yield f"{indent}  {path} {value}: {' '.join(text.split())[:100]}"
    for note in entry["notes"]:
        yield f"{indent}  {note}"
    for name, before, after in entry["changes"]:
        change = f"{before} -> {after}" if before and after else after or f"{before} (removed)"
        yield f"{indent}  {name}: {' '.join(change.split())}"
    if entry["error"]:
        yield f"{indent}  {entry['error']}"


def _took(timed: Document) -> str:
    return f"{float(timed['milliseconds']):.1f} ms"
