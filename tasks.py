"""The tasks. What each does is in ops/, where it is tested; here stands what it is called and which options it has.

`invoke --list` names them, `invoke TASK --help` explains one. Exit code 1: it did not work; 2: asked wrongly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.collection import Collection
from invoke.tasks import task as invoke_task

from ops.cli import program
from ops.cli.task import guarded, task

if TYPE_CHECKING:
    from ops.cli.steps import Runner
    from ops.config.environment import Environment

_JSON = "print one JSON object"
_STAGE = "1 or 2 (default: both)"
_TARGET_IMAGE = (
    "NAME=DIGEST or NAME=TAG: that server runs this image, which exists, and nothing is built for it; may be repeated. "
    "Or `deployed`: every server runs what it runs now"
)


@task(json=_JSON)
def doctor(environment: Environment, json: bool = False) -> None:
    """Check tools, versions, sign-in, settings and ports; say how to mend each."""
    from ops.checks import doctor

    doctor.report(environment, as_json=json)


@task(
    json=_JSON,
    iterable=["target_image"],
    help={
        "stage": _STAGE,
        "target_image": _TARGET_IMAGE,
        "out": "a folder to save the plan in, for somebody to read and `invoke deploy --plan` to apply",
        "check": "exit code 1 if anything would change: for a schedule",
    },
)
def plan(
    environment: Environment,
    stage: str | None = None,
    target_image: list[str] | None = None,
    out: str | None = None,
    check: bool = False,
    json: bool = False,
) -> None:
    """Show what a deployment would change, and what changed outside Terraform; the plan is saved."""
    from ops.rollout import plan

    plan.report(environment, plan.parse(environment, stage, target_image or [], out), as_json=json, check=check)


@task(
    changes=True,
    iterable=["target_image"],
    settings=["runtime"],
    help={
        "stage": f"{_STAGE}. Stage 2 alone builds no image: `invoke push` first, or --target-image",
        "target_image": _TARGET_IMAGE,
        "runtime": "process (default) or docker: what a container group becomes on this machine; as the setting "
        "RUNTIME",
        "plan": "a folder that `invoke plan --out` wrote: exactly that is applied, or, where anything changed since, "
        "nothing. Where a server has several slots, each slot's part of it, one after the other",
    },
)
def deploy(
    environment: Environment,
    runner: Runner,
    stage: str | None = None,
    target_image: list[str] | None = None,
    plan: str | None = None,
    runtime: str | None = None,
) -> None:
    """Stage 1, images, stage 2, smoke test. On local: the whole platform on this machine, left running.

    What changed outside Terraform is shown before anything is changed. Where a person has to read a plan first:

        invoke plan --env dev --stage 1 --out plans      writes plans/stage1.json
        invoke deploy --env dev --plan plans --dry-run   shows it again
        invoke deploy --env dev --plan plans             applies it, or says what changed since
    """
    from ops.rollout import deploy, request

    deploy.deploy(environment, runner, request.parse(environment, stage, target_image or [], plan))


@task(changes=True, help={"server": "a key of mcp_servers (default: all)"})
def push(environment: Environment, runner: Runner, server: str | None = None) -> None:
    """Build each server's image and put it into the registry, by digest."""
    from ops.images import push

    push.push(environment, runner, server)


@task(json=_JSON, help={"secrets": "with --json: the local database's address with its key, which is masked otherwise"})
def status(environment: Environment, json: bool = False, *, secrets: bool = False) -> None:
    """What is deployed and whether it answers; exit code 1 if it does not."""
    from ops.checks import status

    status.report(environment, as_json=json, secrets=secrets)


@task(help={"as_": "a role, or admin, reader or outsider; on local anybody of the directory (default: admin)"})
def token(environment: Environment, as_: str = "admin") -> None:
    """Print an access token of that user or role and nothing else; `invoke connect --client curl` shows a call."""
    from ops.clients import access_token

    access_token.print_token(environment, as_)


@task(
    json=_JSON,
    help={
        "client": "vscode, claude, cursor, json, inspector, codex, gemini, opencode or curl (default: all)",
        "write": "write the client's file, in which everything else stays; with --client",
    },
)
def connect(environment: Environment, client: str | None = None, write: bool = False, json: bool = False) -> None:
    """The configuration with which an MCP client uses this endpoint: printed, or written into its file.

    On a terminal it offers to open the client, and says what to expect at sign-in.
    """
    from ops.clients import connect

    connect.print_configuration(environment, client, write=write, as_json=json)


@task(help={"part": "one part, e.g. gateway, or on Azure a slot (default: all)", "follow": "go on until Ctrl-C"})
def logs(environment: Environment, part: str | None = None, follow: bool = False) -> None:
    """The end of the platform's logs; on Azure, of what its containers wrote."""
    from ops.observe import logs

    logs.print_logs(environment, part=part, follow=follow)


@task(json=_JSON, help={"request": "its id, as X-Correlation-Id of an answer says it; none: list the recent ones"})
def trace(environment: Environment, request: str = "", json: bool = False) -> None:
    """What each policy did with a request at the local gateway; without an id, which requests there were."""
    from ops.observe import policy_trace

    policy_trace.print_trace(environment, request, as_json=json)


@task(json="print one JSON object per call")
def watch(environment: Environment, json: bool = False) -> None:
    """Calls as they happen, by server, caller, tier, tool, time and refusal, until Ctrl-C."""
    from ops.observe import watch

    watch.print_calls(environment, as_json=json)


@task()
def console(environment: Environment) -> None:
    """The address of the local platform's own page, and nothing else."""
    from ops.checks import status

    status.print_console_address(environment)


@task(changes=True, help={"prod": "needed to destroy prod"})
def destroy(environment: Environment, runner: Runner, *, prod: bool = False) -> None:
    """Tear everything down: stage 2, stage 1, and on local every process and what they wrote."""
    from ops.rollout import destroy

    destroy.destroy(environment, runner, prod=prod)


@invoke_task(
    help={"path": "a policy file, or a folder of them", "also": "one more path; may be repeated", "json": _JSON},
    iterable=["also"],
    positional=["path"],
)
@guarded
def check(context: object, path: str, also: list[str] | None = None, json: bool = False) -> None:
    """Which policy XML the local gateway would run, and what not, with line numbers; exit code 0: all of it."""
    from ops.checks import policy_files

    policy_files.report([path, *(also or [])], as_json=json)


_ON_AZURE = {"env": "a folder of terraform/environments that is on Azure; needed, as local has nothing to prepare"}
_TRUST = {
    "issuer": "of the federated credential, as the service connection shows it; with --subject",
    "subject": "of the federated credential, as the service connection shows it",
    "ado_org_id": "the Azure DevOps organisation's id, or ask: the older issuer is made from it",
    "github": "GitHub Actions: OWNER/REPOSITORY, or OWNER@ID/REPOSITORY@ID where its tokens name both",
    "github_subject": "branch:NAME, tag:NAME, environment:NAME or pull_request (default: branch:main and pull_request)",
    "narrow": "a role that gives Terraform's own roles only, instead of User Access Administrator",
}
_MINIMAL = {"minimal": "in the directory, only what the pipeline owns; assignments are left to an administrator"}


_LAPTOP = {"without_pipeline": "you deploy from here: make the resource group and the state, and no identity"}


@task(changes=True, help={**_ON_AZURE, **_TRUST, **_MINIMAL, **_LAPTOP}, iterable=["github_subject"], default=True)
def bootstrap_all(
    environment: Environment,
    runner: Runner,
    *,
    issuer: str = "",
    subject: str = "",
    ado_org_id: str = "",
    github: str = "",
    github_subject: list[str] | None = None,
    narrow: bool = False,
    minimal: bool = False,
    without_pipeline: bool = False,
) -> None:
    """Steps 1 to 3: identity, federation, Entra permissions, state storage. Repeating it changes nothing."""
    from ops import bootstrap
    from ops.checks import doctor

    options = bootstrap.Options(
        *(issuer, subject, ado_org_id, github, tuple(github_subject or ())),
        minimal=minimal,
        narrow=narrow,
        without_pipeline=without_pipeline,
    )
    bootstrap.refuse_local(environment)
    of_azure_devops = not (github or issuer or without_pipeline)
    doctor.require_values(environment, runner, pipeline=of_azure_devops, identity=not without_pipeline)
    doctor.preview(environment, runner, bootstraps=True, pipeline=not without_pipeline)
    bootstrap.bootstrap(environment, runner, options)


@task(changes=True, help=_ON_AZURE)
def identity(environment: Environment, runner: Runner) -> None:
    """Step 1: resource group and managed identity; prints and saves its ids."""
    from ops import bootstrap
    from ops.checks import doctor

    doctor.require_values(environment, runner)
    bootstrap.bootstrap(environment, runner, bootstrap.Options(), ("identity",))


@task(changes=True, help={**_ON_AZURE, **_TRUST}, iterable=["github_subject"])
def federation(
    environment: Environment,
    runner: Runner,
    *,
    issuer: str = "",
    subject: str = "",
    ado_org_id: str = "",
    github: str = "",
    github_subject: list[str] | None = None,
    narrow: bool = False,
) -> None:
    """Step 2: whose pipeline may sign in as the identity, and its roles in the subscription."""
    from ops import bootstrap
    from ops.checks import doctor

    options = bootstrap.Options(issuer, subject, ado_org_id, github, tuple(github_subject or ()), narrow=narrow)
    doctor.require_values(environment, runner, pipeline=not (github or issuer))
    bootstrap.bootstrap(environment, runner, options, ("federation",))


@task(changes=True, help={**_ON_AZURE, **_MINIMAL})
def entra(environment: Environment, runner: Runner, *, minimal: bool = False) -> None:
    """Step 2: directory role and Microsoft Graph permissions, with what they allow."""
    from ops import bootstrap
    from ops.checks import doctor

    doctor.require_values(environment, runner)
    bootstrap.bootstrap(environment, runner, bootstrap.Options(minimal=minimal), ("entra",))


@task(changes=True, help=_ON_AZURE)
def state(environment: Environment, runner: Runner) -> None:
    """Step 3: storage account and container for Terraform's state, and `terraform init` of both stages."""
    from ops import bootstrap
    from ops.checks import doctor

    doctor.require_values(environment, runner)
    bootstrap.bootstrap(environment, runner, bootstrap.Options(), ("state",))


@task(changes=True)
def heal(environment: Environment, runner: Runner) -> None:
    """Put back what changed without Terraform: container addresses first, and nothing that did not drift."""
    from ops.rollout import heal

    heal.heal(environment, runner)


@task(changes=True, help={"server": "a key of mcp_servers (default: the only one)"})
def rollback(environment: Environment, runner: Runner, server: str | None = None) -> None:
    """The image that a server ran before, one slot after the other."""
    from ops.rollout import rollback

    rollback.rollback(environment, runner, server)


@task(
    changes=True,
    iterable=["with_", "operation", "header", "role"],
    help={
        "name": "of the server: part of its address",
        "pypi": "PACKAGE==VERSION: a server that somebody else publishes on PyPI",
        "npm": "@SCOPE/PACKAGE@VERSION: one from npm; it needs Node.js",
        "command": "which of a package's programs is the server (default: the one of its name, or the only one)",
        "arguments": "what the program is given, as a shell would split it",
        "with_": "with --pypi: what its lock keeps to as well, such as mcp<2 for an older server; may be repeated",
        "openapi": "FILE or URL of an OpenAPI document: a REST API as tools",
        "operation": "with --openapi: an operationId that becomes a tool; may be repeated",
        "base_url": "with --openapi: where the API is (default: the document's first server)",
        "header": "with --openapi: NAME=VARIABLE, a header with a credential of this server; may be repeated. With "
        "--remote: NAME=SECRET, the name of a vault secret",
        "image": "REGISTRY/REPOSITORY@sha256:…: an image that exists and speaks MCP over HTTP; a container engine runs "
        "it here, and Azure beside its front",
        "port": "with --image: where in the container it answers (default: 8080)",
        "path": "with --image: and at which path (default: /mcp)",
        "remote": "URL of an MCP server of another team or vendor: the gateway forwards to it",
        "role": "TIER=ROLE: a tier and the role of `roles` that opens it; may be repeated (default: admin and reader)",
        "as_caller": "SCOPE: it acts as who calls, with their token for that permission of another API, such as "
        "api://<application id>/Files.Read; not with --pypi or --npm",
        "sessions": "shared (default): one process for all callers of a tier; caller: one for each, and one slot",
    },
)
def add_server(
    environment: Environment,
    runner: Runner,
    name: str,
    pypi: str | None = None,
    npm: str | None = None,
    command: str | None = None,
    arguments: str | None = None,
    sessions: str | None = None,
    with_: list[str] | None = None,
    openapi: str | None = None,
    operation: list[str] | None = None,
    base_url: str | None = None,
    header: list[str] | None = None,
    image: str | None = None,
    remote: str | None = None,
    port: str | None = None,
    path: str | None = None,
    role: list[str] | None = None,
    as_caller: str | None = None,
) -> None:
    """One more MCP server: a folder in servers/, and its entry in mcp_servers.

    A server of your own from a template; or, with --pypi or --npm, one that somebody else publishes and that speaks MCP
    over standard input and output: locked by hash, behind a front that checks the gateway's token. Or, with --openapi,
    operations of a REST API as tools; with --image, an image by its digest as a second container beside the front; or,
    with --remote, a server elsewhere, of which there is an entry and no folder. With --as-caller it acts at another API
    as the person who calls:

        invoke add-server me --openapi graph.json --operation GetMe --as-caller https://graph.microsoft.com/User.Read
    """
    from ops.servers import add_server

    wanted = add_server.parse(
        pypi,
        npm,
        command,
        arguments,
        sessions,
        with_ or (),
        openapi,
        operation or (),
        base_url,
        header or (),
        image,
        remote,
        port,
        path,
        role or (),
        as_caller,
        local=environment.is_local,
    )
    add_server.add(environment, runner, name, wanted)


@task(help={"name": "a key of mcp_servers, whose code is in servers/"})
def dev(environment: Environment, name: str) -> None:
    """Work on a server: it runs from its folder and starts anew when a file changes, until Ctrl-C.

    The platform must run (`invoke deploy`). Shows the endpoint, a call to paste into another terminal, what the server
    writes, and what does not start. After Ctrl-C the image that was deployed runs again; `invoke deploy` deploys the
    changes:

        invoke add-server notes
        invoke deploy
        invoke dev notes           and edit servers/notes/src/notes_server/tools.py

    What starts anew loses what it keeps in memory. A change of the entry in mcp_servers is not a change of the code:
    `invoke deploy` takes that over, also while this runs.
    """
    from ops.servers import dev

    dev.develop(environment, name)


@task(changes=True, help={"name": "a key of mcp_servers"})
def remove_server(environment: Environment, runner: Runner, name: str) -> None:
    """Undo add-server: the entry in mcp_servers, and the folder that nothing else builds from."""
    from ops.servers import remove_server

    remove_server.remove(environment, runner, name)


@task(changes=True)
def unlock(environment: Environment, runner: Runner) -> None:
    """Who holds the lock of the Terraform state; ends it if you agree."""
    from ops.rollout import unlock

    unlock.unlock(environment, runner)


@task(changes=True)
def rotate(environment: Environment, runner: Runner) -> None:
    """New database keys: the unused one first, then the servers slot by slot, then the other one."""
    from ops.rollout import rotate

    rotate.rotate(environment, runner)


@task(json=_JSON)
def verify(environment: Environment, json: bool = False) -> None:
    """Live checks of what only this environment can prove: each passes, fails, or says why it was not run."""
    from ops.checks import verify

    verify.report(environment, as_json=json)


namespace = Collection(
    add_server,
    remove_server,
    dev,
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

program.run(namespace)
