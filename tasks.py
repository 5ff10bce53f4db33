"""The tasks. Each is a doorway: what it does is in ops/, where it is tested.

`invoke --list` names them, `invoke --help TASK` explains one. Exit code 1: it did not work; 2: asked wrongly.
"""

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

from ops.cli import doorway, load

_ENV = "a folder of terraform/environments (default: local)"
_SETTING = "NAME=VALUE, wins over environment variables and files; may be repeated"
_CHANGES = {
    "env": _ENV,
    "setting": _SETTING,
    "dry_run": "print exactly what would run, and run nothing",
    "yes": "ask no questions",
}


@task(help={"env": _ENV, "setting": _SETTING, "json": "print one JSON object"}, iterable=["setting"])
@doorway
def doctor(c: Context, env: str = "local", setting: list[str] | None = None, json: bool = False) -> None:
    """Check tools, versions, sign-in, settings and ports; say how to mend each."""
    from ops import doctor as checks

    checks.show(load(env, setting), as_json=json)


@task(
    help={"env": _ENV, "setting": _SETTING, "stage": "1 or 2 (default: both)", "json": "print one JSON object"},
    iterable=["setting"],
)
@doorway
def plan(
    c: Context, env: str = "local", stage: str | None = None, setting: list[str] | None = None, json: bool = False
) -> None:
    """Show what a deployment would change; the plan is saved."""
    from ops import planning

    planning.show(load(env, setting), planning.parse_stage(stage), as_json=json)


@task(help=_CHANGES, iterable=["setting"])
@doorway
def deploy(
    c: Context, env: str = "local", setting: list[str] | None = None, dry_run: bool = False, yes: bool = False
) -> None:
    """Stage 1, images, stage 2, smoke test. On local: the whole platform on this machine, left running."""
    from ops import deploy as steps

    steps.deploy(load(env, setting), dry_run=dry_run, yes=yes)


@task(help={**_CHANGES, "server": "a key of mcp_servers (default: all)"}, iterable=["setting"])
@doorway
def push(
    c: Context,
    env: str = "local",
    server: str | None = None,
    setting: list[str] | None = None,
    dry_run: bool = False,
    yes: bool = False,
) -> None:
    """Build each server's image and put it into the registry, by digest."""
    from ops import push as images

    images.push(load(env, setting), server, dry_run=dry_run, yes=yes)


@task(help={"env": _ENV, "setting": _SETTING, "json": "print one JSON object"}, iterable=["setting"])
@doorway
def status(c: Context, env: str = "local", setting: list[str] | None = None, json: bool = False) -> None:
    """What is deployed and whether it answers; exit code 1 if it does not."""
    from ops import status as report

    report.show(load(env, setting), as_json=json)


@task(help={"env": _ENV, "setting": _SETTING, "as_": "admin, reader or outsider"}, iterable=["setting"])
@doorway
def token(c: Context, as_: str = "admin", env: str = "local", setting: list[str] | None = None) -> None:
    """Print an access token of that user, and nothing else."""
    from ops import token as tokens

    tokens.show(load(env, setting), as_)


@task(
    help={"env": _ENV, "setting": _SETTING, "client": "vscode, claude, cursor or inspector (default: all)"},
    iterable=["setting"],
)
@doorway
def connect(c: Context, client: str | None = None, env: str = "local", setting: list[str] | None = None) -> None:
    """The configuration with which an MCP client uses this endpoint."""
    from ops import connect as clients

    clients.show(load(env, setting), client)


@task(
    help={
        "env": _ENV,
        "setting": _SETTING,
        "part": "one part, e.g. gateway (default: all)",
        "follow": "go on until Ctrl-C",
    },
    iterable=["setting"],
)
@doorway
def logs(
    c: Context, env: str = "local", part: str | None = None, follow: bool = False, setting: list[str] | None = None
) -> None:
    """The end of the platform's logs."""
    from ops import logs as files

    files.show(load(env, setting), part=part, follow=follow)


@task(help={**_CHANGES, "prod": "needed to destroy prod"}, iterable=["setting"])
@doorway
def destroy(
    c: Context,
    env: str = "local",
    setting: list[str] | None = None,
    dry_run: bool = False,
    yes: bool = False,
    prod: bool = False,
) -> None:
    """Tear everything down: stage 2, stage 1, and on local every process and generated file."""
    from ops import teardown

    teardown.destroy(load(env, setting), dry_run=dry_run, yes=yes, prod=prod)


@task(
    help={
        "path": "a policy file, or a folder of them",
        "also": "one more path; may be repeated",
        "json": "print one JSON object",
    },
    iterable=["also"],
    positional=["path"],
)
@doorway
def check(c: Context, path: str, also: list[str] | None = None, json: bool = False) -> None:
    """Which policy XML the local gateway would run, and what not, with line numbers; exit code 0: all of it."""
    from ops import gateway_check

    gateway_check.show([path, *(also or [])], as_json=json)


namespace = Collection(
    doctor, plan, deploy, push, status, token, connect, logs, destroy, gateway=Collection("gateway", check)
)
