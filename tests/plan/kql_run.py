"""Runs the Kusto queries that count against objectives over rows given here, so that what they find can be tested.

A handful of operators (`let`, `where`, `extend`, `summarize … by`, `project`, `order by`, `union`) whose expressions
are, letter by letter, Python's but for durations and `in`. Anything else raises; the words that a query may use
beyond that are read by tests/plan/kql.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
NOW = 1_000_000.0  # seconds: what `now()` is
_SECONDS = {"m": 60, "h": 3600, "d": 86400}


def run(query: str, tables: Mapping[str, Sequence[Row]]) -> list[Row]:
    """Returns the rows of the query's last statement; ValueError for what is not known here."""
    known: dict[str, Sequence[Row]] = dict(tables)
    found: list[Row] = []
    for statement in _split(re.sub(r"//[^\n]*", "", query), ";"):
        name, assigned, rest = statement.strip().partition("=")
        if statement.startswith("let ") and assigned:
            known[name.removeprefix("let ").strip()] = _pipeline(rest, known)
        else:
            found = _pipeline(statement, known)
    return found


def _pipeline(text: str, known: Mapping[str, Sequence[Row]]) -> list[Row]:
    head, *steps = _split(" ".join(text.split()), "|")
    if head.startswith("union"):
        rows = [row for part in _split(head.removeprefix("union"), ",") for row in _pipeline(part[1:-1], known)]
    elif head in known:
        rows = [dict(row) for row in known[head]]
    else:
        raise ValueError(f"no table {head!r}")
    for step in steps:
        word, _, rest = step.partition(" ")
        if word not in _STEPS:
            raise ValueError(f"the operator {word!r} is not run here")
        rows = _STEPS[word](rows, rest)
    return rows


def _where(rows: list[Row], text: str) -> list[Row]:
    return [row for row in rows if _value(text, row)]


def _extend(rows: list[Row], text: str) -> list[Row]:
    for row in rows:
        for name, expression in _assignments(text):
            row[name] = _value(expression, row)
    return rows


def _project(rows: list[Row], text: str) -> list[Row]:
    return [{name: _value(expression, row) for name, expression in _assignments(text)} for row in rows]


def _summarize(rows: list[Row], text: str) -> list[Row]:
    made, _, by = text.rpartition(" by ")
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[by.strip()], []).append(row)
    return [
        {by.strip(): key, **{name: _aggregate(expression, of) for name, expression in _assignments(made)}}
        for key, of in groups.items()
    ]


def _aggregate(text: str, rows: Sequence[Row]) -> float:
    call, _, arguments = text.strip().removesuffix(")").partition("(")
    if call == "count":
        return len(rows)
    if call == "countif":
        return sum(bool(_value(arguments, row)) for row in rows)
    if call == "percentile":
        column, share = _split(arguments, ",")
        ordered = sorted(row[column] for row in rows)
        return float(ordered[math.ceil(float(share) / 100 * len(ordered)) - 1])
    raise ValueError(f"the aggregate {call!r} is not run here")


def _order(rows: list[Row], text: str) -> list[Row]:
    column = text.removeprefix("by ").split()[0]
    return sorted(rows, key=lambda row: row[column], reverse=text.endswith("desc"))


_STEPS: Mapping[str, Callable[[list[Row], str], list[Row]]] = {
    "where": _where,
    "extend": _extend,
    "project": _project,
    "summarize": _summarize,
    "order": _order,
}


def _assignments(text: str) -> list[tuple[str, str]]:
    """Pairs of a column and its expression; one alone is both."""
    pairs = [re.fullmatch(r"(\w+)\s*=(?!=)\s*(.*)", part, re.DOTALL) for part in _split(text, ",")]
    return [
        (found[1], found[2]) if found else (part, part) for found, part in zip(pairs, _split(text, ","), strict=True)
    ]


def _value(text: str, row: Row) -> Any:
    """An expression's value: a duration becomes seconds, the list after `in` a tuple.

    `eval` is for queries of this repository only.
    """
    code = re.sub(r"ago\((\d+)([mhd])\)", lambda m: str(NOW - int(m[1]) * _SECONDS[m[2]]), text)
    code = re.sub(r"!in\s*\(([^)]*)\)", r"not in (\1,)", code)
    code = re.sub(r"(?<!not )\bin\s*\(([^)]*)\)", r"in (\1,)", code)
    return eval(code, {"__builtins__": {}, **_FUNCTIONS}, row)


def _case(*arguments: Any) -> Any:
    pairs = zip(arguments[:-1:2], arguments[1::2], strict=True)
    return next((value for true, value in pairs if true), arguments[-1])


_FUNCTIONS = {"case": _case, "min_of": min, "max_of": max}


def _split(text: str, mark: str) -> list[str]:
    """The parts of a text between marks that stand in no parentheses and no string."""
    parts, depth, quoted = [""], 0, False
    for letter in text:
        quoted ^= letter == '"'
        depth += 0 if quoted else {"(": 1, ")": -1}.get(letter, 0)
        if letter == mark and not quoted and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]
