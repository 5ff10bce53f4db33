"""What `check` found as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), for code scanning.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/: the sections are named beside what they ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from emulators.apim.check import NotRendered, Report
from emulators.apim.errors import (
    InvalidAttribute,
    LocatedError,
    MalformedPolicy,
    MissingReference,
    UnknownAttribute,
    UnknownElement,
    UnsupportedAttribute,
    UnsupportedExpression,
    UnsupportedResource,
)

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_PAGE = "https://learn.microsoft.com/azure/api-management/api-management-policies"
_RULES: dict[type[LocatedError], str] = {
    InvalidAttribute: "An attribute is missing, or its value is none that the policy reference allows",
    MalformedPolicy: "The document is not well-formed, or an element stands where or as often as the reference forbids",
    MissingReference: "Something that the policy refers to does not exist",
    NotRendered: "A Terraform template is no policy before Terraform has rendered it",
    UnknownAttribute: "An attribute that the element does not have",
    UnsupportedAttribute: "An attribute that API Management has, and the local gateway does not support",
    UnknownElement: "An element that is no policy, that does not run here, or that is not allowed in that place",
    UnsupportedExpression: "A policy expression that does not compile, or that uses what does not run here",
    UnsupportedResource: "A resource that would change requests and is not reproduced",
}


def document(reports: Sequence[Report]) -> dict[str, Any]:
    """One run (section 3.14) with a result (section 3.27) for each problem."""
    names = sorted(one.__name__ for one in _RULES)
    texts = {one.__name__: text for one, text in _RULES.items()}
    driver = {
        "name": "apim-policy-emulator",
        "informationUri": _PAGE,
        "rules": [{"id": name, "shortDescription": {"text": texts[name]}, "helpUri": _PAGE} for name in names],
    }
    results = [_result(one, problem, names) for one in reports for problem in one.problems]
    run = {"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(report: Report, problem: LocatedError, names: Sequence[str]) -> dict[str, Any]:
    rule = type(problem).__name__
    location: dict[str, Any] = {"artifactLocation": {"uri": uri(report.path)}}
    if problem.where.line:
        location["region"] = {"startLine": problem.where.line}
    return {
        "ruleId": rule,
        "ruleIndex": names.index(rule),
        "level": "error",
        "message": {"text": problem.reason},
        "locations": [{"physicalLocation": location}],
        "properties": {"name": problem.name},
    }


def uri(path: Path) -> str:
    """Relative to the working directory where the file is below it (section 3.4.3), which code scanning needs."""
    absolute, here = path.absolute(), Path.cwd()
    return quote(absolute.relative_to(here).as_posix()) if absolute.is_relative_to(here) else absolute.as_uri()
