"""The command line teaches: by purpose, with examples, and with errors that say what would have been right."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import pytest

import tasks
from ops.cli import examples
from ops.cli.program import ProjectProgram, add_optional_name

Run = Callable[..., int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """An `invoke` with the project's tasks; the exit code."""

    def invoked(line: str) -> int:
        try:
            ProjectProgram(tasks.namespace).run(f"invoke {line}", exit=False)
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    return invoked


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("destory", "there is no task 'destory' (did you mean destroy?); `invoke --list` names every task"),
        (
            "status --jsn",
            "status has no option --jsn (did you mean --json?); `invoke status --help` lists those that it has",
        ),
        ("status --env", "--env needs a value; `invoke status --help` says which"),
        (
            "deploy dev --dry-run",
            "one task at a time: 'dev' after `invoke deploy` is a task of its own, and nothing was run; did you mean "
            "`invoke deploy --env dev`?",
        ),
        (
            "destroy status",
            "one task at a time: 'status' after `invoke destroy` is a task of its own, and nothing was run",
        ),
        ("destroy x --yes", "destroy does not take 'x' as well; `invoke destroy --help` says what it takes"),
        (
            "remove-server a b --yes",
            "remove-server does not take 'b' as well; `invoke remove-server --help` says what it takes",
        ),
        ("add-server", "add-server needs 'name'; `invoke add-server --help` has examples"),
        ("--help nope", "there is no task 'nope'; `invoke --list` names every task"),
    ],
)
def test_what_is_asked_wrongly_is_refused_in_one_sentence(
    run: Run, capsys: pytest.CaptureFixture[str], line: str, sentence: str
) -> None:
    """Exit code 2, and the same shape as every other error."""
    assert run(line) == 2
    assert capsys.readouterr().err == f"error: {sentence}\n"


def test_every_task_is_listed_once(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--list") == 0
    first = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert sorted(first) == sorted(
        min([name, *aliases], key=len) for name, aliases in tasks.namespace.task_names.items()
    )


def test_no_task_at_all_is_answered_with_the_list(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("") == 0
    assert "invoke TASK --help explains one" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(tasks.namespace.task_names))
def test_help_explains_and_shows_examples(run: Run, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Also of a task that wants a name, for which --help could be taken."""
    assert run(f"{name} --help") == 0
    out = capsys.readouterr().out
    assert out.startswith(f"invoke {name}")
    for command, _ in examples.EXAMPLES.get(name, []):
        assert command in out


@pytest.mark.parametrize("command", [command for given in examples.EXAMPLES.values() for command, _ in given])
def test_examples_are_read_without_complaint(command: str) -> None:
    """Each names a task and its own options."""
    words = shlex.split(command)
    if words[0] != "invoke":
        words = shlex.split(command.partition("$(")[2].partition(")")[0])
    program = ProjectProgram(tasks.namespace)
    program.create_config()
    program.parse_core(words)
    program.parse_collection()
    program.parse_tasks()
    assert program.tasks


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("trace", "trace"),
        ("trace abc", "trace --request abc"),
        ("trace --json", "trace --json"),
        ("trace abc --json", "trace --request abc --json"),
        ("logs abc", "logs abc"),
    ],
)
def test_a_request_s_id_may_be_left_out(given: str, read: str) -> None:
    """Without one, recent requests are listed."""
    words = given.split()
    add_optional_name(words)
    assert words == read.split()


def test_every_example_is_of_a_task() -> None:
    assert set(examples.EXAMPLES) <= set(tasks.namespace.task_names)
