"""The tasks. Each is a doorway: what it does is in ops/, where it is tested.

`invoke --list` names them, `invoke TASK --help` explains one. Exit code 1: it did not work; 2: asked wrongly.
"""

from functools import partial

from invoke.collection import Collection
from invoke.context import Context
from invoke.main import program
from invoke.tasks import task as invoke_task

from ops.cli import help_texts
from ops.cli import program as command_line
from ops.cli.task import Doorway, doorway, load

task = partial(invoke_task, klass=Doorway)

_ENV, _SETTING, _CHANGES = help_texts.ENV, help_texts.SETTING, help_texts.CHANGES


@task(help={"env": _ENV, "setting": _SETTING, "json": "print one JSON object"}, iterable=["setting"])
@doorway
def doctor(c: Context, env: str = "local", setting: list[str] | None = None, json: bool = False) -> None:
    """Check tools, versions, sign-in, settings and ports; say how to mend each."""
    from ops.checks import doctor as checks

    checks.show(load(env, setting), as_json=json)


@task(help=help_texts.PLAN, iterable=["setting", "target_image"])
@doorway
def plan(
    c: Context,
    env: str = "local",
    stage: str | None = None,
    target_image: list[str] | None = None,
    out: str | None = None,
    check: bool = False,
    setting: list[str] | None = None,
    json: bool = False,
) -> None:
    """Show what a deployment would change, and what changed outside Terraform; the plan is saved."""
    from ops.rollout import plan as planning

    environment = load(env, setting)
    planning.show(environment, planning.request(environment, stage, target_image or [], out), as_json=json, check=check)


@task(help=help_texts.DEPLOY, iterable=["setting", "target_image"])
@doorway
def deploy(
    c: Context,
    env: str = "local",
    stage: str | None = None,
    target_image: list[str] | None = None,
    plan: str | None = None,
    runtime: str | None = None,
    setting: list[str] | None = None,
    dry_run: bool = False,
    yes: bool = False,
) -> None:
    """Stage 1, images, stage 2, smoke test. On local: the whole platform on this machine, left running.

    What changed outside Terraform is shown before anything is changed. Where a person has to read a plan first:

        invoke plan --env dev --stage 1 --out plans      writes plans/stage1.json
        invoke deploy --env dev --plan plans --dry-run   shows it again
        invoke deploy --env dev --plan plans             applies it, or says what changed since
    """
    from ops.rollout import deploy as steps
    from ops.rollout import request

    environment = load(env, [*(setting or ()), *([f"RUNTIME={runtime}"] if runtime else ())])
    asked = request.of(environment, stage, target_image or [], plan)
    steps.deploy(environment, asked, dry_run=dry_run, yes=yes)


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
    from ops.images import push as images

    images.push(load(env, setting), server, dry_run=dry_run, yes=yes)


@task(help={"env": _ENV, "setting": _SETTING, "json": "print one JSON object"}, iterable=["setting"])
@doorway
def status(c: Context, env: str = "local", setting: list[str] | None = None, json: bool = False) -> None:
    """What is deployed and whether it answers; exit code 1 if it does not."""
    from ops.checks import status as report

    report.show(load(env, setting), as_json=json)


@task(help={"env": _ENV, "setting": _SETTING, "as_": "admin, reader or outsider"}, iterable=["setting"])
@doorway
def token(c: Context, as_: str = "admin", env: str = "local", setting: list[str] | None = None) -> None:
    """Print an access token of that user, and nothing else."""
    from ops.clients import access_token as tokens

    tokens.show(load(env, setting), as_)


@task(help=help_texts.CONNECT, iterable=["setting"])
@doorway
def connect(
    c: Context,
    client: str | None = None,
    env: str = "local",
    write: bool = False,
    setting: list[str] | None = None,
    json: bool = False,
) -> None:
    """The configuration with which an MCP client uses this endpoint: printed, or written into its file.

    On a terminal it offers to open the client, and says what to expect at sign-in.
    """
    from ops.clients import connect as clients

    clients.show(load(env, setting), client, write=write, as_json=json)


@task(help=help_texts.LOGS, iterable=["setting"])
@doorway
def logs(
    c: Context, env: str = "local", part: str | None = None, follow: bool = False, setting: list[str] | None = None
) -> None:
    """The end of the platform's logs."""
    from ops.observe import logs as files

    files.show(load(env, setting), part=part, follow=follow)


@task(help=help_texts.TRACE, iterable=["setting"])
@doorway
def trace(
    c: Context, request: str = "", env: str = "local", setting: list[str] | None = None, json: bool = False
) -> None:
    """What each policy did with a request at the local gateway; without an id, which requests there were."""
    from ops.observe import trace as traces

    traces.show(load(env, setting), request, as_json=json)


@task(help=help_texts.WATCH, iterable=["setting"])
@doorway
def watch(c: Context, env: str = "local", setting: list[str] | None = None, json: bool = False) -> None:
    """Calls as they happen, by caller, tier, tool, time and refusal, until Ctrl-C."""
    from ops.observe import watch as calls

    calls.show(load(env, setting), as_json=json)


@task(help={"env": _ENV, "setting": _SETTING}, iterable=["setting"])
@doorway
def console(c: Context, env: str = "local", setting: list[str] | None = None) -> None:
    """The address of the local platform's own page, and nothing else."""
    from ops.checks import status as report

    report.console(load(env, setting))


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
    from ops.rollout import destroy as teardown

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
    from ops.checks import policy_files as gateway_check

    gateway_check.show([path, *(also or [])], as_json=json)


_TRUST = {
    "issuer": "of the federated credential, as the service connection shows it; with --subject",
    "subject": "of the federated credential, as the service connection shows it",
    "ado_org_id": "the Azure DevOps organisation's id, or ask: the older issuer is made from it",
    "github": "OWNER/REPOSITORY: trust GitHub Actions instead of Azure DevOps",
    "github_subject": "branch:NAME, tag:NAME, environment:NAME or pull_request (default: branch:main and pull_request)",
    "narrow": "a role that gives Terraform's own roles only, instead of User Access Administrator",
}
_MINIMAL = {"minimal": "in the directory, only what the pipeline owns; assignments are left to an administrator"}


@task(help={**_CHANGES, **_TRUST, **_MINIMAL}, iterable=["setting", "github_subject"], default=True)
@doorway
def bootstrap_all(
    c: Context,
    env: str = "local",
    setting: list[str] | None = None,
    dry_run: bool = False,
    yes: bool = False,
    issuer: str = "",
    subject: str = "",
    ado_org_id: str = "",
    github: str = "",
    github_subject: list[str] | None = None,
    narrow: bool = False,
    minimal: bool = False,
) -> None:
    """Steps 1 to 3: identity, federation, Entra permissions, state storage. Repeating it changes nothing."""
    from ops import bootstrap

    options = bootstrap.Options(issuer, subject, ado_org_id, github, tuple(github_subject or ()), minimal, narrow)
    bootstrap.run(load(env, setting), options, dry_run=dry_run, yes=yes)


@task(help=_CHANGES, iterable=["setting"])
@doorway
def identity(
    c: Context, env: str = "local", setting: list[str] | None = None, dry_run: bool = False, yes: bool = False
) -> None:
    """Step 1: resource group and managed identity; prints and saves its ids."""
    from ops import bootstrap

    bootstrap.run(load(env, setting), bootstrap.Options(), ("identity",), dry_run=dry_run, yes=yes)


@task(help={**_CHANGES, **_TRUST}, iterable=["setting", "github_subject"])
@doorway
def federation(
    c: Context,
    env: str = "local",
    setting: list[str] | None = None,
    dry_run: bool = False,
    yes: bool = False,
    issuer: str = "",
    subject: str = "",
    ado_org_id: str = "",
    github: str = "",
    github_subject: list[str] | None = None,
    narrow: bool = False,
) -> None:
    """Step 2: whose pipeline may sign in as the identity, and its roles in the subscription."""
    from ops import bootstrap

    options = bootstrap.Options(issuer, subject, ado_org_id, github, tuple(github_subject or ()), narrow=narrow)
    bootstrap.run(load(env, setting), options, ("federation",), dry_run=dry_run, yes=yes)


@task(help={**_CHANGES, **_MINIMAL}, iterable=["setting"])
@doorway
def entra(
    c: Context,
    env: str = "local",
    setting: list[str] | None = None,
    dry_run: bool = False,
    yes: bool = False,
    minimal: bool = False,
) -> None:
    """Step 2: directory role and Microsoft Graph permissions, with what they allow."""
    from ops import bootstrap

    bootstrap.run(load(env, setting), bootstrap.Options(minimal=minimal), ("entra",), dry_run=dry_run, yes=yes)


@task(help=_CHANGES, iterable=["setting"])
@doorway
def state(
    c: Context, env: str = "local", setting: list[str] | None = None, dry_run: bool = False, yes: bool = False
) -> None:
    """Step 3: storage account and container for Terraform's state, and `terraform init` of both stages."""
    from ops import bootstrap

    bootstrap.run(load(env, setting), bootstrap.Options(), ("state",), dry_run=dry_run, yes=yes)


@task(help=_CHANGES, iterable=["setting"])
@doorway
def heal(
    c: Context, env: str = "local", setting: list[str] | None = None, dry_run: bool = False, yes: bool = False
) -> None:
    """Put back what changed without Terraform: container addresses first, and nothing that did not drift."""
    from ops.rollout import heal as healing

    healing.heal(load(env, setting), dry_run=dry_run, yes=yes)


@task(help={**_CHANGES, "server": "a key of mcp_servers (default: the only one)"}, iterable=["setting"])
@doorway
def rollback(
    c: Context,
    env: str = "local",
    server: str | None = None,
    setting: list[str] | None = None,
    dry_run: bool = False,
    yes: bool = False,
) -> None:
    """The image that a server ran before, one slot after the other."""
    from ops.rollout import rollback as back

    back.rollback(load(env, setting), server, dry_run=dry_run, yes=yes)


@task(help={**_CHANGES, "name": "of the server: part of its address"}, iterable=["setting"], positional=["name"])
@doorway
def add_server(
    c: Context,
    name: str,
    env: str = "local",
    setting: list[str] | None = None,
    dry_run: bool = False,
    yes: bool = False,
) -> None:
    """One more MCP server: a folder in servers/ from a template, and its entry in mcp_servers."""
    from ops.servers import add_server as adding

    adding.add(load(env, setting), name, dry_run=dry_run, yes=yes)


@task(help=_CHANGES, iterable=["setting"])
@doorway
def unlock(
    c: Context, env: str = "local", setting: list[str] | None = None, dry_run: bool = False, yes: bool = False
) -> None:
    """Who holds the lock of the Terraform state; ends it if you agree."""
    from ops.rollout import unlock as unlocking

    unlocking.unlock(load(env, setting), dry_run=dry_run, yes=yes)


@task(help=_CHANGES, iterable=["setting"])
@doorway
def rotate(
    c: Context, env: str = "local", setting: list[str] | None = None, dry_run: bool = False, yes: bool = False
) -> None:
    """New database keys: the unused one first, then the servers slot by slot, then the other one."""
    from ops.rollout import rotate as keys

    keys.rotate(load(env, setting), dry_run=dry_run, yes=yes)


@task(help={"env": _ENV, "setting": _SETTING, "json": "print one JSON object"}, iterable=["setting"])
@doorway
def verify(c: Context, env: str = "local", setting: list[str] | None = None, json: bool = False) -> None:
    """Live checks of what only this environment can prove: each passes, fails, or says why it was not run."""
    from ops.checks import verify as checks

    checks.verify(load(env, setting), as_json=json)


namespace = Collection(
    add_server,
    rotate,
    unlock,
    verify,
    heal,
    rollback,
    doctor,
    plan,
    deploy,
    push,
    status,
    token,
    connect,
    logs,
    trace,
    watch,
    console,
    destroy,
    gateway=Collection("gateway", check),
    bootstrap=Collection("bootstrap", bootstrap_all, identity, federation, entra, state),
)

command_line.speak(program)
