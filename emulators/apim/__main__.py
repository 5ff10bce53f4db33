"""Run API Management policies here: `check` says whether they would run, `serve` runs one, `run` a platform's.

Exit status: 0 done, 1 a policy that would not run, 2 anything else that is wrong with what was given.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from emulators.apim import check, process, single_policy
from emulators.apim.errors import PolicyProblems
from emulators.base.errors import EmulatorError

_EXAMPLE = """example:
  python -m emulators.apim serve --policy policy.xml --backend http://127.0.0.1:9000 --trace
  curl http://127.0.0.1:8080/any/path
"""


def parser() -> argparse.ArgumentParser:
    description, _, status = (__doc__ or "").partition("\n\n")
    top = argparse.ArgumentParser(
        prog="python -m emulators.apim",
        description=description,
        epilog=f"{_EXAMPLE}\n{status}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(title="commands", dest="command", metavar="check | serve | run", required=True)

    checked = commands.add_parser("check", help="say which policies would run, and what would be refused, line by line")
    checked.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="policy, fragment, Terraform or Markdown file that holds some, or a folder of them",
    )
    checked.add_argument("--json", action="store_true", help="the same for programs")

    served = commands.add_parser(
        "serve",
        help="run one policy in front of a backend",
        description="Run one policy file, at every path and method, in front of a backend.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    served.add_argument("--policy", type=Path, required=True, metavar="FILE", help="the policy, <policies>…</policies>")
    served.add_argument(
        "--backend",
        action="append",
        required=True,
        metavar="[NAME=]URL",
        help="where requests go; with a name, a backend for set-backend-service; may be repeated",
    )
    served.add_argument("--fragment", action="append", default=[], metavar="NAME=FILE", help="for include-fragment")
    served.add_argument(
        "--named-value", action="append", default=[], metavar="NAME=TEXT", help="what {{NAME}} stands for"
    )
    served.add_argument(
        "--named-values",
        type=Path,
        metavar="FILE",
        help="secret ones: a JSON object of names and texts; never shown in traces, nor in the list of processes",
    )
    served.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="another host that policies may call (openid-config, send-request); this machine always is one",
    )
    served.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    served.add_argument(
        "--port", type=int, default=8080, help="port to listen on, 0 for a free one (default: %(default)s)"
    )
    served.add_argument("--trace", action="store_true", help="print what each element did with each request")

    started = commands.add_parser("run", help="run everything that an applied Terraform state holds")
    started.add_argument("--config", type=Path, required=True, metavar="FILE", help="JSON; its keys are in README.md")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["--config"]:
        given.insert(0, "run")  # how a platform's supervisor starts each of its parts
    options = parser().parse_args(given)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        if options.command == "check":
            return _check(options.paths, as_json=options.json)
        if options.command == "run":
            process.run(options.config)
        else:
            single_policy.serve(_serve_options(options))
    except PolicyProblems as problems:
        sys.stderr.write(f"{problems}\n")
        return 1
    except EmulatorError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _check(paths: Sequence[Path], *, as_json: bool) -> int:
    reports = check.report(paths)
    sys.stdout.write(f"{json.dumps(check.document(reports), indent=2) if as_json else check.text(reports)}\n")
    return 0 if all(one.runs for one in reports) else 1


def _serve_options(options: argparse.Namespace) -> single_policy.Options:
    return single_policy.Options(
        policy=options.policy,
        backends=options.backend,
        fragments=options.fragment,
        named_values=options.named_value,
        secrets=options.named_values,
        allowed=options.allow_host,
        host=options.host,
        port=options.port,
        trace=options.trace,
    )


if __name__ == "__main__":
    sys.exit(main())
