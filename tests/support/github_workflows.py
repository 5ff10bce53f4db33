"""The part of GitHub Actions that this project uses, as jobs for the agent; everything else is refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.pipeline_agent import FAILED, SUCCEEDED, Job, Step
from tests.support.pipeline_expressions import Lookup, NotUnderstood, evaluate, expand, listed, only_known, read

_WORKFLOW = {"name", "on", "permissions", "concurrency", "env", "jobs"}
_JOB = {"needs", "if", "runs-on", "timeout-minutes", "environment", "permissions", "env", "steps", "uses"}
_STEP = {"name", "uses", "with", "run", "shell", "if", "env"}
#: Actions whose work is the service's: the agent has cloned, has an interpreter, and signs nobody in.
_SERVICE = {"actions/checkout", "actions/setup-python"}
_STATES = ("success", "failure", "always")


def jobs(root: Path, file: str, inputs: Mapping[str, str], github: Mapping[str, str]) -> list[Job]:
    """The jobs of `.github/workflows/<file>`; `github` are members of that context, e.g. event_name."""
    document = read(root / ".github" / "workflows" / file)
    only_known(document, _WORKFLOW, file)
    scopes = {"inputs": _inputs(document, inputs, github["event_name"], file), "github": github, "vars": {}}
    found: list[Job] = []
    for name, job in document["jobs"].items():
        only_known(job, _JOB, f"job {name}")
        if "uses" in job:
            found.append(_called(root, name, job, scopes))
        else:
            found.append(_job(root, name, job, document.get("env") or {}, scopes))
    return found


def _called(root: Path, name: str, job: dict[str, Any], scopes: Mapping[str, Any]) -> Job:
    """A workflow that is called is here one job under the caller's name; so it may have one."""
    if not str(job["uses"]).startswith("./.github/workflows/"):
        raise NotUnderstood(f"job {name} uses {job['uses']}: only workflows of this repository are understood")
    inner = jobs(root, Path(str(job["uses"])).name, {}, {**scopes["github"], "called": "true"})
    if len(inner) != 1:
        raise NotUnderstood(f"{job['uses']} has {len(inner)} jobs; the agent of these tests calls workflows of one")
    return replace(inner[0], name=name, needs=listed(job.get("needs", [])))


def _job(root: Path, name: str, job: dict[str, Any], env: Mapping[str, str], scopes: Mapping[str, Any]) -> Job:
    where = _lookup(scopes)
    variables = expand({**env, **(job.get("env") or {})}, {}, where)
    steps = [made for step in job["steps"] for made in _steps(root, step, variables, scopes)]
    condition = str(job.get("if", "success()"))

    def when(results: Sequence[str]) -> bool:
        fine = all(result == SUCCEEDED for result in results)
        return _true(condition, fine, FAILED in results, where)

    environment = str(expand(job.get("environment", ""), {}, where))
    return Job(name, steps, listed(job.get("needs", [])), when, environment)


def _steps(root: Path, step: dict[str, Any], env: Mapping[str, str], scopes: Mapping[str, Any]) -> list[Step]:
    only_known(step, _STEP, f"step {step.get('name') or step.get('uses') or step.get('run')}")
    where = _lookup(scopes)
    variables = {**env, **expand(step.get("env") or {}, {}, where)}
    condition = str(step.get("if", "success()"))

    def when(fine: bool) -> bool:
        return _true(condition, fine, not fine, where)

    if "run" in step:
        script = str(expand(step["run"], {}, where))
        return [Step(script, "run", when, lambda _: script, variables)]
    uses = str(step["uses"])
    if uses.startswith("./"):
        action = read(root / uses / "action.yml")
        if action["runs"]["using"] != "composite":
            raise NotUnderstood(f"{uses} is {action['runs']['using']}: only composite actions are understood")
        return [made for inner in action["runs"]["steps"] for made in _steps(root, inner, env, scopes)]
    return [_action(uses, expand(step.get("with") or {}, {}, where), when)]


def _action(uses: str, given: Mapping[str, str], when: Any) -> Step:
    name = uses.partition("@")[0]
    if name in _SERVICE:
        return Step(uses, "nothing", when)
    if name == "azure/login":
        # Condition and inputs are evaluated; a sign-in that is wanted cannot be given.
        return Step(uses, "refuse", when)
    if name == "actions/upload-artifact":
        if given.get("if-no-files-found") != "error":
            raise NotUnderstood(
                f"{uses} of {given['name']}: without `if-no-files-found: error` nothing published is fine"
            )
        return Step(uses, "publish", when, artifact=given["name"], path=given["path"])
    if name == "actions/download-artifact":
        return Step(uses, "download", when, artifact=given["name"], path=f"s/{given['path']}")
    if name == "github/codeql-action/upload-sarif":
        return Step(uses, "results", when, path=given["sarif_file"])
    raise NotUnderstood(f"the action {name} is not understood here")


def _true(condition: str, fine: bool, failed: bool, where: Lookup) -> bool:
    """A condition that asks for no state is asked only while all is well, as GitHub does."""
    functions = {"success": lambda: fine, "failure": lambda: failed, "always": lambda: True}
    said = bool(evaluate(condition, functions, where))
    return said if any(f"{state}(" in condition for state in _STATES) else fine and said


def _inputs(document: dict[str, Any], given: Mapping[str, str], event: str, file: str) -> dict[str, str]:
    declared = ((document["on"].get("workflow_dispatch") or {}) if isinstance(document["on"], dict) else {}).get(
        "inputs"
    ) or {}
    if event != "workflow_dispatch":
        return {}
    if unknown := set(given) - set(declared):
        raise NotUnderstood(f"{file} has no input {', '.join(sorted(unknown))}")
    values = {name: str(given.get(name, about.get("default", ""))) for name, about in declared.items()}
    for name, about in declared.items():
        if "options" in about and values[name] not in about["options"]:
            raise NotUnderstood(f"{file}: {name} {values[name]!r} is none of {about['options']}")
    return values


def _lookup(scopes: Mapping[str, Mapping[str, Any]]) -> Lookup:
    def lookup(name: str) -> Any:
        scope, _, rest = name.partition(".")
        if scope not in scopes:
            raise NotUnderstood(f"{name} is not known here")
        return scopes[scope].get(rest, "")

    return lookup
