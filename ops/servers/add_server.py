"""`invoke add-server NAME`: a folder in servers/ and one entry in the environment's mcp_servers.

The folder is made from the template of a server of one's own, or holds the lock of one that somebody else publishes.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ops.cli.steps import Runner, Step
from ops.config import tfvars
from ops.config.environment import ROOT, Environment, env_option
from ops.config.roles import named, roles
from ops.config.servers import acts_as_caller
from ops.errors import SettingError, UsageError
from ops.images import catalog, installed, upstream
from ops.images.catalog import Source
from ops.servers import packages, rest_api
from ops.servers.packages import Package, Registry
from ops.servers.remote import Remote, caller_lines
from ops.servers.rest_api import Api
from ops.terraform import workspace

TEMPLATES = ROOT / "ops" / "templates"
TEMPLATE = TEMPLATES / "server"
GATE = catalog.FRONT
SESSIONS = ("shared", "caller")
_OWN, _API = "a server of this project", "a REST API"
_UPSTREAM_PORT = 8080
_REGISTRIES: Mapping[Registry, str] = {"pypi": "PyPI", "npm": "npm"}
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PATH = re.compile(r"/[A-Za-z0-9._~/-]*")
_LONGEST = 30
_TIER = re.compile(r"[a-z][a-z0-9]{0,14}")
# As `downstream.scope` of terraform/shared/variables-servers.tf has it.
_SCOPE = re.compile(
    r"(api://[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|https://graph[.]microsoft[.]com)/[A-Za-z][A-Za-z0-9._-]{0,119}"
)
_BLOCK = re.compile(r"^mcp_servers\s*=\s*\{\n(?:.*\n)*?(?=\}\n)", re.MULTILINE)
_ENTRY = """  {name} = {{
    image = {{ repository = "{name}", tag = "0.1.0" }}
    port = 8000{front}
    tiers = {{
{tiers}
    }}
  }}
"""


@dataclass(frozen=True)
class Scaffold:
    """What is to be written: `files` are text by path below `folder`; empty where the folder is there already."""

    name: str
    folder: Path
    files: dict[str, str]
    variables: Path
    entry: str  # empty where mcp_servers has it already


@dataclass(frozen=True)
class Container:
    """An image that somebody else publishes, by digest, and where in it MCP over HTTP is answered."""

    reference: str
    port: int = _UPSTREAM_PORT
    path: str = "/mcp"

    @property
    def entry(self) -> str:
        path = "" if self.path == "/mcp" else f", path = {json.dumps(self.path)}"
        return f" upstream = {{ image = {json.dumps(self.reference)}, port = {self.port}{path} }} "


@dataclass(frozen=True)
class Wanted:
    """What a person asked for: a server of one's own where neither a package nor an API is named."""

    package: Package | None = None
    api: Api | None = None
    image: Container | None = None
    remote: Remote | None = None
    sessions: str = "shared"
    tiers: Mapping[str, str] = field(default_factory=dict)  # the role of each; empty: the usual two
    scope: str = ""  # of another API, for which the gateway exchanges the caller's token; empty: it acts as itself

    @property
    def template(self) -> Path:
        if self.package:
            return TEMPLATES / self.package.registry
        if self.image:
            return TEMPLATES / "image"
        return TEMPLATES / "openapi" if self.api else TEMPLATE

    @property
    def behind_front(self) -> bool:
        return (self.package or self.api or self.image) is not None


def parse(
    pypi: str | None = None,
    npm: str | None = None,
    command: str | None = None,
    arguments: str | None = None,
    sessions: str | None = None,
    beside: Sequence[str] = (),
    openapi: str | None = None,
    operations: Sequence[str] = (),
    base_url: str | None = None,
    headers: Sequence[str] = (),
    image: str | None = None,
    remote: str | None = None,
    port: str | None = None,
    path: str | None = None,
    tiers: Sequence[str] = (),
    as_caller: str | None = None,
    *,
    local: bool = True,
) -> Wanted:
    """Read the options; UsageError for two sources, options of another source, or a source that is not hosted."""
    given = {"--pypi": pypi, "--npm": npm, "--openapi": openapi, "--image": image, "--remote": remote}
    sources = [name for name, value in given.items() if value]
    if len(sources) > 1:
        raise UsageError(f"{' and '.join(sources)} are two sources, and a server has one; give one of them")
    if sessions and sessions not in SESSIONS:
        raise UsageError(f"--sessions {sessions!r} must be one of {', '.join(SESSIONS)}")
    of_package = {"--command": command, "--arguments": arguments, "--sessions": sessions, "--with": beside}
    _only_with(sources, ("--pypi", "--npm"), of_package)
    _only_with(sources, ("--openapi",), {"--operation": operations, "--base-url": base_url})
    _only_with(sources, ("--openapi", "--remote"), {"--header": headers})
    _only_with(sources, ("--image",), {"--port": port, "--path": path})
    if as_caller is not None:
        _require_scope(as_caller, sources, headers)
    wanted = Wanted(tiers=_tiers(tiers), scope=as_caller or "")
    if image:
        return replace(wanted, image=_container(image, port, path or "/mcp"))
    if remote:
        return replace(wanted, remote=Remote.parse(remote, headers, local=local))
    if openapi:
        return replace(wanted, api=rest_api.parse(openapi, operations, base_url or "", headers))
    if text := pypi or npm:
        package = packages.parse("pypi" if pypi else "npm", text, command or "", arguments or "", beside)
        return replace(wanted, package=package, sessions=sessions or "shared")
    return wanted


def _require_scope(scope: str, sources: Sequence[str], headers: Sequence[str]) -> None:
    """Raise UsageError for a scope that Terraform would refuse, or a source that cannot be handed a caller's token."""
    if set(sources) & {"--pypi", "--npm"}:
        raise UsageError(
            f"--as-caller cannot be with {sources[0]}: a package speaks over standard input and output, where a call "
            "carries no token of who calls; use --openapi, --image, --remote or a server of your own"
        )
    if not _SCOPE.fullmatch(scope):
        raise UsageError(
            f"--as-caller {scope!r} must be one delegated permission by its full name, such as "
            "api://<application id>/Files.Read or https://graph.microsoft.com/User.Read; .default would be every "
            "permission that was ever granted"
        )
    if any(header.partition("=")[0].lower() == "authorization" for header in headers):
        raise UsageError(
            "--header Authorization cannot be with --as-caller: that header carries the caller's token; name another "
            "header, or leave it out"
        )


def _tiers(given: Sequence[str]) -> dict[str, str]:
    """Read each TIER=ROLE; UsageError for another shape, a tier twice or a role twice."""
    found: dict[str, str] = {}
    for text in given:
        tier, equals, role = text.partition("=")
        if not (equals and role and _TIER.fullmatch(tier)):
            raise UsageError(
                f"--role {text!r} must be TIER=ROLE, such as reader=Mcp.Read: a tier's name is 1-15 lower-case letters "
                "and digits and starts with a letter"
            )
        if tier in found or role in found.values():
            raise UsageError(
                f"--role {text} names a tier or role a second time; a tier has one role, and a role one tier"
            )
        found[tier] = role
    return found


def _usual_tiers(environment: Environment) -> dict[str, str]:
    """A tier for the best role that may write and one for the best that only reads, as far as there are such."""
    kinds = {role.reads for role in roles(environment)}
    return {alias: named(environment, alias) for alias, reads in (("admin", False), ("reader", True)) if reads in kinds}


def _require_roles(environment: Environment, tiers: Mapping[str, str]) -> None:
    known = [role.name for role in roles(environment)]
    for tier, role in tiers.items():
        if role not in known:
            raise UsageError(
                f"--role {tier}={role} names no role of {environment.name}, which has {', '.join(known)}; add it to "
                f"roles in {environment.folder / 'terraform.tfvars'} first (docs/roles.md)"
            )


def _container(reference: str, port: str | None, path: str) -> Container:
    upstream.parse("--image", reference)
    if port is not None and not (port.isdecimal() and 1 <= int(port) <= 65535):
        raise UsageError(f"--port {port!r} must be from 1 to 65535: where the image answers MCP over HTTP")
    if not _PATH.fullmatch(path):
        raise UsageError(f"--path {path!r} must be a path that starts with a slash, such as /mcp")
    return Container(reference, int(port or _UPSTREAM_PORT), path)


def _only_with(sources: Sequence[str], wanted: Sequence[str], options: Mapping[str, object]) -> None:
    for option, value in options.items():
        if value and not set(sources) & set(wanted):
            raise UsageError(f"{option} says how a server of {' or '.join(wanted)} runs; give that with it")


def add(environment: Environment, runner: Runner, name: str, wanted: Wanted = Wanted()) -> None:
    """Add a server; repeating it changes nothing, and what an interrupted run left out is added."""
    if wanted.remote:
        return _add_remote(environment, runner, name, wanted.remote, wanted)
    planned = plan(environment, name, wanted)
    if not planned.files:
        _require_same(environment, planned, wanted)
    else:
        planned = replace(planned, files=_files(planned, wanted, runner))
    rows = [("create", str(planned.folder / path)) for path in planned.files]
    rows += [("add to", f"mcp_servers in {planned.variables}")] if planned.entry else []
    if not rows:
        runner.say(f"{name} is there: {planned.folder}, and its entry in {planned.variables}")
        return None
    runner.table("", ("will", "what"), rows)
    runner.confirm(f"Add server {name} to {environment.name}?", agreed=environment.is_local)
    runner.run(Step(lambda: write(planned), None, tuple(f"{action} {what}" for action, what in rows)))
    deploy = f"invoke deploy{env_option(environment.name)}"
    if planned.entry:
        runner.say("what clients are shown of it, such as a title, is `listing` of its entry (docs/registry.md)")
    if wanted.package:
        runner.say(
            f"{wanted.package.name} {wanted.package.version} runs behind a front and may write below {{HOME}} only; to "
            'one that keeps a file, `environment` of its entry says where (NAME = "{HOME}/file"); '
            f"run `{deploy}`"
        )
    elif wanted.image:
        deploy += " --setting RUNTIME=docker" if environment.is_local else ""  # a container engine runs it here
        runner.say(
            f"it answers MCP at port {wanted.image.port} and {wanted.image.path} of its container (`front.upstream` of "
            f"its entry says otherwise); run `{deploy}`"
        )
    elif wanted.api:
        names = ", ".join(_secrets(wanted).values())
        wants = f" once the vault holds {names}" if names else ""
        wants += " (locally .twin/local-secrets.json; docs/add-a-server.md)" if names and environment.is_local else ""
        count = len(wanted.api.operations)
        are = "operation is a tool" if count == 1 else "operations are tools"
        runner.say(f"{count} {are} behind a front; run `{deploy}`{wants}")
    else:
        runner.say(f"its tools are in {planned.folder}/src/{package(name)}/tools.py; run `{deploy}`")
    _say_consent(environment, runner, wanted)
    return None


def _say_consent(environment: Environment, runner: Runner, wanted: Wanted) -> None:
    """Say who has to agree that a server acts as its callers: nobody can while they call."""
    if not wanted.scope:
        return
    if not (wanted.behind_front or wanted.remote):
        runner.say("a tool has the caller's token in CALLER.get().downstream_token (docs/add-a-server.md)")
    gives = environment.variables.get("directory_rights", "full") == "full"
    runner.say(
        f"it acts as who calls, with {wanted.scope} of theirs: "
        + ("`invoke deploy` consents to that for everybody" if gives else "an administrator has to consent to that")
    )


def _files(planned: Scaffold, wanted: Wanted, runner: Runner) -> dict[str, str]:
    """Return the folder's files: the template's, with what the source itself says."""
    if wanted.package:
        return _fetched(planned.name, wanted.package, runner)
    if wanted.api:
        return _described(planned.name, wanted.api)
    if wanted.image:
        words = {"__IMAGE__": wanted.image.reference.partition("@")[0]}
        return rendered(planned.name, wanted.template, words)
    return planned.files


def _add_remote(environment: Environment, runner: Runner, name: str, remote: Remote, wanted: Wanted) -> None:
    """Add a server elsewhere: an entry and no folder. What it says of its tools decides what readers are given."""
    tiers = wanted.tiers
    _require_name(name)
    _require_roles(environment, tiers)
    kept = (environment.servers.get(name) or {}).get("remote") if name in environment.servers else None
    if name in environment.servers:
        if not kept or kept != remote.as_entry() or _scope_there(environment, name) != wanted.scope:
            there = f"the server at {kept['url']}, with other values" if kept else "one that runs here"
            raise UsageError(
                f"{name} is there already, as {there}; nothing was changed: run "
                f"`invoke remove-server {name}{env_option(environment.name)}` and this again, or choose another name"
            )
        runner.say(f"{name} is there: its entry in {environment.folder / 'terraform.tfvars'}")
        return
    value = workspace.local_secrets(environment).get(remote.secret, "") if environment.is_local else ""
    # Who adds it has no token of a caller's, so a server that acts as its callers would show nothing.
    asked = not wanted.scope and bool(value or not remote.secret)
    reading = _reading_tools(runner, remote, value) if asked else []
    given = tiers or _usual_tiers(environment)
    reads = {role.name for role in roles(environment) if role.reads}
    left_out = [tier for tier, role in given.items() if role in reads and not reading]
    shown = {tier: role for tier, role in given.items() if tier not in left_out}
    if not shown:
        raise UsageError(
            f"{', '.join(f'{tier}={role}' for tier, role in given.items())} of {name} would only read, and it is not "
            "known which of its tools only read: write its entry by hand, with tools.allow (docs/add-a-server.md)"
        )
    variables = environment.folder / "terraform.tfvars"
    text = remote.entry_text(name, shown, reads, reading, wanted.scope)
    planned = Scaffold(name, environment.servers_dir / name, {}, variables, text)
    row = ("add to", f"mcp_servers in {variables}")
    runner.table("", ("will", "what"), [row])
    runner.confirm(f"Add server {name} to {environment.name}?", agreed=environment.is_local)
    runner.run(Step(lambda: write(planned), None, (" ".join(row),)))
    if left_out:
        runner.say(
            f"without a tier so far: {', '.join(left_out)}, whose role only reads: add one whose tools.allow names "
            "what they may call (docs/add-a-server.md)"
        )
    wants = f" once the vault holds {remote.secret}" if remote.secret and not value else ""
    place = " (locally .twin/local-secrets.json)" if wants and environment.is_local else ""
    runner.say(f"the gateway forwards to {remote.url}; run `invoke deploy{env_option(environment.name)}`{wants}{place}")
    _say_consent(environment, runner, wanted)


def _reading_tools(runner: Runner, remote: Remote, value: str) -> list[str]:
    with runner.progress("ask for its tools") as result:
        # A dry run asks nobody, and goes on as if the server had answered.
        ask: Step[tuple[list[str], str]] = Step(lambda: remote.reading_tools(value), (["what-only-reads"], ""))
        reading, failure = runner.run(ask)
        result.append(failure or f"{len(reading)} say that they only read")
    if failure:
        runner.warn(f"{remote.url} does not answer as an MCP server ({failure}); it is added all the same")
    return reading


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST or name == "oauth":
        raise UsageError(
            f"server name {name!r} must be 1–{_LONGEST} lower-case letters, digits and single hyphens, start with a "
            "letter, and not be oauth: it becomes part of the address"
        )


def plan(environment: Environment, name: str, wanted: Wanted = Wanted()) -> Scaffold:
    """Decide what to write; UsageError for a name that Terraform would refuse, or that something else has."""
    _require_name(name)
    _require_roles(environment, wanted.tiers)
    folder = environment.servers_dir / name
    built = catalog.sources(environment.servers_dir)
    if name in built and built[name].folder != folder:
        raise UsageError(f"{built[name].folder.name} in servers/ builds an image called {name}; choose another name")
    if folder.exists() and name not in built:
        raise UsageError(f"{folder} exists and builds no image called {name}; choose another name, or remove it")
    gate = environment.servers_dir / GATE
    if not (gate / "src").is_dir():
        raise UsageError(f"{gate} does not exist, and a new server stands behind it; restore it from the repository")
    if name in environment.servers and not folder.exists():
        raise UsageError(f"mcp_servers of {environment.name} has a server {name!r} already; choose another name")
    if folder.exists() and wanted.behind_front and not built[name].behind_front:
        raise UsageError(f"{folder} holds a server of this project; choose another name for what is hosted")
    entry = ""
    if name not in environment.servers:
        entry = entry_text(name, replace(wanted, tiers=wanted.tiers or _usual_tiers(environment)))
    files = {} if folder.exists() else rendered(name, wanted.template)
    return Scaffold(
        name,
        folder,
        files,
        environment.folder / "terraform.tfvars",
        entry,
    )


def _require_same(environment: Environment, planned: Scaffold, wanted: Wanted) -> None:
    """Raise UsageError where the folder holds another source, version or start than what is asked for."""
    name, folder = planned.name, planned.folder
    source = catalog.sources(environment.servers_dir)[name]
    there, words = _what_is_there(source), source.entrypoint[3:]
    if wanted.package:
        asked = f"{wanted.package.label} from {_REGISTRIES[wanted.package.registry]}"
        there, asked = _with_start(wanted.package, words[1:], packages.beside(folder), there, asked)
    elif wanted.api and there == _API:
        asked = _API
        document = rest_api.read(wanted.api)
        if _read(folder / "src" / package(name) / "openapi.json") != document:
            there, asked = f"{_API} of another document", f"{_API} of {wanted.api.place}"
        elif (command := rest_api.command(wanted.api, document, package(name))) != list(words):
            there, asked = f"{_API} with {shlex.join(words[2:])}", shlex.join(command[2:])
    elif wanted.image:
        there, asked = _image_there(environment, name, there), wanted.image.reference
    else:
        asked = _API if wanted.api else _OWN
    kept = (environment.servers.get(name, {}).get("front") or {}).get("sessions", "shared")
    if not planned.entry and wanted.sessions == "caller" and kept != "caller":
        there, asked = f"{there} with sessions = {json.dumps(kept)}", f"{asked} with --sessions caller"
    has = {tier: str(one.get("role")) for tier, one in (environment.servers.get(name, {}).get("tiers") or {}).items()}
    if not planned.entry and wanted.tiers and dict(wanted.tiers) != has:
        there, asked = f"{there} for {_spelled(has)}", f"{asked} with --role {_spelled(wanted.tiers)}"
    if not planned.entry and (kept_scope := _scope_there(environment, name)) != wanted.scope:
        there, asked = (
            f"{text} acting as {f'its caller with {scope}' if scope else 'itself'}"
            for text, scope in ((there, kept_scope), (asked, wanted.scope))
        )
    if there != asked:
        option = env_option(environment.name)
        raise UsageError(
            f"{name} is there already, as {there} ({folder}), and what was asked for is {asked}; nothing was changed: "
            f"run `invoke remove-server {name}{option}` and this again, or choose another name"
        )


def _scope_there(environment: Environment, name: str) -> str:
    entry = environment.servers.get(name) or {}
    return str((entry.get("downstream") or {}).get("scope", "")) if acts_as_caller(entry) else ""


def _spelled(tiers: Mapping[str, str]) -> str:
    return " ".join(f"{tier}={role}" for tier, role in tiers.items())


def _with_start(
    wanted: Package, command: Sequence[str], beside: Sequence[str], there: str, asked: str
) -> tuple[str, str]:
    """Add how both are started, and what their locks keep to, where that was asked for and differs."""
    given = [
        ("--command", wanted.command, "".join(command[:1])),
        ("--arguments", shlex.join(wanted.arguments), shlex.join(command[1:])),
        ("--with", " ".join(wanted.beside), " ".join(beside)),
    ]
    for option, value, found in given:
        if there.partition(" with ")[0] == asked.partition(" with ")[0] and value and value != found:
            there, asked = f"{there} with {option} {found or 'nothing'}", f"{asked} with {option} {value}"
    return there, asked


def _what_is_there(source: Source) -> str:
    if not source.behind_front:
        return _OWN
    found = packages.installed_in(source.folder)
    return f"{found[1]} from {_REGISTRIES[found[0]]}" if found else _API


def _image_there(environment: Environment, name: str, there: str) -> str:
    found = ((environment.servers.get(name) or {}).get("front") or {}).get("upstream") or {}
    return str(found.get("image", there))


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def entry_text(name: str, wanted: Wanted = Wanted()) -> str:
    """Return the entry as it stands in mcp_servers."""
    kept = wanted.image.entry if wanted.image else ' sessions = "caller" ' if wanted.sessions == "caller" else ""
    given = wanted.tiers or {"admin": "Mcp.Admin", "reader": "Mcp.Read"}
    tiers = "\n".join(f'      {tier} = {{ role = "{role}" }}' for tier, role in given.items())
    front = f"\n    front = {{{kept}}}" if wanted.behind_front else ""
    front += f"\n    egress = {json.dumps([rest_api.host(wanted.api)])}" if wanted.api else ""
    if secrets := _secrets(wanted):
        front += "\n    secrets = {" + ", ".join(f' {name} = "{secret}"' for name, secret in secrets.items()) + " }"
    front += "".join(f"\n    {line}" for line in caller_lines(wanted.scope))
    return tfvars.aligned(_ENTRY.format(name=name, tiers=tiers, front=front))


def _secrets(wanted: Wanted) -> dict[str, str]:
    """Return the vault's secret for each variable from which headers of a REST API are filled."""
    variables = [header.partition("=")[2] for header in wanted.api.headers] if wanted.api else []
    return {name: name.lower().replace("_", "-") for name in variables}


def _fetched(name: str, given: Package, runner: Runner) -> dict[str, str]:
    """Lock what the server is and needs, find its program, and return the files of its folder."""
    template = TEMPLATES / given.registry
    words = {
        "__PACKAGE__": given.name,
        "__VERSION__": given.version,
        "__BESIDE__": "".join(f", {json.dumps(one)}" for one in given.beside),
    }
    files = rendered(name, template, words)
    with runner.progress(f"lock {given.name} {given.version}") as result:
        locks = packages.lock(given, name, files["pyproject.toml"], runner)
        result.append(f"{_size(locks)} packages, by hash")
    with runner.progress("install") as result:
        command, folders = packages.find_command(given, locks, runner, places=installed.VENVS)
        result.append(f"starts as {' '.join(command)}")
    if not runner.dry_run:
        _try(given, command, folders, runner)
    spelled = ", ".join(json.dumps(word, ensure_ascii=False) for word in command)
    return {path: text.replace("__COMMAND__", spelled) for path, text in files.items()} | dict(locks)


def _try(given: Package, command: Sequence[str], folders: Sequence[Path], runner: Runner) -> None:
    """Start it once, so that what cannot work is known before a deployment; one that wants a key may still be right."""
    with runner.progress("start once") as result:
        found = packages.start_once(command, folders)
        if not found.failure:
            result.append(f"{found.tools} tools, {found.reading} say that they only read")
    if found.failure:
        remedy = ", or hold its lock to an older SDK (--with 'mcp<2')" if given.registry == "pypi" else ""
        runner.warn(
            f"{given.name} does not start by itself: {found.failure}; give it what it asks for, in environment or "
            f"secrets of its entry{remedy}"
        )


def _described(name: str, api: Api) -> dict[str, str]:
    document = rest_api.read(api)
    words = rest_api.command(api, document, package(name))
    spelled = ", ".join(json.dumps(word, ensure_ascii=False) for word in words)
    files = {path: text.replace("__COMMAND__", spelled) for path, text in rendered(name, TEMPLATES / "openapi").items()}
    return {**files, f"src/{package(name)}/openapi.json": json.dumps(document, indent=1, ensure_ascii=False) + "\n"}


def _size(locks: Mapping[str, str]) -> int:
    if node := locks.get("package-lock.json"):
        return len([place for place in json.loads(node)["packages"] if place])
    return len(re.findall(r"^[a-z0-9]", locks.get("requirements.txt", ""), re.MULTILINE))


def package(name: str) -> str:
    """Return the name of the Python package: never one that a library has."""
    return f"{name.replace('-', '_')}_server"


def rendered(name: str, template: Path = TEMPLATE, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the template's files with the server's names."""
    words = {"__NAME__": name, "__FOLDER__": name, **({"__PACKAGE__": package(name)} if given is None else given)}
    files = sorted(path for path in template.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {
        _filled(path.relative_to(template).as_posix(), words).removesuffix(".tmpl"): _filled(
            path.read_text(encoding="utf-8"), words
        )
        for path in files
    }


def write(planned: Scaffold) -> None:
    """Write the folder whole, then the entry; neither where the entry cannot be placed."""
    before = planned.variables.read_text(encoding="utf-8")
    after = with_entry(before, planned.entry, planned.variables) if planned.entry else before
    if planned.files:
        partial = planned.folder.with_name(f".{planned.folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        for relative, text in planned.files.items():
            path = partial / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        partial.replace(planned.folder)
    if planned.entry:
        partial = planned.variables.with_name("terraform.tfvars.partial")
        partial.write_text(after, encoding="utf-8")
        if planned.name not in (tfvars.read(partial).get("mcp_servers") or {}):
            partial.unlink()
            raise _by_hand(planned.variables, planned.entry)
        partial.replace(planned.variables)


def with_entry(text: str, entry: str, path: Path) -> str:
    """Return the file's text with one more entry at the end of mcp_servers, everything else as it was."""
    found = _BLOCK.search(text)
    if not found:
        raise _by_hand(path, entry)
    return text[: found.end()] + entry + text[found.end() :]


def _by_hand(path: Path, entry: str) -> SettingError:
    return SettingError(
        f"mcp_servers in {path} is not written as `mcp_servers = {{` with a `}}` at the start of a line, so nothing "
        f"was added to it; add this there:\n{entry}"
    )


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text
