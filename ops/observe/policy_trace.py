"""`invoke trace`: what each policy did with a request at the local gateway, or which requests there were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import Any

from rich.text import Text

from emulators.apim import tracing_client
from emulators.apim.tracing_client import TracesUnavailable
from ops.cli import output
from ops.clients import outputs
from ops.config.environment import Environment
from ops.errors import OpsError, UsageError

_LISTED = 25
_SERVERS = "mcp-"  # begins the API's name of each server (terraform/modules/apim/mcp-apis.tf)
_SECTIONS = {"inbound": "Inbound", "backend": "Backend", "outbound": "Outbound", "on-error": "On error"}
#: What distinguishes an element from others of its kind.
_NAMING = ("fragment-id", "backend-id", "name", "resource", "template", "code", "header-name")

Document = Mapping[str, Any]


def print_trace(environment: Environment, request_id: str = "", *, as_json: bool = False) -> None:
    """Print one trace, or the recent requests. OpsError for an id that the gateway does not hold."""
    if not environment.is_local:
        raise UsageError(
            f"traces of {environment.name} are API Management's own: open the API's Test tab, or send a request with a "
            "debug token (Microsoft's page: Debug your APIs using request tracing); here `invoke watch` shows its calls"
        )
    with of_a_gateway(environment):
        found = _find(environment, request_id.strip().lower()) if request_id else None
        recent = [] if found else tracing_client.recent(environment.home)
    if found is None:
        if as_json:
            output.data_json({"requests": recent})
        else:
            _list(recent[:_LISTED])
    elif as_json:
        output.data_json(found)
    else:
        for line in lines(found):
            output.console.print(line, soft_wrap=True)


@contextmanager
def of_a_gateway(environment: Environment) -> Iterator[None]:
    """Raise NotDeployedError instead of TracesUnavailable where there is no gateway that could keep any."""
    try:
        yield
    except TracesUnavailable:
        if not (environment.home / "run" / "trace.json").exists():
            outputs.load(environment.home, environment.name)
        raise


def _find(environment: Environment, request_id: str) -> Document:
    """Look a trace up by its whole id, or by a beginning that only one request has."""
    found = tracing_client.find(environment.home, request_id)
    if found is not None:
        return found
    known = [one["id"] for one in tracing_client.recent(environment.home) if one["id"].startswith(request_id)]
    if len(known) == 1 and len(request_id) >= 4:
        found = tracing_client.find(environment.home, known[0])
    if found is None:
        raise OpsError(
            f"the gateway holds no request {request_id!r}: it keeps the latest 200 until it is restarted; `invoke "
            "trace` lists them, and X-Correlation-Id of an answer is a request's id"
        )
    return found


def _list(found: Sequence[Document]) -> None:
    if not found:
        output.say("no requests yet; call a tool, then look again")
        return
    on_terminal = output.console.is_terminal
    for one in found:
        # On a terminal the id's beginning, with which `invoke trace` finds it; in a log the whole.
        head = Text.assemble((one["id"][:8] if on_terminal else one["id"], "cyan"), f"  {clock(one['time'])}  ")
        head.append(str(one["status"] or "cut"), style="green" if 200 <= one["status"] < 300 else "red")
        head.append(f"{_took(one):>10}  {server_of(one['api']) or '–':<16} {one['tier'] or '–':<8}{what(one)}")
        output.console.print(head, soft_wrap=True)
        if one["refusal"]:
            output.facts([(" " * (len("12:00:00") if on_terminal else len(one["id"])), one["refusal"])])


def what(request: Document) -> str:
    """Return the tool, else the JSON-RPC method, else the request line."""
    return str(request["tool"] or request["rpc"] or f"{request['method']} {request['path']}")


def server_of(api: str) -> str:
    """Return the server that an API is of; nothing for sign-in, metadata and the registry, which are other APIs."""
    return api.removeprefix(_SERVERS) if api.startswith(_SERVERS) else ""


def clock(iso: str) -> str:
    """Return the time of day on this machine."""
    return datetime.fromisoformat(iso).astimezone().strftime("%H:%M:%S")


def lines(trace: Document) -> Iterator[Text]:
    """Return a trace as a person reads it."""
    summary = trace["summary"]
    style = "green" if 200 <= summary["status"] < 300 else "red"
    yield Text.assemble((what(summary), "bold"), "  ", (str(summary["status"]), style), f"  {_took(summary)}")
    for name in ("id", "time", "caller", "tier", "backend", "api", "traceparent"):
        if summary[name]:
            yield Text.assemble((f"  {name:<13}", "dim"), summary[name])
    if summary["refusal"]:
        yield Text.assemble(("  refused      ", "dim"), (summary["refusal"], "red"))
    for section, entries in groupby(trace["entries"], key=lambda entry: entry["section"]):
        yield Text.assemble("\n", (_SECTIONS.get(section, section), "bold"))
        for entry in entries:
            yield from _entry(entry)
    if trace["dropped"]:
        yield Text(f"{trace['dropped']} more elements ran and were not kept", style="dim")


def _entry(entry: Document) -> Iterator[Text]:
    indent = "  " * (entry["depth"] + 1)
    named = next((entry["attributes"][name] for name in _NAMING if name in entry["attributes"]), "")
    place = f"fragment {entry['fragment']}" if entry["fragment"] else entry["scope"]
    head = Text.assemble(indent, (entry["element"], "cyan"), f" {named}" if named else "")
    head.pad_right(max(1, 58 - len(head.plain)))
    yield Text.assemble(head, (f"{place:<22}", "dim"), f"{_took(entry):>10}")
    inner = f"{indent}  "
    for path, text, value in entry["conditions"]:
        shown = " ".join(text.split())
        cut = shown if len(shown) <= 100 else f"{shown[:100]}…"
        yield Text.assemble(inner, (f"{path} {value}: ", "yellow" if value == "true" else "dim"), (cut, "dim"))
    for note in entry["notes"]:
        yield Text.assemble(inner, (note, "dim"))
    for name, before, after in entry["changes"]:
        change = f"{before} → {after}" if before and after else after or f"{before} (removed)"
        yield Text.assemble(inner, (f"{name}: ", "green"), " ".join(change.split()))
    if entry["error"]:
        yield Text.assemble(inner, (entry["error"], "yellow" if entry["error"].startswith("answered") else "red"))


def _took(timed: Document) -> str:
    value = float(timed["milliseconds"])
    return f"{value * 1000:.0f} µs" if value < 1 else f"{value:.1f} ms"
