"""The part of Azure Pipelines that this project uses, as jobs for the agent; everything else is refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.pipeline_agent import FAILED, SKIPPED, SUCCEEDED, Folders, Job, Step
from tests.support.pipeline_expressions import (
    AZURE_FUNCTIONS,
    Lookup,
    NotUnderstood,
    evaluate,
    expand,
    listed,
    only_known,
    read,
)

HOSTED_MINUTES = 60
_ROOT = {"trigger", "pr", "schedules", "parameters", "variables", "pool", "stages"}
_STAGE = {"stage", "displayName", "dependsOn", "condition", "jobs"}
_JOB = {"job", "deployment", "displayName", "environment", "timeoutInMinutes", "steps", "strategy"}
_STEP = {"displayName", "condition", "env"}
#: What a task needs of the service, and what stands for it here.
_TASKS = {"UsePythonVersion@0", "AzureCLI@2", "PublishTestResults@2"}
#: What AzureCLI@2 sets inside the task; there is nobody to sign in to on this machine.
_SIGNED_IN = {"servicePrincipalId": "none", "tenantId": "none", "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "none"}


def jobs(path: Path, parameters: Mapping[str, str], predefined: Mapping[str, str]) -> list[Job]:
    """The pipeline in `path` as the service would run it, for these parameters and predefined variables."""
    document = read(path)
    only_known(document, _ROOT, path.name)
    given = _parameters(document.get("parameters") or [], parameters, path.name)
    document = expand(document, AZURE_FUNCTIONS, _lookup({"parameters": given}))
    variables = {**predefined, **{name: str(value) for name, value in (document.get("variables") or {}).items()}}
    hosted = "vmImage" in _pool(document.get("pool") or {})
    found: list[Job] = []
    before: tuple[str, ...] = ()
    for stage in document["stages"]:
        made = _stage(stage, path.parent, variables, before, hosted)
        found += made
        before = (str(stage["stage"]),)
    return _by_stage(found)


def _pool(pool: Mapping[str, Any]) -> Mapping[str, Any]:
    """An image of Microsoft's, or a pool by its name ("pool definition": vmImage is for the Microsoft-hosted pool)."""
    if set(pool) not in ({"vmImage"}, {"name"}):
        raise NotUnderstood(f"pool {dict(pool)}: either vmImage or name is understood")
    return pool


def _require_time(job: Mapping[str, Any], name: str) -> None:
    """A hosted agent ends a job after an hour, in a private project without paid parallel jobs, whatever it asks for.

    "Specify jobs in your pipeline", Timeouts.
    """
    minutes = int(job.get("timeoutInMinutes", HOSTED_MINUTES))
    if not 0 < minutes <= HOSTED_MINUTES:
        raise NotUnderstood(
            f"stage {name} asks for {minutes or 'unlimited'} minutes of a Microsoft-hosted agent, which ends a job of "
            f"a private project after {HOSTED_MINUTES}; name a pool of your own"
        )


def _stage(
    stage: dict[str, Any], folder: Path, variables: Mapping[str, str], before: tuple[str, ...], hosted: bool
) -> list[Job]:
    only_known(stage, _STAGE, f"stage {stage.get('stage')}")
    needs = listed(stage["dependsOn"]) if "dependsOn" in stage else before
    found = _templates(stage["jobs"], "jobs", folder)
    if len(found) != 1:
        raise NotUnderstood(f"stage {stage['stage']} has {len(found)} jobs; the agent of these tests runs one in each")
    where, job = found[0]
    only_known(job, _JOB, f"job of stage {stage['stage']}")
    if hosted:
        _require_time(job, str(stage["stage"]))
    steps = [_step(step, variables) for _, step in _flat(_steps(job), where)]
    condition = str(stage.get("condition", "succeeded()"))
    environment = str(job.get("environment", ""))
    return [Job(str(stage["stage"]), steps, needs, _when_needed(condition, variables), environment)]


def _by_stage(found: list[Job]) -> list[Job]:
    names = {job.name for job in found}
    for job in found:
        if missing := set(job.needs) - names:
            raise NotUnderstood(f"stage {job.name} depends on {', '.join(missing)}, which is no stage")
    return found


def _steps(job: dict[str, Any]) -> list[dict[str, Any]]:
    if "strategy" not in job:
        return list(job["steps"])
    strategy = job["strategy"]
    if set(strategy) != {"runOnce"} or set(strategy["runOnce"]) != {"deploy"}:
        raise NotUnderstood(f"strategy {strategy}: only runOnce with deploy is understood")
    steps = list(strategy["runOnce"]["deploy"]["steps"])
    if {"checkout": "self"} not in steps:
        raise NotUnderstood(f"deployment {job['deployment']} does not check out: it would find no file")
    return steps


def _flat(steps: Sequence[dict[str, Any]], folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    return _templates(steps, "steps", folder)


def _templates(items: Sequence[dict[str, Any]], kind: str, folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Each item with the folder that its own templates are relative to."""
    found: list[tuple[Path, dict[str, Any]]] = []
    for item in items:
        if "template" not in item:
            found.append((folder, item))
            continue
        only_known(item, {"template", "parameters"}, f"template {item['template']}")
        path = folder / str(item["template"])
        document = read(path)
        only_known(document, {"parameters", kind}, path.name)
        given = _parameters(document.get("parameters") or [], item.get("parameters") or {}, path.name)
        content = expand(document[kind], AZURE_FUNCTIONS, _lookup({"parameters": given}))
        found += _templates(content, kind, path.parent)
    return found


def _step(step: dict[str, Any], variables: Mapping[str, str]) -> Step:
    name = str(step.get("displayName") or step.get("script") or next(iter(step)))
    when = _when(str(step.get("condition", "succeeded()")), variables)
    env = {key: _macros(str(value), variables) for key, value in (step.get("env") or {}).items()}
    if "checkout" in step:
        return Step("checkout", "nothing", when)
    if "script" in step:
        only_known(step, {*_STEP, "script"}, f"step {name}")
        return _run(name, when, str(step["script"]), env, variables)
    if "publish" in step:
        only_known(step, {*_STEP, "publish", "artifact"}, f"step {name}")
        return Step(name, "publish", when, artifact=str(step["artifact"]), path=str(step["publish"]))
    if "download" in step:
        only_known(step, {*_STEP, "download", "artifact"}, f"step {name}")
        if step["download"] != "current":
            raise NotUnderstood(f"download: {step['download']} needs another run; only current is understood")
        return Step(name, "download", when, artifact=str(step["artifact"]), path=str(step["artifact"]))
    return _task(step, name, when, env, variables)


def _task(step: dict[str, Any], name: str, when: Any, env: dict[str, str], variables: Mapping[str, str]) -> Step:
    only_known(step, {*_STEP, "task", "inputs"}, f"step {name}")
    task, inputs = str(step["task"]), step.get("inputs") or {}
    if task not in _TASKS:
        raise NotUnderstood(f"task {task} is not understood here; these are: {', '.join(sorted(_TASKS))}")
    if task == "AzureCLI@2":
        if (inputs["scriptType"], inputs["scriptLocation"]) != ("bash", "inlineScript"):
            raise NotUnderstood(f"step {name}: AzureCLI@2 is understood with an inline bash script only")
        _macros(str(inputs["azureSubscription"]), variables)  # a connection that nothing names is an error there too
        return _run(name, when, str(inputs["inlineScript"]), {**_SIGNED_IN, **env}, variables)
    if task == "PublishTestResults@2":
        return Step(name, "results", when, path=str(inputs["testResultsFiles"]))
    return Step(name, "nothing", when)


def _run(name: str, when: Any, script: str, env: Mapping[str, str], variables: Mapping[str, str]) -> Step:
    def text(folders: Folders) -> str:
        places = {"Pipeline.Workspace": str(folders.workspace), "Build.SourcesDirectory": str(folders.source)}
        return _macros(script, {**variables, **places})

    # A secret is only where a step asks for it.
    plain = {variable: value for variable, value in variables.items() if variable != "System.AccessToken"}
    exported = {variable.upper().replace(".", "_"): value for variable, value in plain.items()}
    return Step(name, "run", when, text, {**exported, **env})


def _macros(text: str, variables: Mapping[str, str]) -> str:
    """`$(name)`; the service leaves an unknown one as it is, which is a mistake every time, so it is refused here."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in variables:
            raise NotUnderstood(f"$({found[1]}) is no variable of this pipeline")
        return variables[found[1]]

    return re.sub(r"\$\(([A-Za-z_][\w.]*)\)", value, text)


def _when(condition: str, variables: Mapping[str, str]) -> Any:
    def when(fine: bool) -> bool:
        states = {"succeeded": lambda: fine, "failed": lambda: not fine}
        functions = {**AZURE_FUNCTIONS, **states, "succeededOrFailed": lambda: True, "always": lambda: True}
        return bool(evaluate(condition, functions, _lookup({"variables": variables})))

    return when


def _when_needed(condition: str, variables: Mapping[str, str]) -> Any:
    def when(results: Sequence[str]) -> bool:
        states = {
            "succeeded": lambda: all(result == SUCCEEDED for result in results),
            "failed": lambda: FAILED in results,
            "succeededOrFailed": lambda: SKIPPED not in results,
            "always": lambda: True,
        }
        return bool(evaluate(condition, {**AZURE_FUNCTIONS, **states}, _lookup({"variables": variables})))

    return when


def _parameters(declared: Sequence[dict[str, Any]], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    known = {str(parameter["name"]): parameter for parameter in declared}
    if unknown := set(given) - set(known):
        raise NotUnderstood(f"{where} has no parameter {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {}
    for name, parameter in known.items():
        if name not in given and "default" not in parameter:
            raise NotUnderstood(f"{where} needs the parameter {name}")
        values[name] = given.get(name, parameter.get("default"))
        if "values" in parameter and values[name] not in parameter["values"]:
            raise NotUnderstood(f"{where}: {name} {values[name]!r} is none of {parameter['values']}")
    return values


def _lookup(scopes: Mapping[str, Mapping[str, Any]]) -> Lookup:
    def lookup(name: str) -> Any:
        scope, _, rest = name.partition(".")
        if scope not in scopes or (scope == "parameters" and rest not in scopes[scope]):
            raise NotUnderstood(f"{name} is not known here")
        return scopes[scope].get(rest, "")

    return lookup
