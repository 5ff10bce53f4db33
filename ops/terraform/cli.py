"""The Terraform command line: init, plan, apply of the saved plan, show, force-unlock.

Every command writes its whole output to a log file; people see a summary. Ctrl-C reaches Terraform exactly once, and we
wait until it has saved its state.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from ops.cli import output
from ops.cli.steps import Runner, Step
from ops.errors import InterruptError, TerraformError, ToolError
from ops.terraform.messages import errors_of, said_of_source, would_destroy

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


@dataclass(frozen=True)
class Known:
    """What Terraform or a provider is known to say: `sign` is looked for in it, `remedy` says what helps."""

    kind: str
    sign: str
    remedy: str


KNOWN = (
    Known(
        "not-signed-in",
        r"could not configure AzureCli Authorizer|unable to build authorizer|run.{1,3}az login|AADSTS\d",
        "nobody is signed in to Azure that may do this; run `az login`",
    ),
    # Terraform compares the lock file with the plan's ("Dependency Lock File", Terraform 1.11).
    Known(
        "other-providers",
        r"different set of external\s+dependency\s+selections",
        "the plan was made with other versions of the providers than .terraform.lock.hcl names now; plan again, and "
        "have that approved",
    ),
    # What the stand-in vault says (emulators/azurerm/datasources.py); Azure's own names the vault.
    Known(
        "no-secret",
        r"key vault secret \(.*was not found",
        "`secrets` of an entry in mcp_servers names a secret that the local vault does not hold; write it to "
        '.twin/local-secrets.json, {"name": "value"}, and run it again (docs/add-a-server.md)',
    ),
    # Azure/apiops#379, 2023-09-07, and Azure/apiops-cli#252, 2026-08-31: API Management locks an API while it changes.
    Known(
        "api-busy",
        r"PessimisticConcurrencyConflict",
        "API Management was still changing the same API; run it again, the next run goes on from here",
    ),
)
_ACTIONS = ("create", "update", "replace", "delete")
#: What a dry run takes a plan to find where nothing more is known.
ANYTHING: Mapping[str, str] = {"(anything)": "update"}


@dataclass(frozen=True)
class Stage:
    """One root module: where it is, what it is planned with, and where its saved plan goes.

    `source`: the folder terraform/ of which the root is part of a copy; None where it is no copy.
    """

    number: int
    folder: Path
    var_file: Path
    plan_file: Path
    log: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    backend: Mapping[str, str] = field(default_factory=dict)
    source: Path | None = None

    @property
    def name(self) -> str:
        return f"stage {self.number}"


@dataclass(frozen=True)
class Plan:
    """A saved plan: `actions` maps resource addresses to create, update, replace or delete.

    `drift` does the same for what was changed or deleted outside Terraform since the last apply, and is to stay.
    """

    stage: Stage
    actions: Mapping[str, str]
    changes: bool
    drift: Mapping[str, str] = field(default_factory=dict)

    def summary(self) -> str:
        if not self.changes:
            return "no changes"
        counts = [f"{self.count(action)} to {action}" for action in _ACTIONS if self.count(action)]
        return ", ".join(counts) or "only outputs change"

    def count(self, action: str) -> int:
        return sum(1 for taken in self.actions.values() if taken == action)


@dataclass(frozen=True)
class Terraform:
    """The binary and the environment variables it runs with (the attached provider's among them).

    Each command is a step of `runner`: a dry run prints it instead.
    """

    binary: Path
    env: Mapping[str, str] = field(default_factory=dict)
    runner: Runner = field(default_factory=Runner)
    # Folders whose init a dry run has printed, or which it has made.
    _printed: set[Path] = field(default_factory=set)
    _running: _Running = field(default_factory=lambda: _Running())

    def side_by_side(self, *works: Callable[[], T]) -> list[Future[T]]:
        """Do all of them at once, each in a thread, and return them done.

        Ctrl-C, of which only the main thread hears, reaches every Terraform; InterruptError when the last has ended.
        """
        with ThreadPoolExecutor(len(works)) as pool:
            futures = [pool.submit(work) for work in works]
            try:
                wait(futures)
            except KeyboardInterrupt as error:
                self._running.interrupt()
                _insist(lambda: wait(futures))
                raise _interrupted() from error
        return futures

    def init(self, stage: Stage) -> None:
        """Initialise once per content of the root and its modules; repeating it costs nothing."""
        if _is_initialised(stage) or stage.folder in self._printed:
            return
        if self.runner.dry_run:
            self._printed.add(stage.folder)

        def act() -> None:
            self._run(stage, arguments, allowed=(0,))
            _mark(stage).parent.mkdir(exist_ok=True)
            _mark(stage).write_text(_fingerprint(stage), encoding="utf-8")

        backend = [f"-backend-config={name}={value}" for name, value in stage.backend.items()]
        arguments = ["init", "-input=false", "-no-color", "-reconfigure", *backend]
        self.runner.run(Step(act, None, (command_line(stage, arguments),)))

    def plan(
        self,
        stage: Stage,
        *,
        destroy: bool = False,
        targets: Sequence[str] = (),
        expected: Mapping[str, str] = ANYTHING,
        expected_drift: Mapping[str, str] | None = None,
    ) -> Plan:
        """Plan and save the plan; the state is refreshed, so what drifted shows up as changes.

        With `targets` only these addresses, and what they need, are planned. `expected` and `expected_drift` are the
        actions and the drift with which a dry run goes on.
        """

        def act() -> Plan:
            stage.plan_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            code, messages = self._run(stage, arguments, allowed=(0, 2))
            stage.plan_file.chmod(0o600)  # a plan holds secrets
            actions, drift = (_of_type(kind, messages) for kind in ("planned_change", "resource_drift"))
            kept = {address: change for address, change in drift.items() if actions.get(address) != "delete"}
            return Plan(stage, actions, code == 2, kept)

        arguments = [
            "plan",
            "-input=false",
            "-json",
            "-detailed-exitcode",
            f"-out={stage.plan_file}",
            f"-var-file={stage.var_file}",
            *(f"-var={name}={value}" for name, value in stage.variables.items()),
            *(["-destroy"] if destroy else []),
            *(f"-target={target}" for target in targets),
        ]
        found = Plan(stage, expected, bool(expected), expected_drift or {})
        folder = stage.plan_file.parent
        lines = () if folder.is_dir() or folder in self._printed else (f"mkdir -p -m 700 {shlex.quote(str(folder))}",)
        if self.runner.dry_run:
            self._printed.add(folder)
        return self.runner.run(Step(act, found, (*lines, command_line(stage, arguments))))

    def apply(self, plan: Plan) -> None:
        """Apply exactly the saved plan."""
        arguments = ["apply", "-input=false", "-json", str(plan.stage.plan_file)]
        line = command_line(plan.stage, arguments)
        self.runner.run(Step(lambda: self._apply(plan.stage, arguments), None, (line,)))

    def unlock(self, stage: Stage, lock_id: str, typed: str = "") -> None:
        """End a lock that its holder left behind; `typed` is how a person writes the id where only a shell knows it."""
        arguments = ["force-unlock", "-force"]
        line = f"{command_line(stage, arguments)} {typed or shlex.quote(lock_id)}"
        self.runner.run(Step(lambda: self._apply(stage, [*arguments, lock_id]), None, (line,)))

    def show(self, stage: Stage, plan_file: Path | None = None) -> dict[str, Any]:
        """Return `terraform show -json` of the state, or of a saved plan; empty in a dry run, which only prints."""
        return self.runner.run(Step(lambda: self._show(stage, plan_file), {}))

    def _apply(self, stage: Stage, arguments: list[str]) -> None:
        self._run(stage, arguments, allowed=(0,))

    def _show(self, stage: Stage, plan_file: Path | None) -> dict[str, Any]:
        arguments = ["show", "-json", *([str(plan_file)] if plan_file else [])]
        command = self._command(stage, arguments)
        with self._running.started(command, self._environment(), stderr=subprocess.PIPE) as process:
            printed, said = _whole(process, process.communicate)
        if process.returncode:
            said = " ".join(said.split())
            raise TerraformError(f"terraform show of {stage.name} failed: {said}", log=stage.log, kind=_kind(said))
        shown: dict[str, Any] = json.loads(printed)
        return shown

    def _command(self, stage: Stage, arguments: list[str]) -> list[str]:
        return [str(self.binary), f"-chdir={stage.folder}", *arguments]

    def _environment(self) -> dict[str, str]:
        # Every command decodes the providers' whole schemas; collecting that garbage less often saves a fifth of it.
        return {"GOGC": "400", **os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", **self.env}

    def _run(self, stage: Stage, arguments: list[str], *, allowed: tuple[int, ...]) -> tuple[int, list[dict[str, Any]]]:
        stage.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with stage.log.open("a", encoding="utf-8") as log:
            log.write(f"$ terraform {shlex.join(arguments)}\n")
            code, messages, tail = _stream(self._command(stage, arguments), self._environment(), log, self._running)
        if code not in allowed:
            raise _failure(stage, arguments[0], messages, tail)
        return code, messages


class _Running:
    """The processes that run now, in whatever thread; none is started any more once they were interrupted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[str]] = set()
        self._over = False

    @contextmanager
    def started(
        self, command: list[str], env: dict[str, str], stderr: int = subprocess.STDOUT
    ) -> Iterator[subprocess.Popen[str]]:
        """ToolError where it does not start, InterruptError where no more is started."""
        with self._lock:
            if self._over:
                raise _interrupted()
            # A group of its own: the terminal's Ctrl-C must not reach Terraform a second time beside ours, which would
            # make it stop without saving its state.
            try:
                process = subprocess.Popen(
                    command, env=env, stdout=subprocess.PIPE, stderr=stderr, text=True, process_group=0
                )
            except OSError as error:
                raise ToolError(f"{command[0]} does not run ({error}); reinstall Terraform") from error
            self._processes.add(process)
        try:
            yield process
        finally:
            with self._lock:
                self._processes.discard(process)

    def interrupt(self) -> None:
        with self._lock:
            self._over = True
            for process in self._processes:
                process.send_signal(signal.SIGINT)


def _stream(
    command: list[str], env: dict[str, str], log: IO[str], running: _Running
) -> tuple[int, list[dict[str, Any]], str]:
    """Run a command to its end; return exit code, its JSON messages, and the plain text it printed beside them."""
    messages: list[dict[str, Any]] = []
    plain: list[str] = []

    with running.started(command, env) as process:

        def collect() -> int:
            _collect(process, log, messages, plain)
            return process.wait()

        return _whole(process, collect), messages, "".join(plain)


def _whole(process: subprocess.Popen[str], work: Callable[[], T]) -> T:
    """Return what `work` makes of a process; Ctrl-C reaches it once, and InterruptError is raised when it has ended."""
    try:
        return work()
    except KeyboardInterrupt as error:
        process.send_signal(signal.SIGINT)
        _insist(work)
        raise _interrupted() from error


def _insist(work: Callable[[], object]) -> None:
    """Do it whole, and say so: a second Ctrl-C would end the provider before Terraform.

    A Terraform that starts and finds nobody at the provider's socket kills the process that it was told of, which is
    this one (hashicorp/go-plugin#320, "reattach: don't kill process on failed reconnection", 2024-10-18).
    """
    output.say("stopping: Terraform ends what it has begun, and saves it; Ctrl-C again changes nothing")
    while True:
        with suppress(KeyboardInterrupt):
            work()
            return


def _interrupted() -> InterruptError:
    return InterruptError("interrupted; Terraform saved what it had done, and the next run goes on from there")


def _collect(process: subprocess.Popen[str], log: IO[str], messages: list[dict[str, Any]], plain: list[str]) -> None:
    for line in process.stdout or ():
        message = _message(line)
        if message is None:
            plain.append(line)
            log.write(line)
        else:
            messages.append(message)
            log.write(_logged(message))


def _message(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def _logged(message: Mapping[str, Any]) -> str:
    detail = (message.get("diagnostic") or {}).get("detail")
    return f"{message.get('@timestamp', '')} {message.get('@message', '')}\n" + (f"{detail}\n" if detail else "")


def _of_type(kind: str, messages: list[dict[str, Any]]) -> dict[str, str]:
    changes = (message["change"] for message in messages if message.get("type") == kind)
    return {change["resource"]["addr"]: change["action"] for change in changes if change["action"] in _ACTIONS}


def _failure(stage: Stage, command: str, messages: list[dict[str, Any]], tail: str) -> TerraformError:
    errors = list(errors_of(messages, stage.folder, stage.folder.parent, stage.source)) or [
        said_of_source(_last_error(tail), stage.folder.parent, stage.source)
    ]
    if lost := would_destroy(" ".join(errors)):
        return TerraformError(
            f"terraform {command} of {stage.name} failed: {lost}; the whole output is in {stage.log}",
            log=stage.log,
            kind="kept",
        )
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    known = _known(" ".join(errors))
    said = f"{known.remedy}; it says: {errors[0]}" if known else errors[0]
    return TerraformError(
        f"terraform {command} of {stage.name} failed: {said}{more}; the whole output is in {stage.log}",
        log=stage.log,
        kind=known.kind if known else "",
    )


def _known(said: str) -> Known | None:
    return next((known for known in KNOWN if re.search(known.sign, said, re.IGNORECASE)), None)


def _kind(said: str) -> str:
    found = _known(said)
    return found.kind if found else ""


def _last_error(text: str) -> str:
    lines = [line.strip(" │╷╵") for line in text.splitlines()]
    wanted = [line for line in lines if line]
    start = next((index for index, line in enumerate(wanted) if line.startswith("Error:")), max(0, len(wanted) - 3))
    return " ".join(wanted[start : start + 6]) or "it printed nothing"


def command_line(stage: Stage, arguments: Sequence[str]) -> str:
    """Return the command as a person types it."""
    return shlex.join(["terraform", f"-chdir={stage.folder}", *arguments])


def _mark(stage: Stage) -> Path:
    return stage.folder / ".terraform" / "initialised-for"


def _is_initialised(stage: Stage) -> bool:
    mark = _mark(stage)
    return mark.exists() and mark.read_text(encoding="utf-8") == _fingerprint(stage)


def _fingerprint(stage: Stage) -> str:
    """Return what changes whenever `init` has something to do: another module call, provider, lock or backend."""
    digest = hashlib.sha256(json.dumps(dict(stage.backend), sort_keys=True).encode())
    modules = stage.folder.parent / "modules"
    files = [*stage.folder.glob("*.tf"), stage.folder / ".terraform.lock.hcl", *modules.rglob("*.tf")]
    for path in sorted(file for file in files if file.exists()):
        digest.update(str(path.relative_to(stage.folder.parent)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
