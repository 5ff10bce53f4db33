"""The tasks as a person calls them: Invoke's own program, in process."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
from invoke.tasks import Task

import tasks
from ops.cli.program import ProjectProgram
from ops.clients import connect
from ops.config.environment import ROOT
from ops.errors import UsageError
from ops.rollout import request
from tests.unit.ops.conftest import Make

Run = Callable[..., int]
BOOTSTRAP = ("bootstrap_all", "identity", "federation", "entra", "state")


@pytest.fixture
def run(terraform_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `invoke …`; its exit code."""
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def invoke(*arguments: str) -> int:
        try:
            ProjectProgram(tasks.namespace).run(["invoke", *arguments])
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    return invoke


def test_unknown_environment(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """One line on stderr, nothing on stdout, exit code 2."""
    assert run("plan", "--env", "qa") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: environment 'qa' does not exist")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("called", "changes"),
    [
        (("status",), False),
        (("trace",), False),
        (("connect",), False),
        (("deploy", "--yes"), True),
        (("deploy", "--dry-run"), False),
        (("destroy", "--yes"), True),
    ],
)
def test_only_what_changes_something_goes_on_from_here(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    called: tuple[str, ...],
    changes: bool,
) -> None:
    """Ctrl-C in a task that reads leaves nothing that a next run could go on from."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ops.cli.task.load", interrupted)
    assert run(*called) == 130
    assert ("the next run goes on from here" in capsys.readouterr().err) is changes


def test_malformed_setting(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """A malformed value stops the task before it does anything."""
    assert run("deploy", "--env", "dev", "--setting", "STORAGE_ACCOUNT=St_1") == 1
    assert "STORAGE_ACCOUNT 'St_1' must be 3–24 lower-case letters and digits" in capsys.readouterr().err


def test_corrupt_tfvars(run: Run, terraform_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken terraform.tfvars is named with its line."""
    path = terraform_dir / "environments" / "local" / "terraform.tfvars"
    path.write_text("a = 1\nb = = 2\n", encoding="utf-8")
    assert run("status") == 1
    assert f"{path}:2 is not valid HCL" in capsys.readouterr().err


def test_unknown_server(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """`push --server` of a server that does not exist names those that do."""
    assert run("push", "--server", "nope") == 2
    assert "server 'nope' does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("stage", ["3", "one", "0"])
def test_unknown_stage(run: Run, stage: str, capsys: pytest.CaptureFixture[str]) -> None:
    """There are two stages."""
    assert run("plan", "--stage", stage) == 2
    assert "must be 1 or 2" in capsys.readouterr().err


def test_both_stages_by_default() -> None:
    """Without --stage both are planned."""
    assert request.parse_stage(None) == (1, 2)
    with pytest.raises(UsageError):
        request.parse_stage("12")


def test_debug_shows_the_traceback(make: Make, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS_DEBUG=1 lets the exception through."""
    monkeypatch.setenv("OPS_DEBUG", "1")
    with pytest.raises(UsageError):
        run("status", "--env", "qa")


def test_every_changing_task_can_be_rehearsed() -> None:
    """What changes something has --dry-run, --yes and --env."""
    for name in (*("deploy", "push", "destroy", "heal", "rollback", "rotate", "unlock", "add_server"), *BOOTSTRAP):
        arguments = {argument.attr_name or argument.name for argument in tasks.__dict__[name].get_arguments()}
        assert {"env", "dry_run", "yes"} <= arguments, name


def test_yes_has_a_second_name_everywhere() -> None:
    """`--auto-approve` is `--yes`, in every task that has it."""
    found = [task for task in vars(tasks).values() if isinstance(task, Task)]
    names = [argument.names for task in found for argument in task.get_arguments() if argument.name == "yes"]
    assert len(names) > 10
    assert all("auto-approve" in known for known in names)


def test_options_that_do_not_go_together(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, exit code 2, nothing done."""
    assert run("deploy", "--stage", "1", "--target-image", "mongodb=1", "--auto-approve") == 2
    assert capsys.readouterr().err.startswith("error: --target-image is about stage 2")
    assert run("deploy", "--plan", "x", "--target-image", "mongodb=1") == 2
    assert "images included" in capsys.readouterr().err


def test_a_task_has_no_logic() -> None:
    """tasks.py says what is called: no loop, no condition, no file of its own."""
    text = (ROOT / "tasks.py").read_text(encoding="utf-8")
    assert not [word for word in ("\n    if ", "\n    for ", "\n    while ", "open(", "subprocess") if word in text]


@pytest.mark.parametrize("name", sorted(tasks.namespace.task_names))
def test_an_option_s_letter_is_its_first(name: str) -> None:
    """Or it has none: `--setting` has the same name everywhere, and what destroys production is written in full."""
    found = tasks.namespace[name].get_arguments()
    letters = {one.names[0]: [n for n in one.names if len(n) == 1] for one in found}
    assert all(short in ([], [option[0]]) for option, short in letters.items()), letters
    assert not letters.get("setting")
    assert not letters.get("prod")


def test_help_offers_no_environment_that_the_task_refuses() -> None:
    """Bootstrap prepares Azure and refuses local, which is no default of it then."""
    # Read anew: Invoke takes the texts out of a task when it makes its options.
    fresh = runpy.run_path(str(ROOT / "tasks.py"))
    assert [name for name in BOOTSTRAP if "default: local" in fresh[name].help["env"]] == []
    assert "default: local" in fresh["deploy"].help["env"]


def test_the_readme_lists_every_client() -> None:
    """Each name that --client takes."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in connect.CLIENTS if f"`{name}`" not in text and f"--client {name}" not in text] == []
