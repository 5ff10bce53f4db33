"""The agent that the pipelines are tried with does what it knows as the service does, and refuses the rest by name."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import azure_pipelines, github_workflows
from tests.support.pipeline_agent import FAILED, SKIPPED, SUCCEEDED, Agent, Folders, Job, Step
from tests.support.pipeline_expressions import AZURE_FUNCTIONS, NotUnderstood, evaluate, expand

ROOT = Path(__file__).parents[3]
FOLDERS = Folders(Path("/w"), Path("/w/s"))
AZURE = {"Build.Reason": "Manual", "System.AccessToken": "none", "System.OidcRequestUri": "none"}
DISPATCH = {"event_name": "workflow_dispatch"}


def lookup(name: str) -> Any:
    return {"a.b": "x", "variables.Build.Reason": "PullRequest"}.get(name, "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("and(eq(a.b, 'X'), ne(variables['Build.Reason'], 'Manual'))", True),
        ("or(eq(a.b, 'y'), not(eq(a.b, 'x')))", False),
        ("a.b == 'x' && !(a.b != 'X')", True),
        ("a.c || 'dev'", "dev"),
        ("'it''s'", "it's"),
    ],
)
def test_expressions(text: str, value: Any) -> None:
    """Both services' spelling."""
    assert evaluate(text, AZURE_FUNCTIONS, lookup) == value


@pytest.mark.parametrize("text", ["startsWith(a.b, 'x')", "a.b >= 1", "a.b 'x'", "eq(a.b", "a.b == "])
def test_an_unknown_expression_is_refused(text: str) -> None:
    """And the sentence quotes it."""
    with pytest.raises(NotUnderstood, match="expression "):
        evaluate(text, AZURE_FUNCTIONS, lookup)


def test_expansion_keeps_types_and_embeds_text() -> None:
    """Everywhere in a document."""
    document = {"k-${{ a.b }}": ["${{ eq(a.b, 'x') }}", "p ${{ a.b }} q ${{ a.b }}", 3]}
    assert expand(document, AZURE_FUNCTIONS, lookup) == {"k-x": [True, "p x q x", 3]}


def azure(**parameters: str) -> list[Job]:
    return azure_pipelines.jobs(
        ROOT / "pipelines" / "azure-pipelines.yml", {"environment": "local", **parameters}, AZURE
    )


def github(**inputs: str) -> list[Job]:
    return github_workflows.jobs(ROOT, "deploy.yml", {"environment": "local", **inputs}, DISPATCH)


def scripts(job: Job) -> list[str]:
    """What a job runs while all is well."""
    return [
        line
        for step in job.steps
        if step.kind == "run" and step.when(True)
        for line in step.script(FOLDERS).splitlines()
    ]


STAGES = ["validate", "plan", "approve", "stage1", "image", "approve2", "stage2", "integration", "promote"]


@pytest.mark.parametrize("made", [azure, github])
def test_the_stages_and_who_waits_for_whom(made: Callable[..., list[Job]]) -> None:
    """Each needs the one before; people agree before each stage is applied."""
    found = made()
    assert [job.name for job in found] == STAGES
    assert [job.needs for job in found] == [(), *((name,) for name in STAGES[:-1])]
    assert [job.name for job in found if job.environment.endswith("-approval")] == ["approve", "approve2"]


@pytest.mark.parametrize("made", [azure, github])
def test_no_logic_that_a_laptop_cannot_run(made: Callable[..., list[Job]]) -> None:
    """Only invoke and nox, and what installs them."""
    allowed = ("invoke ", "nox -s ", "pip install --require-hashes -r requirements.txt", "export ARM_")
    assert [line for job in made() for line in scripts(job) if not line.startswith(allowed)] == []


@pytest.mark.parametrize("made", [azure, github])
def test_what_is_applied_is_the_published_plan(made: Callable[..., list[Job]]) -> None:
    """Each stage applies, with --plan, the artifact that the stage before it was approved for."""
    jobs = {job.name: job for job in made()}
    for stage, artifact in (("stage1", "plan-stage1"), ("stage2", "plan-stage2")):
        assert artifact in [step.artifact for step in jobs[stage].steps if step.kind == "download"]
        applied = scripts(jobs[stage])[-1]
        assert applied.startswith("invoke deploy --env local --plan ")
        assert artifact in applied
    assert "plan-stage1" in [step.artifact for step in jobs["plan"].steps if step.kind == "publish"]
    assert "plan-stage2" in [step.artifact for step in jobs["image"].steps if step.kind == "publish"]


def test_hosted_agents_are_asked_for_an_hour_and_others_for_two() -> None:
    """A Microsoft-hosted agent ends a private project's job after 60 minutes, whatever the file asks for."""
    assert [job.name for job in azure(pool="mcp-agents")] == STAGES
    apply = ROOT / "pipelines" / "templates" / "apply.yml"
    text = apply.read_text(encoding="utf-8")
    assert "'Azure Pipelines'), '60', '120')" in text


@pytest.mark.parametrize("minutes", ["61", "120", "0"])
def test_a_hosted_agent_gives_no_more_than_an_hour(tmp_path: Path, minutes: str) -> None:
    """0 asks for as long as there is."""
    copy = tmp_path / "pipelines"
    shutil.copytree(ROOT / "pipelines", copy)
    apply = copy / "templates" / "apply.yml"
    text = apply.read_text(encoding="utf-8")
    apply.write_text(text.replace("'60', '120'", f"'{minutes}', '120'"), encoding="utf-8")
    with pytest.raises(NotUnderstood, match="of a Microsoft-hosted agent, which ends a job of a private project"):
        azure_pipelines.jobs(copy / "azure-pipelines.yml", {"environment": "local"}, AZURE)
    jobs = azure_pipelines.jobs(copy / "azure-pipelines.yml", {"environment": "local", "pool": "own"}, AZURE)
    assert [job.name for job in jobs] == STAGES


@pytest.mark.parametrize(
    ("jobs", "command"),
    [
        (
            lambda: azure_pipelines.jobs(ROOT / "pipelines" / "heal.yml", {"environment": "local"}, AZURE),
            "invoke heal --env local --yes",
        ),
        (
            lambda: github_workflows.jobs(ROOT, "heal.yml", {"environment": "local"}, DISPATCH),
            "invoke heal --env local",
        ),
    ],
    ids=["azure", "github"],
)
def test_healing_is_one_command(jobs: Callable[[], list[Job]], command: str) -> None:
    (job,) = jobs()
    assert scripts(job)[-1].startswith(command)


@pytest.mark.parametrize(
    ("file", "scheduled"),
    [
        ("pipelines/heal.yml", r'schedules:\n  - cron: "\*/30 \* \* \* \*".*\n(    .*\n)*?    always: "?true'),
        (".github/workflows/heal.yml", r'on:\n  schedule:\n    - cron: "\*/30 \* \* \* \*"'),
        ("pipelines/heal.Jenkinsfile", r"  triggers \{\n    cron\('H/30 \* \* \* \*'\)"),
    ],
)
def test_healing_is_scheduled(file: str, scheduled: str) -> None:
    """Every half hour, in Azure DevOps also where nothing was pushed since ("Configure schedules for pipelines")."""
    assert re.search(scheduled, (ROOT / file).read_text(encoding="utf-8"))


def test_a_pool_is_hosted_or_named(tmp_path: Path) -> None:
    """vmImage is valid in the Microsoft-hosted pool only ("pool definition")."""
    shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines")
    path = tmp_path / "pipelines" / "drift.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("    name: ${{", "    vmImage: ubuntu-24.04\n    name: ${{"), encoding="utf-8")
    with pytest.raises(NotUnderstood, match="either vmImage or name is understood"):
        azure_pipelines.jobs(path, {"environment": "local", "pool": "own"}, AZURE)


def test_runners_are_chosen_by_a_variable() -> None:
    """Of the repository; where nobody set it, GitHub's own."""
    for name in ("deploy.yml", "drift.yml", "heal.yml"):
        text = (ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8")
        chosen = {line.strip() for line in text.splitlines() if "runs-on" in line}
        assert chosen == {"runs-on: ${{ vars.RUNNER || 'ubuntu-24.04' }}"}, name


def test_a_named_image_is_not_built() -> None:
    """In both: nothing is pushed, and the plan is of that image."""
    for jobs in (azure(targetImage="mongodb=1"), github(**{"target-image": "mongodb=1"})):
        image = next(job for job in jobs if job.name == "image")
        lines = [line for line in scripts(image) if line.startswith("invoke")]
        assert lines == ['invoke plan --env local --stage 2 --out plans --target-image "$TARGET_IMAGE"']
        step = next(step for step in image.steps if "--target-image" in step.script(FOLDERS))
        assert step.env["TARGET_IMAGE"] == "mongodb=1"


def test_a_pull_request_needs_no_credentials() -> None:
    """It stops after the gates."""
    path = ROOT / "pipelines" / "azure-pipelines.yml"
    jobs = azure_pipelines.jobs(path, {"environment": "local"}, {**AZURE, "Build.Reason": "PullRequest"})
    assert [job.name for job in jobs if job.when([SUCCEEDED])] != []
    assert not next(job for job in jobs if job.name == "plan").when([SUCCEEDED])
    assert all("ARM_" not in line for line in scripts(jobs[0]))
    validate = github_workflows.jobs(ROOT, "validate.yml", {}, {"event_name": "pull_request"})
    assert [step.kind for job in validate for step in job.steps if step.kind == "refuse"] == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("- script: nox -s lint", "- powershell: nox -s lint", "powershell"),
        ("stages:", "resources: {}\nstages:", "resources is not understood"),
        ("dependsOn: validate", "lockBehavior: sequential", "lockBehavior is not understood"),
        ("$(serviceConnection)", "$(serviceConection)", r"\$\(serviceConection\) is no variable"),
        ("- job: gates", "- job: gates\n        pool: x", "pool is not understood"),
    ],
)
def test_what_azure_pipelines_has_more_is_refused_by_name(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    """Instead of being skipped."""
    text = (ROOT / "pipelines" / "azure-pipelines.yml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "azure-pipelines.yml").write_text(text.replace(old, new, 1), encoding="utf-8")
    (tmp_path / "templates").symlink_to(ROOT / "pipelines" / "templates")
    with pytest.raises(NotUnderstood, match=sentence):
        azure_pipelines.jobs(tmp_path / "azure-pipelines.yml", {"environment": "local"}, AZURE)


def conditions(root: Path) -> list[bool]:
    """Of every step of the deployment in `root`, while all is well."""
    jobs = github_workflows.jobs(root, "deploy.yml", {"environment": "local"}, DISPATCH)
    return [step.when(True) for job in jobs for step in job.steps]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("    needs: plan\n", "    needs: plan\n    strategy: {}\n", "strategy is not understood"),
        ("actions/upload-artifact@", "actions/cache@", "the action actions/cache is not understood"),
        ("inputs.target-image == ''", "fromJSON(inputs.x)", "the function fromJSON is not understood"),
    ],
)
def test_what_github_has_more_is_refused_by_name(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    """Instead of being skipped."""
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / ".github" / "actions").symlink_to(ROOT / ".github" / "actions")
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = path.read_text(encoding="utf-8").replace(old, new, 1)
        (tmp_path / ".github" / "workflows" / path.name).write_text(text, encoding="utf-8")
    with pytest.raises(NotUnderstood, match=sentence):
        conditions(tmp_path)


def test_a_parameter_outside_its_values_is_refused() -> None:
    """As the services do."""
    with pytest.raises(NotUnderstood, match="environment 'qa' is none of"):
        azure(environment="qa")
    with pytest.raises(NotUnderstood, match="environment 'qa' is none of"):
        github(environment="qa")


class DryRunAgent(Agent):
    """Runs no command: those that hold the word `bad` fail."""

    def _tools(self) -> Path:
        return self.work

    def _job(self, job: Job, tools: Path) -> str:
        fine = not job.environment or self.approves(job.environment)
        for step in job.steps if fine else ():
            if step.when(fine):
                fine = "bad" not in step.script(FOLDERS) and fine
        return SUCCEEDED if fine else FAILED


def line(name: str, script: str, *needs: str, environment: str = "") -> Job:
    return Job(name, [Step(name, "run", lambda fine: fine, lambda _: script)], needs, environment=environment)


def test_what_depends_on_a_failure_is_skipped(tmp_path: Path) -> None:
    """And what depends on that, too."""
    jobs = [line("c", "good", "b"), line("a", "bad"), line("b", "good", "a"), line("d", "good")]
    assert DryRunAgent(tmp_path, tmp_path, tmp_path).run(jobs) == {
        "a": FAILED,
        "b": SKIPPED,
        "c": SKIPPED,
        "d": SUCCEEDED,
    }


def test_who_declines_stops_it(tmp_path: Path) -> None:
    """An environment that nobody approves runs nothing."""
    jobs = [line("a", "good", environment="prod"), line("b", "good", "a")]
    agent = DryRunAgent(tmp_path, tmp_path, tmp_path, approves=lambda environment: environment != "prod")
    assert agent.run(jobs) == {"a": FAILED, "b": SKIPPED}


def test_jobs_that_need_each_other_are_refused(tmp_path: Path) -> None:
    """They would wait for ever."""
    with pytest.raises(NotUnderstood, match="a, b need each other"):
        DryRunAgent(tmp_path, tmp_path, tmp_path).run([line("a", "x", "b"), line("b", "x", "a")])
