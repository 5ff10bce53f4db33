"""What every task does around its one call: options that all have, the environment, errors and signals.

Settings and output take long to load; they are loaded when a person already sees that the task works.
"""

from __future__ import annotations

import functools
import gc
import inspect
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

from invoke.parser.argument import Argument
from invoke.tasks import Task

from emulators.base.errors import EmulatorError
from ops.cli import spinner
from ops.errors import InterruptError, OpsError

if TYPE_CHECKING:
    from ops.cli.steps import Runner
    from ops.config.environment import Environment

COMMON = {
    "env": "a folder of terraform/environments (default: local)",
    "setting": "NAME=VALUE, wins over environment variables and files; may be repeated",
}
CHANGES = {"dry_run": "print exactly what would run, and run nothing", "yes": "ask no questions"}
_COLLECT_AFTER = 100_000  # new objects; Python's own 700 suit programs that live longer


_IN_FULL = ("setting", "prod")
"""Options without a letter: which one Invoke finds free differs by task, or the option should be meant."""


class ProjectTask(Task[Any]):
    """A task whose `--yes` may also be written `--auto-approve`, as Terraform calls it.

    An option's letter is the one that it begins with, or it has none: Invoke would take any letter that is left.
    """

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        found = super().get_arguments(ignore_unknown_help)
        for argument in found:
            name = argument.names[0]
            letter = "" if name in _IN_FULL else name[0]
            argument.names = tuple(one for one in argument.names if len(one) > 1 or one == letter)
            if argument.names[0] == "yes":
                argument.names = (*argument.names, "auto-approve")
        return found


def task(
    *,
    changes: bool = False,
    json: str = "",
    help: Mapping[str, str] | None = None,
    iterable: Iterable[str] = (),
    settings: Iterable[str] = (),
    default: bool = False,
) -> Callable[[Callable[..., None]], ProjectTask]:
    """Make a task of `function(environment, …)`, with the options that its kind has: --env and --setting always.

    `changes`: it gets a Runner after the environment, made of --dry-run and --yes. `json`: what --json prints; it gets
    `json`. `settings` are its options that stand for a setting of that name, and are not passed on. Parameters after a
    `*` come after the common ones, which matters for the letters that Invoke gives them.
    """

    def decorate(function: Callable[..., None]) -> ProjectTask:
        own = list(inspect.signature(function).parameters.values())[2 if changes else 1 :]
        given = [_option(one) for one in own if one.name != "json"]
        late = {one.name for one in own if one.kind is Parameter.KEYWORD_ONLY}
        parameters = _parameters(given, late, changes=changes, json=bool(json))

        @functools.wraps(function)
        def body(_: object, env: str, setting: list[str], **options: Any) -> None:
            pairs = [f"{name.upper()}={options.pop(name)}" for name in settings if options.get(name)]
            for name in settings:
                options.pop(name, None)
            environment = load(env, [*setting, *pairs])
            if not changes:
                function(environment, **options)
                return
            runner = _runner(options)
            if runner.dry_run:
                _say_sources(environment, pipeline=not options.get("without_pipeline"))
            function(environment, runner, **options)
            runner.finish()

        body.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # what inspect.signature reads
        texts = {**COMMON, **(CHANGES if changes else {}), **({"json": json} if json else {})}
        required = [one.name for one in given if one.default is Parameter.empty]
        return ProjectTask(
            guarded(body, changes=changes),
            help={**texts, **(help or {})},
            iterable=["setting", *iterable],
            positional=required,
            default=default,
        )

    return decorate


def guarded(function: Callable[..., None], *, changes: bool = False) -> Callable[..., None]:
    """Turn what the project raises on purpose into one line on stderr and an exit code; the rest stays a traceback.

    `changes`: the task changes something, so where it is interrupted the next run finishes what it began.

    `invoke --debug` or OPS_DEBUG=1 shows the traceback of those too.
    """

    @functools.wraps(function)
    def wrapper(*arguments: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _interrupt)
        # What a task loads (schemas, an SDK) it keeps to its end: looking through it again and again finds nothing.
        gc.set_threshold(_COLLECT_AFTER)
        try:
            with spinner.spinner():
                function(*arguments, **options)
        except (OpsError, EmulatorError) as error:
            if debugging():
                raise
            _exit(str(error), getattr(error, "exit_code", 1))
        except KeyboardInterrupt:
            begun = changes and not options.get("dry_run")
            _exit(f"interrupted{'; the next run goes on from here' if begun else ''}", InterruptError.exit_code)

    return wrapper


def load(name: str, setting: list[str] | None = None) -> Environment:
    """Load the environment that a task works on, with what `--setting NAME=VALUE` says."""
    from ops.config import environment as environments
    from ops.config import settings

    environment = environments.load(name, settings.parse_flags(setting or []))
    if environment.unused:
        from ops.cli import output

        for sentence in environment.unused:
            output.warn(sentence)
    return environment


def debugging() -> bool:
    return bool(os.environ.get("OPS_DEBUG")) or logging.getLogger("invoke").getEffectiveLevel() <= logging.DEBUG


def _parameters(own: list[Parameter], late: set[str], *, changes: bool, json: bool) -> list[Parameter]:
    """Return the context that Invoke passes, then options in the order in which Invoke gives them their letters."""
    common = [_parameter("setting", None)]
    common += [_parameter("json", False)] if json else []
    common += [_parameter("dry_run", False), _parameter("yes", False)] if changes else []
    required = [one for one in own if one.default is Parameter.empty]
    early = [one for one in own if one.name not in late and one not in required]
    last = [one for one in own if one.name in late]
    context = Parameter("context", Parameter.POSITIONAL_OR_KEYWORD)
    return [context, *required, _parameter("env", "local"), *early, *common, *last]


def _parameter(name: str, default: object) -> Parameter:
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default)


def _option(own: Parameter) -> Parameter:
    return own.replace(kind=Parameter.POSITIONAL_OR_KEYWORD)


def _runner(options: dict[str, Any]) -> Runner:
    from ops.cli.steps import Runner

    return Runner(dry_run=options.pop("dry_run"), yes=options.pop("yes"))


def _say_sources(environment: Environment, *, pipeline: bool) -> None:
    """Say where each value comes from that the printed commands hold; on stderr, beside the commands on stdout.

    `pipeline`: those too of which its identity and service connection are made.
    """
    from ops.cli import output
    from ops.config.settings import OF_A_PIPELINE

    counting = [one for one in environment.sources if pipeline or one.name not in OF_A_PIPELINE]
    rows = [(one.name, f"{one.value} ({one.text()})") for one in counting]
    output.facts(rows, f"settings of {environment.name}" if rows else "")


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _exit(sentence: str, code: int) -> None:
    from ops.cli import output

    output.error(sentence)
    sys.exit(code)
