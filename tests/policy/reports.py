"""`python -m tests.policy.reports results`: one SARIF of both runs of Checkov, and proof that no policy was idle.

`policy-code.sarif` and `policy-plans.sarif` become `policy.sarif`: one run, as code scanning wants it; each finding
once, though three environments plan it; and at the .tf file that a person would mend, not in a plan document. A policy
that met nothing to judge in `policy-*.xml` (JUnit) would look like one that holds: it is named, and the session fails.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"
# Nothing of theirs is in the environments: a pipeline's federated credential is made before Terraform runs.
IDLE = {"CKV_MCP_37"}

Result = dict[str, Any]


def main(folder: Path) -> int:
    combined = combine([json.loads((folder / f"policy-{name}.sarif").read_text("utf-8")) for name in ("code", "plans")])
    (folder / "policy.sarif").write_text(json.dumps(combined, indent=1) + "\n", encoding="utf-8")
    reports = [folder / f"policy-{name}.xml" for name in ("code", "plans")]
    idle = set(checks()) - IDLE - {id_ for report in reports for id_ in ids_in(report, "passed", "failed")}
    if idle:
        sys.stderr.write(f"error: {', '.join(sorted(idle))} judged nothing: give each a resource, or remove it.\n")
    failed = sorted({id_ for report in reports for id_ in ids_in(report, "failed")})
    if failed:
        sys.stderr.write(f"error: {', '.join(failed)} found something: see above, or {folder}/policy.sarif.\n")
    return 1 if idle or failed else 0


def combine(documents: list[Result]) -> Result:
    """One document with one run; rules of ours say their guideline."""
    runs = [run for document in documents for run in document["runs"]]
    rules = {rule["id"]: rule for run in runs for rule in run["tool"]["driver"]["rules"]}
    for id_, check in checks().items():
        if id_ in rules:
            rules[id_]["help"] = {"text": f"{check.summary}.\n{check.guideline}"}
    index = {id_: position for position, id_ in enumerate(rules)}
    results: dict[tuple[Any, ...], Result] = {}
    for result in [found for run in runs for found in run["results"]]:
        _place(result)
        result["ruleIndex"] = index[result["ruleId"]]
        results.setdefault(_key(result), result)
    driver = {**runs[0]["tool"]["driver"], "rules": list(rules.values())}
    return {**documents[0], "runs": [{"tool": {"driver": driver}, "results": list(results.values())}]}


def ids_in(report: Path, *verdicts: str) -> Iterator[str]:
    """Ids of the checks with these verdicts, by the names of JUnit's test cases: `[HIGH][CKV_MCP_1] …`."""
    for case in ElementTree.parse(report).iter("testcase"):
        found = re.search(r"\[(CKV2?_\w+)\]", case.get("name", ""))
        outcome = next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")
        if found and {"failure": "failed", "error": "failed"}.get(outcome, outcome) in verdicts:
            yield found.group(1)


def checks() -> dict[str, Any]:
    """Our policies by id."""
    sys.path.insert(0, str(POLICIES))
    found = [importlib.import_module(path.stem).check for path in sorted(POLICIES.glob("[A-Z]*.py"))]
    return {check.id: check for check in found}


def _location(result: Result) -> dict[str, Any]:
    location: dict[str, Any] = result["locations"][0]["physicalLocation"]
    return location


def _key(result: Result) -> tuple[Any, ...]:
    location = _location(result)
    return result["ruleId"], location["artifactLocation"]["uri"], location["region"]["startLine"]


def _place(result: Result) -> None:
    """At the .tf file: Checkov gives a plan's finding that file's text and lines, but the plan document's name."""
    location = _location(result)
    region, artifact = location["region"], location["artifactLocation"]
    for path in sorted((ROOT / "terraform").rglob("*.tf")):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        if (
            region["snippet"]["text"]
            and "".join(lines[region["startLine"] - 1 : region["endLine"]]) == region["snippet"]["text"]
        ):
            artifact["uri"] = str(path.relative_to(ROOT))
            return


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
