"""`invoke watch`: calls as they happen, by server, caller, tier, tool, time and refusal."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, JustifyMethod
from rich.live import Live
from rich.table import Table
from rich.text import Text

from emulators.apim.tracing_client import Follower, TracesUnavailable
from ops.azure import az
from ops.cli import output
from ops.config.environment import Environment
from ops.config.servers import apps
from ops.errors import UsageError
from ops.observe import objectives
from ops.observe.policy_trace import clock, of_a_gateway, server_of
from twin.console.config import Config
from twin.console.sources import Sources

_SHOWN = 30  # calls on a terminal
_LOCAL_PAUSE, _AZURE_PAUSE = 0.5, 15.0  # seconds between two questions
_LATE = 900  # seconds that a log of Azure may come late
_KNOWN = 5000  # ids remembered, so that what comes twice is shown once

#: A call: time (ISO 8601), id, server, method, caller, tier, call, status, milliseconds, refusal.
Call = dict[str, Any]
More = Callable[[], Sequence[Call]]

# What servers print: in container groups, and in apps too where there are some.
_LOG = "ContainerInstanceLog"
_LOG_OF_BOTH = (
    "union isfuzzy=true (ContainerInstanceLog | project TimeGenerated, Message), "
    "(ContainerAppConsoleLogs | project TimeGenerated, Message = Log)"
)
# The gateway's log beside the server's audit line, as the workbook's Requests and Refusals join and read them.
QUERY = """
ApiManagementGatewayLogs
| where TimeGenerated > ago({seconds}s) and ApiId startswith "mcp-"
| project CorrelationId, TimeGenerated, ApiId, Method, ResponseCode, TotalTime, LastErrorSource, LastErrorReason
| join kind=leftouter (
    {log}
    | where TimeGenerated > ago({seconds}s) and Message startswith "{{"
    | extend Call = parse_json(Message)
    | where tostring(Call.event) == "call"
    | project
        CorrelationId = tostring(Call.correlation_id),
        Caller = tostring(Call.caller),
        Tier = tostring(Call.tier),
        Tool = tostring(Call.tool),
        Outcome = tostring(Call.outcome)
) on CorrelationId
| project
    CorrelationId, TimeGenerated, ApiId, Method, ResponseCode, TotalTime, LastErrorSource, LastErrorReason,
    Caller, Tier, Tool, Outcome
| order by TimeGenerated asc
| take 1000
"""


def print_calls(environment: Environment, *, as_json: bool = False) -> None:
    """Print calls until Ctrl-C. TracesUnavailable where the local gateway keeps no traces."""
    more, pause = (_local(environment), _LOCAL_PAUSE) if environment.is_local else (_azure(environment), _AZURE_PAUSE)
    try:
        if as_json or not output.console.is_terminal:
            for call in _calls(more, pause):
                output.data(json.dumps(call, ensure_ascii=False) if as_json else line(call))
        else:
            _live(environment, more, pause)
    except KeyboardInterrupt:
        return  # that is how a person ends it


def line(call: Call) -> str:
    """Return one call for a log: columns that a person and `awk` can read."""
    status = str(call["status"] or "cut")
    cells = (clock(call["time"]), f"{status:<4}", f"{call['milliseconds']:>8.1f}ms", f"{call['server'] or '-':<16}")
    who = (f"{call['tier'] or '-':<8}", f"{call['caller'] or '-':<16}")
    return " ".join((*cells, *who, call["call"], call["refusal"])).rstrip()


def _calls(more: More, pause: float) -> Iterator[Call]:
    while True:
        yield from more()
        time.sleep(pause)


def _live(environment: Environment, more: More, pause: float) -> None:
    name = environment.name
    kept: deque[Call] = deque(maxlen=_SHOWN)
    promised = objectives.Tally(objectives.of(environment))
    total = refused = 0

    def drawn() -> Group:
        return Group(_table(name, kept, total, refused), *map(Text, promised.lines()))

    # The screen is drawn when something came, and otherwise stays as it is.
    with Live(drawn(), console=output.console, auto_refresh=False) as live:
        while True:
            found = more()
            kept.extend(found)
            total += len(found)
            promised.add(found)
            refused += sum(1 for call in found if call["refusal"])
            live.update(drawn(), refresh=True)
            time.sleep(pause)


def _table(name: str, kept: Sequence[Call], total: int, refused: int) -> Table:
    made = Table(title=f"{name}: {total} calls, {refused} refused; Ctrl-C ends", title_justify="left", box=None)
    for column in ("time", "status", "took", "server", "tier", "caller", "call", "refused because"):
        # One line each: `invoke trace` has the whole reason.
        cut = column == "refused because"
        justify: JustifyMethod = "right" if column == "took" else "left"
        made.add_column(column, overflow="ellipsis" if cut else "fold", no_wrap=cut, justify=justify)
    for call in kept:
        style = "green" if 200 <= call["status"] < 300 else "red"
        texts = (call[name] for name in ("server", "tier", "caller", "call", "refusal"))
        cells = (f"{call['milliseconds']:.1f} ms", *texts)
        made.add_row(clock(call["time"]), Text(str(call["status"] or "cut"), style=style), *map(Text, cells))
    return made


def _local(environment: Environment) -> More:
    home = environment.home
    follower = Follower(home)
    sources = Sources(Config(home, home / "run" / "state.json", "only-to-read-names"))
    with of_a_gateway(environment):
        first = [follower.more()]  # a gateway that keeps no traces is an error now, and a restart later is none
    people = sources.people()

    def more() -> list[Call]:
        try:
            found = first.pop() if first else follower.more()
        except TracesUnavailable:
            return []
        return [_from_ring(request, people) for request in found]

    return more


def _from_ring(request: Mapping[str, Any], people: Mapping[str, str]) -> Call:
    return {
        "time": request["time"],
        "id": request["id"],
        "server": server_of(request["api"]),
        "method": request["method"],
        "caller": people.get(request["caller"], request["caller"]),
        "tier": request["tier"],
        "call": request["tool"] or request["rpc"] or f"{request['method']} {request['path']}",
        "status": request["status"],
        "milliseconds": request["milliseconds"],
        "refusal": request["refusal"],
    }


def _azure(environment: Environment) -> More:
    workspace = _workspace(environment)
    known: deque[str] = deque(maxlen=_KNOWN)
    query = QUERY.format(seconds=_LATE, log=_LOG_OF_BOTH if apps(environment) else _LOG)

    def more() -> list[Call]:
        rows = az.run("monitor", "log-analytics", "query", "--workspace", workspace, "--analytics-query", query) or []
        fresh = [row for row in rows if row["CorrelationId"] not in known]
        known.extend(row["CorrelationId"] for row in fresh)
        return [from_log(row) for row in fresh]

    return more


def _workspace(environment: Environment) -> str:
    """Return the customer id of `log-<name>`, by which queries name it."""
    name = environment.variables.get("name")
    if not name:
        raise UsageError(f"terraform.tfvars of {environment.name} sets no name, so its workspace is not known")
    group = environment.need("RESOURCE_GROUP")
    asked = ("monitor", "log-analytics", "workspace", "show", "--resource-group", group)
    found = az.run(*asked, "--workspace-name", f"log-{name}")
    return str(found["customerId"])


def from_log(row: Mapping[str, Any]) -> Call:
    """Return the call that a row of QUERY describes; az prints every value as text."""
    status = int(row.get("ResponseCode") or 0)
    reason = ": ".join(filter(None, (row.get("LastErrorSource"), row.get("LastErrorReason"))))
    outcome = str(row.get("Outcome") or "")
    refused = reason or (f"refused with {status}" if status >= 400 else "")
    return {
        "time": _iso(str(row["TimeGenerated"])),
        "id": row["CorrelationId"],
        "server": server_of(str(row.get("ApiId") or "")),
        "method": str(row.get("Method") or ""),
        "caller": row.get("Caller") or "",
        "tier": row.get("Tier") or "",
        "call": row.get("Tool") or str(row.get("Method") or ""),
        "status": status,
        "milliseconds": float(row.get("TotalTime") or 0),
        "refusal": refused or (outcome if outcome not in ("", "ok", "dry-run", "confirmation-required") else ""),
    }


def _iso(text: str) -> str:
    """Return a time that Python reads: Log Analytics writes up to seven digits of a second, and a Z."""
    seconds, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{seconds}.{(fraction or '0')[:6]:0<6}").replace(tzinfo=UTC).isoformat()
