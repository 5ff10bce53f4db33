"""An agent that runs jobs as a service's agent does: one after the other, each in a clean clone, artifacts in folders.

`azure_pipelines` and `github_workflows` turn YAML into the jobs below. What only the service has (sign-in, approvals by
people, hosted machines) is not here; docs/pipelines.md lists it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uv

from tests.support.pipeline_expressions import NotUnderstood

SUCCEEDED, FAILED, SKIPPED = "succeeded", "failed", "skipped"
_KEPT = (".nox", ".twin")


@dataclass(frozen=True)
class Folders:
    """Of one job: `workspace` holds `source`, the clone."""

    workspace: Path
    source: Path


@dataclass(frozen=True)
class Step:
    """`kind` is run, publish, download, results (must exist), nothing, or refuse: what cannot be had here, and fails.

    `when` gets True while the job succeeds.
    """

    name: str
    kind: str
    when: Callable[[bool], bool]
    script: Callable[[Folders], str] = lambda folders: ""
    env: Mapping[str, str] = field(default_factory=dict)
    artifact: str = ""
    path: str = ""


@dataclass(frozen=True)
class Job:
    """`when` gets the results of the jobs that it needs."""

    name: str
    steps: Sequence[Step]
    needs: tuple[str, ...] = ()
    when: Callable[[Sequence[str]], bool] = lambda needed: all(result == SUCCEEDED for result in needed)
    environment: str = ""


@dataclass
class Agent:
    """`origin` is what is cloned; logs and artifacts go into `work`, an empty folder.

    `home` is what the agent keeps between jobs and runs: its tools, Nox's sessions, and what the local images were
    installed into. Each job's clone is new but in the same place, as on a real agent, because programs in those begin
    with the path of their interpreter.

    `instead` replaces whole lines of scripts; `approves` says whether people agree to what an environment guards.
    """

    origin: Path
    work: Path
    home: Path
    approves: Callable[[str], bool] = lambda environment: True
    env: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    commands: list[tuple[str, str]] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)

    def run(self, jobs: Sequence[Job]) -> dict[str, str]:
        """The result of each job, in the order in which they ran."""
        tools = self._tools()
        left = list(jobs)
        while left:
            ready = [job for job in left if all(need in self.results for need in job.needs)]
            if not ready:
                raise NotUnderstood(
                    f"jobs {', '.join(job.name for job in left)} need each other, or one that is not there"
                )
            job = ready[0]
            left.remove(job)
            wanted = job.when([self.results[need] for need in job.needs])
            self.results[job.name] = self._job(job, tools) if wanted else SKIPPED
        return self.results

    def artifact(self, name: str) -> Path:
        return self.work / "artifacts" / name

    def _job(self, job: Job, tools: Path) -> str:
        folders = Folders(self.home / "1", self.home / "1" / "s")
        shutil.rmtree(folders.workspace, ignore_errors=True)
        _git("clone", "--quiet", str(self.origin), str(folders.source), cwd=self.home)
        self._move(self.home / "kept", folders.source)
        fine = not job.environment or self.approves(job.environment)
        try:
            for step in job.steps if fine else ():
                if step.when(fine):
                    fine = self._step(job, step, folders, tools) and fine
        finally:
            self._move(folders.source, self.home / "kept")
        return SUCCEEDED if fine else FAILED

    def _move(self, source: Path, target: Path) -> None:
        target.mkdir(exist_ok=True)
        for name in _KEPT:
            if (source / name).exists():
                (source / name).rename(target / name)

    def _step(self, job: Job, step: Step, folders: Folders, tools: Path) -> bool:
        if step.kind == "run":
            return self._script(job, step, folders, tools)
        if step.kind == "publish":
            copied = [_copied(path, self.artifact(step.artifact)) for path in _found(folders.source, step.path)]
            return bool(copied) and all(copied)
        if step.kind == "download":
            return _copied(self.artifact(step.artifact), folders.workspace / step.path)
        if step.kind == "results":
            return any(folders.source.glob(step.path))
        return step.kind == "nothing"

    def _script(self, job: Job, step: Step, folders: Folders, tools: Path) -> bool:
        script = step.script(folders)
        self.commands += [(job.name, line) for line in script.splitlines() if not line.startswith("export ")]
        script = "\n".join(self.instead.get(line, line) for line in script.splitlines())
        log = self.work / f"{job.name}.log"
        variables = {**os.environ, **self.env, **step.env, "PATH": f"{tools / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        with log.open("a", encoding="utf-8") as out:
            out.write(f"$ {script}\n")
            out.flush()
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=folders.source,
                env={name: value for name, value in variables.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")},
                stdout=out,
                stderr=subprocess.STDOUT,
                check=False,
            )
        return done.returncode == 0

    def _tools(self) -> Path:
        """What UsePythonVersion and setup-python give: an interpreter on PATH, with pip's downloads at hand.

        Ours stands for 3.12. The pipeline's own `pip install` finds everything in place and checks it.
        """
        for folder in (self.work, self.home):
            folder.mkdir(parents=True, exist_ok=True)
        tools = self.home / "tools"
        if not tools.exists():
            _uv("venv", "--quiet", "--seed", "--python", sys.executable, str(tools))
            lock = str(self.origin / "requirements.txt")
            _uv("pip", "install", "--quiet", "--require-hashes", "--python", str(tools / "bin" / "python"), "-r", lock)
        return tools


def commit_all(clone: Path, message: str) -> None:
    """A commit in a throw-away clone."""
    _git("-c", "user.name=agent", "-c", "user.email=agent@twin.example", "commit", "-qam", message, cwd=clone)


def clone(origin: Path, target: Path) -> Path:
    _git("clone", "--quiet", str(origin), str(target), cwd=origin)
    return target


def _uv(*arguments: str) -> None:
    done = subprocess.run([uv.find_uv_bin(), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _git(*arguments: str, cwd: Path) -> None:
    done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _found(folder: Path, path: str) -> list[Path]:
    return sorted(folder.glob(path)) if "*" in path else [folder / path]


def _copied(source: Path, target: Path) -> bool:
    if not source.exists():
        return False
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    return True
