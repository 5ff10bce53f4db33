"""What the pipeline gets to see of a run: each finding once, where a person would mend it, and no idle policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.policy import reports

MODULE = "terraform/modules/managed-identity/main.tf"
TEXT = (reports.ROOT / MODULE).read_text(encoding="utf-8")


def document(rule: str, *uris: str) -> dict[str, Any]:
    """As Checkov writes it: the lines and text of the .tf file, with the name of what was scanned."""
    region = {"startLine": 1, "endLine": TEXT.count("\n"), "snippet": {"text": TEXT}}
    results = [
        {
            "ruleId": rule,
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": rule},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": dict(region)}}],
        }
        for uri in uris
    ]
    driver = {"name": "Checkov", "rules": [{"id": rule, "help": {"text": "as Checkov says"}}]}
    return {"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def test_a_finding_of_three_environments_is_one_finding_in_the_tf_file() -> None:
    plans = document("CKV_MCP_1", "results/plans/dev-stage2.json", "results/plans/prod-stage2.json")
    combined = reports.combine([document("CKV_MCP_1", "modules/managed-identity/main.tf"), plans])
    (run,) = combined["runs"]
    (result,) = run["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == MODULE


def test_rules_of_both_runs_are_there_and_findings_point_to_them() -> None:
    combined = reports.combine([document("CKV_MCP_1", "a.json"), document("CKV_AZURE_100", "b.json")])
    (run,) = combined["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == ["CKV_MCP_1", "CKV_AZURE_100"]


def test_a_rule_of_ours_says_its_guideline() -> None:
    combined = reports.combine([document("CKV_MCP_1", "a.json")])
    assert "can be called past it" in combined["runs"][0]["tool"]["driver"]["rules"][0]["help"]["text"]


def test_a_check_that_only_skipped_has_judged_nothing(tmp_path: Path) -> None:
    report = tmp_path / "policy-code.xml"
    report.write_text(
        '<testsuites><testsuite><testcase name="[HIGH][CKV_MCP_1] a" /><testcase name="[HIGH][CKV_MCP_2] b"><skipped />'
        '</testcase><testcase name="[NONE][CKV2_AZURE_31] c"><failure /></testcase></testsuite></testsuites>'
    )
    assert list(reports.ids_in(report, "passed", "failed")) == ["CKV_MCP_1", "CKV2_AZURE_31"]
    assert list(reports.ids_in(report, "failed")) == ["CKV2_AZURE_31"]


def test_an_idle_policy_fails_the_session(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("code", "plans"):
        (tmp_path / f"policy-{name}.xml").write_text('<testsuites><testcase name="[HIGH][CKV_MCP_1] a" /></testsuites>')
        (tmp_path / f"policy-{name}.sarif").write_text('{"runs": [{"tool": {"driver": {"rules": []}}, "results": []}]}')
    assert reports.main(tmp_path) == 1
    assert "CKV_MCP_2," in capsys.readouterr().err


def test_a_finding_fails_the_session(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = "".join(f'<testcase name="[HIGH][{id_}] a"/>' for id_ in reports.checks())
    for name in ("code", "plans"):
        failed = '<testcase name="[NONE][CKV_AZURE_1] a"><failure/></testcase>' if name == "plans" else ""
        (tmp_path / f"policy-{name}.xml").write_text(f"<testsuites>{cases}{failed}</testsuites>")
        (tmp_path / f"policy-{name}.sarif").write_text('{"runs": [{"tool": {"driver": {"rules": []}}, "results": []}]}')
    assert reports.main(tmp_path) == 1
    assert capsys.readouterr().err.startswith("error: CKV_AZURE_1 found something")
