"""The pipelines' steps, run in order as an agent would: each job in a clean clone of this commit, against the twin.

`INSTEAD` is what is not run in full: the gates are sessions that run for minutes, and run beside this one. Everything
else is the pipelines' own text: plan, the dry run of what was approved, apply, push, the tests of what is served.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import azure_pipelines, github_workflows
from tests.support.pipeline_agent import FAILED, SKIPPED, SUCCEEDED, Agent, Job, clone, commit_all
from twin import container_restart

ROOT = Path(__file__).parents[2]
AZURE = {"Build.Reason": "Manual", "System.AccessToken": "none", "System.OidcRequestUri": "none"}
STAGES = ["validate", "plan", "approve", "stage1", "image", "approve2", "stage2", "integration", "promote"]
INSTEAD = {
    "nox -s lint": "true",
    "nox -s unit": "mkdir -p results && touch results/unit.xml",  # results have to be there to be published
    "nox -s emulators": "true",
    "nox -s plan": "true",
    "nox -s policy": "touch results/policy.sarif",
    "nox -s integration": "true",
    "nox -s docs": "true",
    "nox -s integration -- --env local": "nox -s integration -- --env local -k test_challenges -n 0",
}
Made = Callable[[Path], list[Job]]


def azure(root: Path) -> list[Job]:
    return azure_pipelines.jobs(root / "pipelines" / "azure-pipelines.yml", {"environment": "local"}, AZURE)


def github(root: Path) -> list[Job]:
    return github_workflows.jobs(root, "deploy.yml", {"environment": "local"}, {"event_name": "workflow_dispatch"})


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commit that is checked out: what is not committed is not seen, as on an agent."""
    return clone(ROOT, tmp_path_factory.mktemp("origin") / "repository")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the agent keeps between the tests, made by the first job of the first one."""
    return tmp_path_factory.mktemp("agent")


@pytest.fixture
def agent(origin: Path, kept: Path, tmp_path: Path) -> Iterator[Agent]:
    """Jobs in folders of their own; what outlives a job on Azure is the twin, outside of them."""
    home = tmp_path / "cloud"
    env = {"TWIN_HOME": str(home), "GATEWAY_PORT": "0", "ENTRA_PORT": "0", "MCP_MONGO": "twin", "NO_COLOR": "1"}
    yield Agent(origin, tmp_path / "work", kept, env=env, instead=INSTEAD)
    if home.exists():
        command = [str(kept / "tools" / "bin" / "invoke"), "destroy", "--yes"]
        subprocess.run(command, cwd=origin, env={**os.environ, **env}, check=True, capture_output=True)
    shutil.rmtree(tmp_path / "work", ignore_errors=True)


def logs(agent: Agent) -> str:
    """The end of every log, for a failure to be read."""
    files = sorted(agent.work.glob("*.log"))
    return "\n".join(f"{log.stem}: {log.read_text(encoding='utf-8')[-1500:]}" for log in files)


def azure_drift(root: Path) -> list[Job]:
    return azure_pipelines.jobs(root / "pipelines" / "drift.yml", {"environment": "local"}, AZURE)


def github_drift(root: Path) -> list[Job]:
    return github_workflows.jobs(root, "drift.yml", {"environment": "local"}, {"event_name": "workflow_dispatch"})


def every_morning(agent: Agent, day: str, jobs: list[Job]) -> tuple[str, str]:
    """How the drift pipeline ends, and what it says."""
    one = replace(agent, work=agent.work / day, results={}, commands=[])
    results = one.run(jobs)
    return results["drift"], (one.work / "drift.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(("made", "watched"), [(azure, azure_drift), (github, github_drift)])
def test_from_nothing_to_a_tested_platform(agent: Agent, origin: Path, made: Made, watched: Made) -> None:
    """Every stage succeeds; what is applied is what was published, and what was tested is what is promoted.

    The next morning nothing has drifted; the morning after a container has moved, and that run fails and says so.
    """
    assert agent.run(made(origin)) == dict.fromkeys(STAGES, SUCCEEDED), logs(agent)
    one, two = (json.loads((agent.artifact(f"plan-stage{n}") / f"stage{n}.json").read_text()) for n in (1, 2))
    assert set(one["actions"].values()) == set(two["actions"].values()) == {"create"}
    log = (agent.work / "stage1.log").read_text(encoding="utf-8")
    assert f"stage 1, as planned    {one['summary']}" in log
    assert "smoke test mongodb" in (agent.work / "stage2.log").read_text(encoding="utf-8")
    assert one["summary"] in (agent.work / "approve.log").read_text(encoding="utf-8")
    pushed, tested = (
        json.loads((agent.artifact(name) / "images.json").read_text()) for name in ("plan-stage2", "release")
    )
    assert tested["mongodb"]["digest"] == pushed["mongodb"]["digest"]

    result, said = every_morning(agent, "quiet", watched(origin))
    assert result == SUCCEEDED, said
    container_restart.move(agent.work.parent / "cloud", "aci-mongodb-reader-a")
    result, said = every_morning(agent, "moved", watched(origin))
    assert result == FAILED, said
    assert "private_dns_a_record" in said


@pytest.mark.parametrize("made", [azure, github])
def test_a_broken_policy_stops_everything_after_the_gates(agent: Agent, origin: Path, made: Made) -> None:
    """`nox -s policy` is the real one: it fails, nothing is planned, nobody is asked, nothing is applied."""
    broken = clone(origin, agent.work.parent / "broken")
    path = broken / "terraform" / "modules" / "apim" / "policies" / "mcp-api.xml.tftpl"
    path.write_text(path.read_text(encoding="utf-8") + "${no_such_value}", encoding="utf-8")
    commit_all(broken, "Break a policy")
    agent.origin = broken
    agent.instead = {command: other for command, other in INSTEAD.items() if command != "nox -s policy"}
    results = agent.run(made(broken))
    assert results == {"validate": FAILED, **dict.fromkeys(STAGES[1:], SKIPPED)}, logs(agent)
    assert "no_such_value" in (agent.work / "validate.log").read_text(encoding="utf-8")
    assert [command for _, command in agent.commands if command.startswith("invoke")] == []
    assert not (agent.work.parent / "cloud").exists()


def test_who_declines_the_plan_stops_the_apply(agent: Agent, origin: Path) -> None:
    """A plan is published; without its approval nothing is applied."""
    agent.approves = lambda environment: False
    results = agent.run(azure(origin))
    assert (results["plan"], results["approve"], results["stage1"]) == (SUCCEEDED, FAILED, SKIPPED), logs(agent)
    assert (agent.artifact("plan-stage1") / "stage1.json").exists()
    assert not list((agent.work.parent / "cloud").glob("state/*.tfstate"))


def test_the_agent_is_an_interpreter_that_the_project_accepts() -> None:
    """The pipelines ask for 3.12; this one stands for it."""
    assert sys.version_info >= (3, 11)
