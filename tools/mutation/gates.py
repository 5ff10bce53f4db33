"""The gates, from cheap to dear. Each looks at a copy of the repository and names what it found wrong there.

A finding counts only where the same gate did not find it without the mutation.
"""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools import copies

PLATFORM = "tests/integration/platform"
Findings = dict[str, str]  # what found it, to what it says


class GateBroken(Exception):
    """The gate itself did not work: it says nothing about the mutation."""


@dataclass(frozen=True)
class Tools:
    """`checkov` is the program of its own environment (its libraries clash with ours); `own_gates`: look no further."""

    checkov: str
    timeout: float
    own_gates: bool = False


Look = Callable[[Path, str, Tools, frozenset[str]], Findings]


@dataclass(frozen=True)
class Gate:
    """`look(copy, environment, tools, known)`: findings; with what is known already a gate need not stop."""

    name: str
    session: str
    look: Look


def _tests(name: str, *arguments: str, per_environment: bool = False, session: str = "plan") -> Gate:
    def look(copy: Path, environment: str, tools: Tools, known: frozenset[str]) -> Findings:
        report = copy / "results" / "mutation.xml"
        report.unlink(missing_ok=True)
        skipped = [f"--deselect={test}" for test in sorted(known)]
        only = ["-k", environment] if per_environment else []
        command = [sys.executable, "-m", "pytest", *arguments, *only, *skipped, "-x", "-p", "no:cacheprovider"]
        ended = _run([*command, f"--junitxml={report}"], copy, tools)
        failures = _failures(report) if report.exists() else {}
        if not failures and ended.returncode:
            return {f"{name}: collection": _last_line(ended.stdout + ended.stderr)}
        return failures

    return Gate(name, session, look)


def _failures(report: Path) -> Findings:
    found: Findings = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        broken = [element for kind in ("failure", "error") for element in case.iter(kind)]
        if broken:
            file = case.get("classname", "").replace(".", "/") + ".py"
            found[f"{file}::{case.get('name')}"] = (broken[0].text or broken[0].get("message") or "")[-4000:]
    return found


def _checkov(name: str, *arguments: str, plans: bool = False) -> Gate:
    def look(copy: Path, environment: str, tools: Tools, known: frozenset[str]) -> Findings:
        files: list[str] = []
        if plans:
            if refused := _planned(copy, environment, tools, known):
                return refused
            files = ["--file", *(str(_plans(copy) / f"{environment}-stage{stage}.json") for stage in (1, 2))]
        options = ["--quiet", "--compact", "--skip-download", "--external-checks-dir", "policies", "--output", "json"]
        ended = _run([tools.checkov, *options, *arguments, *files], copy, tools)
        return _failed_checks(ended.stdout)

    return Gate(name, "policy", look)


def _plans(copy: Path) -> Path:
    return copy / "results" / "plans"


def _planned(copy: Path, environment: str, tools: Tools, known: frozenset[str]) -> Findings:
    """Terraform itself: both stages validated, planned and applied; the plans stay for Checkov."""
    if (_plans(copy) / f"{environment}-stage2.json").exists():
        return {}
    command = [sys.executable, "-m", "ops.terraform.plan_json", "--env", environment, "--out", str(_plans(copy))]
    ended = _run(command, copy, tools)
    return {f"terraform ({environment})": _last_line(ended.stderr)} if ended.returncode else {}


def _failed_checks(output: str) -> Findings:
    try:
        reports = json.loads(output[output.index("{") if output.lstrip().startswith("{") else output.index("[") :])
    except ValueError as error:
        raise GateBroken(f"Checkov printed no report: {output[-500:]}") from error
    failed = [
        check
        for report in (reports if isinstance(reports, list) else [reports])
        for check in report.get("results", {}).get("failed_checks", [])
    ]
    return {f"{check['check_id']} {check['resource']}": check["check_name"] for check in failed}


def _run(command: list[str], copy: Path, tools: Tools) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            cwd=copy,
            env=copies.environment(copy),
            capture_output=True,
            text=True,
            timeout=tools.timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise GateBroken(f"no end after {tools.timeout:.0f} s: {' '.join(command[:4])} …") from error


def _last_line(text: str) -> str:
    lines = [line.strip("│╷╵ ") for line in text.splitlines()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or [line for line in lines if line] or ["no output"])[0 if errors else -1]


GATES = {
    gate.name: gate
    for gate in (
        _tests("shape", "tests/plan/test_shape.py"),
        Gate("terraform", "policy", _planned),
        _tests("stages", "tests/plan/test_stages.py", "tests/plan/test_data.py", per_environment=True),
        _tests("rendered", "tests/plan/test_gateway_policies.py", per_environment=True),
        _tests("served", "tests/plan/test_served_environment.py"),
        _tests("registration", "tests/plan/test_served_registration.py"),
        _tests("registry", "tests/plan/test_served_registry.py"),
        _tests("slots", "tests/plan/test_served_policies.py"),
        _tests("elsewhere", "tests/plan/test_served_remote.py"),
        _tests("on-behalf-of", "tests/plan/test_served_on_behalf.py"),
        _tests("front", "servers/gateway-auth/tests", session="unit"),
        _tests("servers", "tests/plan/test_servers.py"),
        _tests("roots", "tests/plan/test_roots.py", "tests/plan/test_protection.py"),
        _checkov("checkov-plans", "--framework", "terraform_plan", "--repo-root-for-plan-enrichment", "terraform",
                 "--skip-check", "CKV_AZURE_233", plans=True),
        _checkov("checkov-code", "--directory", "terraform", "--framework", "terraform"),
        _tests("refusals", "tests/plan/test_refusals.py"),
        _tests("monitoring", "tests/plan/test_monitoring.py", "tests/plan/test_queries.py",
               "tests/plan/test_objectives.py"),
        _tests("life", "tests/plan/test_life.py", "tests/plan/test_examples.py"),
        _tests("replicas", "tests/unit/runtime/test_apps.py", "tests/integration/runtime/test_apps.py",
               session="integration"),
        _tests("releases", "tests/unit/ops/rollout", session="unit"),
        _tests("roles", "tests/plan/test_stages.py", "-k", "roles"),
        _tests("documentdb", "tests/plan/test_stages.py", "-k", "documentdb or without_keys"),
        _tests("two-servers", "tests/plan/test_stages.py", "-k", "two-servers or elsewhere or secrets_alone"),
        _tests("gateways", "tests/plan/test_stages.py", "-k", "standard-v2 or premium-v2"),
        _tests("apps", "tests/plan/test_stages.py", "tests/plan/test_container_apps.py",
               "-k", "container-apps or container_apps"),
        _tests("cases", "tests/plan/test_stages.py"),
        _tests("generations", "tests/changes/test_applied.py", "-k", "v2 and tier", session="changes"),
        _tests("changes", "tests/changes/test_planned.py", "tests/changes/test_applied.py"),
        _tests("integration", f"{PLATFORM}/test_challenges.py", f"{PLATFORM}/test_behind_gateway.py",
               f"{PLATFORM}/test_sign_in.py", session="integration"),
    )
}  # fmt: skip
