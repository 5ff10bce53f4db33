"""Runs the public suite against one address and reads its verdicts."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
SUITE = MODULES / "@modelcontextprotocol/conformance/dist/index.js"
VERSIONS = ("2025-11-25", "2026-07-28")

# Scenario → check → SUCCESS, FAILURE, WARNING, SKIPPED or INFO. Checks that a scenario repeats are counted: "id#2".
Verdicts = dict[str, dict[str, str]]


def node() -> Path:
    """The Node that came with the suite's lock, else the machine's. Raises LookupError where nothing is installed."""
    for path in sorted(MODULES.glob("node-*/bin/node")):
        return path
    own = shutil.which("node") if SUITE.exists() else None
    if own is None:
        raise LookupError("The suite is not installed: run it as `nox -s conformance`, which does `npm ci` first.")
    return Path(own)


async def run(url: str, version: str, out: Path) -> Verdicts:
    """What the scenarios that `version` requires say of the server at `url`; their reports go to `out`."""
    _empty(out)
    process = await asyncio.create_subprocess_exec(
        str(node()), str(SUITE), "server", "--url", url, "--requirements", version, "--output-dir", str(out),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    return _read(out, said.decode())


def _empty(out: Path) -> None:
    """Reports of an earlier run would be read as this one's."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)


def _read(out: Path, said: str) -> Verdicts:
    out.with_suffix(".log").write_text(said, encoding="utf-8")
    found = {_scenario(report): _checks(report) for report in sorted(out.glob("*/checks.json"))}
    assert found, f"the suite reported nothing:\n{said}"
    unscored = _unscored(said)
    return {scenario: checks for scenario, checks in found.items() if scenario not in unscored}


def _scenario(report: Path) -> str:
    return re.sub(r"^server-(.*)-\d{4}-\d\d-\d\dT[\d-]+Z$", r"\1", report.parent.name)


def _checks(report: Path) -> dict[str, str]:
    checks: dict[str, str] = {}
    for check in json.loads(report.read_text(encoding="utf-8")):
        name = check["id"]
        number = sum(1 for known in checks if known.split("#")[0] == name)
        checks[f"{name}#{number + 1}" if number else name] = check["status"]
    return checks


def _unscored(said: str) -> set[str]:
    """Scenarios that the suite runs and does not count: extensions, pending ones, later ones."""
    _, _, tail = said.partition("Not scored for ")
    return set(re.findall(r"^\s+[✓✗] ([\w-]+) \(", tail, re.MULTILINE))


def failures(verdicts: Verdicts) -> set[str]:
    """`scenario/check` of everything that the suite calls a failure."""
    return {
        f"{scenario}/{check}"
        for scenario, checks in verdicts.items()
        for check, said in checks.items()
        if said == "FAILURE"
    }
