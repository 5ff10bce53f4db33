"""Run API Management policies here: `check` says whether they would run, `try` sends one request through a policy,
`test` runs cases, `serve` runs one policy, `run` a platform's.

Exit status: 0 done, 1 a policy that would not run or a case that failed, 2 anything else that is wrong with what was
given.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emulators.apim.errors import PolicyProblems
from emulators.base.errors import EmulatorError

_CHECK = """examples:
  python -m emulators.apim check policy.xml
  python -m emulators.apim check . --format sarif --output policies.sarif

Looked into: .xml, heredocs of .tf, texts of .bicep, fenced blocks of .md, cells of .ipynb. Of a folder hidden folders,
node_modules, bin, obj and XML files that hold nothing of a policy are left out.

exit status: 0 all would run, 1 some would not, 2 a path that does not exist or holds no policy (the others are checked)
"""
_TRY = """examples:
  python -m emulators.apim try policy.xml --request 'GET /orders?id=1'
  python -m emulators.apim try policy.xml --request 'POST /mcp' --body @call.json --token claims.json --backend 503
  python -m emulators.apim try policy.xml --call 'https://graph.microsoft.com/*=groups.yaml' --format json

Nothing leaves this machine but for --backend URL and --allow-host. A token is signed by an issuer that stands for every
openid-config; its iss, iat, nbf and exp are filled in where the claims have none. A <fragment> runs in inbound.

exit status: 0 the request was answered, whatever the answer, 1 the policy would not run, 2 an option that is wrong
"""
_TEST = """example of a file, orders.test.yaml:
  policy: ../policies/orders.xml
  cases:
    - name: a reader may not post
      request: POST /orders
      token: {sub: me, roles: [reader]}
      expect: {status: 403, backend: null}
    - name: a writer's order goes to the backend
      request: {method: POST, target: /orders, json: {id: 1}}
      token: {sub: me, roles: [writer]}
      backend: {status: 201}
      expect:
        status: 201
        backend: {url: {matches: /orders$}, headers: {X-Role: writer, Authorization: null}, json: {id: 1}}
        variables: {role: writer}

All keys are in the emulator's README ("Cases").
exit status: 0 all passed, 1 some failed, 2 a file that cannot be read or has an unknown key
"""
_SERVE = """example:
  python -m emulators.apim serve --policy policy.xml --backend http://127.0.0.1:9000 --trace
  curl http://127.0.0.1:8080/any/path
"""


def parser() -> argparse.ArgumentParser:
    description, _, status = (__doc__ or "").partition("\n\n")
    top = argparse.ArgumentParser(
        prog="python -m emulators.apim",
        description=description,
        epilog=f"{_SERVE}\n{status}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(
        title="commands", dest="command", metavar="check | try | test | serve | run", required=True
    )
    _add_check(commands)
    _add_try(commands)
    _add_test(commands)
    _add_serve(commands)
    started = commands.add_parser("run", help="run everything that an applied Terraform state holds")
    started.add_argument("--config", type=Path, required=True, metavar="FILE", help="JSON; its keys are in README.md")
    return top


def _command(commands: Any, name: str, summary: str, description: str, epilog: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return made


def _add_check(commands: Any) -> None:
    summary = "say which policies would run, and what would be refused, line by line"
    checked = _command(commands, "check", summary, "Say which policies would run, and what would be refused.", _CHECK)
    checked.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="policy, fragment, file that holds some, or a folder"
    )
    checked.add_argument("--format", choices=("text", "json", "sarif"), default="text", help="default: %(default)s")
    checked.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    checked.add_argument("--output", type=Path, metavar="FILE", help="write that format there, and the text on stdout")


def _add_try(commands: Any) -> None:
    summary = "send one request through a policy and print what each element did"
    tried = _command(commands, "try", summary, "Send one request through a policy, in this process.", _TRY)
    tried.add_argument("policy", type=Path, metavar="FILE", help="the policy, or a fragment")
    tried.add_argument(
        "--request",
        default="GET /",
        metavar="REQUEST",
        help="'METHOD TARGET', or a YAML file with method, target, headers, ip and body, json or form "
        "(default: %(default)s)",
    )
    repeated: dict[str, Any] = {"action": "append", "default": []}
    tried.add_argument("--header", **repeated, metavar="'NAME: VALUE'", help="of the request")
    tried.add_argument("--body", metavar="TEXT", help="of the request; @FILE takes a file's")
    tried.add_argument("--token", type=Path, metavar="FILE", help="claims (JSON) of the caller's bearer token")
    tried.add_argument(
        "--backend",
        **repeated,
        metavar="ANSWER",
        help="what the backend answers: a status, a YAML file with status, headers and body or json, or the URL of a "
        "real one; given again, the next answer; NAME=URL is one for set-backend-service (default: 200, empty)",
    )
    tried.add_argument(
        "--call", **repeated, metavar="URL=ANSWER", help="the answer to a request that the policy sends itself"
    )
    tried.add_argument("--variable", **repeated, metavar="NAME=VALUE", help="of the context; true, 1 and 1.5 are typed")
    _add_surroundings(tried)
    tried.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")


def _add_test(commands: Any) -> None:
    summary = "run cases in YAML: policy, request, what is expected"
    tested = _command(commands, "test", summary, "Run the cases of *.test.yaml files.", _TEST)
    tested.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="file of cases, or a folder of them")
    tested.add_argument("--only", default="", metavar="TEXT", help="cases whose names contain this")
    tested.add_argument("--trace", action="store_true", help="print what each element did in cases that fail")
    tested.add_argument("--junit", type=Path, metavar="FILE", help="write the results as JUnit does")


def _add_serve(commands: Any) -> None:
    description = "Run one policy file, at every path and method, in front of a backend."
    served = _command(commands, "serve", "run one policy in front of a backend", description, _SERVE)
    served.add_argument("--policy", type=Path, required=True, metavar="FILE", help="the policy, <policies>…</policies>")
    served.add_argument(
        "--backend",
        action="append",
        required=True,
        metavar="[NAME=]URL",
        help="where requests go; with a name, a backend for set-backend-service; may be repeated",
    )
    _add_surroundings(served)
    served.add_argument(
        "--events",
        type=Path,
        metavar="FILE",
        help="where metrics and events of policies are written, a line of JSON each",
    )
    served.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    served.add_argument(
        "--port", type=int, default=8080, help="port to listen on, 0 for a free one (default: %(default)s)"
    )
    served.add_argument("--trace", action="store_true", help="print what each element did with each request")


def _add_surroundings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--fragment", action="append", default=[], metavar="NAME=FILE", help="for include-fragment")
    command.add_argument(
        "--named-value", action="append", default=[], metavar="NAME=TEXT", help="what {{NAME}} stands for"
    )
    command.add_argument(
        "--named-values",
        type=Path,
        metavar="FILE",
        help="secret ones: a JSON object of names and texts; never shown in traces, nor in the list of processes",
    )
    command.add_argument(
        "--certificate",
        action="append",
        default=[],
        metavar="ID=FILE",
        help="for certificate-id: PEM, or PFX without password",
    )
    command.add_argument(
        "--authorizations",
        type=Path,
        metavar="FILE",
        help='for get-authorization-context, JSON: {"provider": {"connection": {"access_token": "…"}}}',
    )
    command.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="another host that policies may call (openid-config, send-request); `serve` may call this machine too",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["--config"]:
        given.insert(0, "run")  # how a platform's supervisor starts each of its parts
    options = parser().parse_args(given)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    commands = {"check": _check, "try": _try, "test": _test, "serve": _serve, "run": _run}
    try:
        return commands[options.command](options)
    except PolicyProblems as problems:
        sys.stderr.write(f"{problems}\n")
        return 1
    except EmulatorError as error:
        sys.stderr.write(f"{error}\n")
        return 2


# Each command imports what it needs: a platform's gateway starts without the tools.


def _run(options: argparse.Namespace) -> int:
    from emulators.apim import process

    process.run(options.config)
    return 0


def _serve(options: argparse.Namespace) -> int:
    from emulators.apim import single_policy

    single_policy.serve(
        single_policy.Options(
            policy=options.policy,
            backends=options.backend,
            fragments=options.fragment,
            named_values=options.named_value,
            secrets=options.named_values,
            certificates=options.certificate,
            authorizations=options.authorizations,
            events=options.events,
            allowed=options.allow_host,
            host=options.host,
            port=options.port,
            trace=options.trace,
        )
    )
    return 0


def _check(options: argparse.Namespace) -> int:
    from emulators.apim import check, sarif

    _writable(options.output, "--output")
    reports, without = check.judge(options.paths)
    for error in without:
        sys.stderr.write(f"{error}\n")
    if not reports:
        return 2
    made = {
        "text": lambda: check.text(reports),
        "json": lambda: json.dumps(check.document(reports), indent=2),
        "sarif": lambda: json.dumps(sarif.document(reports), indent=2),
    }
    if options.output is not None:
        _write(options.output, f"{made[options.format]()}\n", "--output")
    _say(check.text(reports) if options.output is not None else made[options.format]())
    return 2 if without else 0 if all(one.runs for one in reports) else 1


def _try(options: argparse.Namespace) -> int:
    from emulators.apim import trial, trial_options

    outcome = trial.run(trial_options.setup(options), trial_options.request(options))
    _say(json.dumps(trial.document(outcome), indent=2) if options.format == "json" else trial.text(outcome))
    return 0


def _test(options: argparse.Namespace) -> int:
    from emulators.apim import cases, trial

    _writable(options.junit, "--junit")
    results = []
    paths, without = cases.find(options.paths)
    for error in without:
        sys.stderr.write(f"{error}\n")
    if not paths:
        return 2
    for path in paths:
        for one in cases.run(path, options.only):
            results.append(one)
            _say(f"{'FAIL' if one.failures else 'ok  '} {path}: {one.case}")
            for failure in one.failures:
                _say("\n".join(f"     {line}" for line in failure.splitlines()))
            if one.failures and one.outcome is not None and options.trace:
                _say("\n".join(f"     {line}" for line in trial.trace_lines(one.outcome)))
    if not results:
        raise cases.CaseError(f"no case's name contains {options.only!r}")
    if options.junit is not None:
        _write(options.junit, cases.junit(results), "--junit")
    failed = sum(bool(one.failures) for one in results)
    _say(f"{len(results)} cases: {len(results) - failed} passed, {failed} failed")
    return 2 if without else 1 if failed else 0


def _writable(path: Path | None, option: str) -> None:
    """PolicyError, before anything is done, where the folder is missing: it may be misspelt."""
    from emulators.apim.errors import PolicyError

    if path is not None and not path.parent.is_dir():
        what = "is no folder" if path.parent.exists() else "does not exist, make it first"
        raise PolicyError(f"{option} {path} cannot be written: the folder {path.parent} {what}")


def _write(path: Path, text: str, option: str) -> None:
    from emulators.apim.errors import PolicyError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PolicyError(f"{option} {path} cannot be written ({error.strerror})") from error


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
