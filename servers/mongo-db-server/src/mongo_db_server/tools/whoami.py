from __future__ import annotations

from typing import Any

from gateway_auth import CALLER

from mongo_db_server.operation import Operation
from mongo_db_server.replies import Reply
from mongo_db_server.toolkit import Arguments, Call, Runtime, output, tool


def limits_of(runtime: Runtime) -> dict[str, Any]:
    """Every limit, in the units of its setting."""
    limits, rules, admission = runtime.limits, runtime.rules, runtime.admission
    return {
        "documents": {"default": limits.documents.default, "ceiling": limits.documents.ceiling},
        "bytes": {"default": limits.bytes.default, "ceiling": limits.bytes.ceiling},
        "time_ms": {"default": limits.time_ms.default, "ceiling": limits.time_ms.ceiling},
        "sample": {"default": limits.sample_default, "ceiling": limits.sample},
        "write_batch": limits.write_batch,
        "pipeline_stages": limits.pipeline_stages,
        "nesting_depth": rules.depth,
        "regex_length": rules.regex_length,
        "concurrent_calls": {"per_caller": admission.per_caller, "total": admission.total},
        "confirmation_seconds": runtime.confirmations.seconds,
    }


def restrictions_of(runtime: Runtime) -> dict[str, bool]:
    """Which kinds of rules are in force; not which names they hold."""
    scope, fields = runtime.rules.scope, runtime.rules.fields
    return {
        "databases": scope.databases.active,
        "collections": scope.collections.active,
        "fields": fields.active,
        "tools": runtime.rules.tools.active,
    }


@tool(
    "whoami",
    title="Who am I, and what may I do",
    operation=Operation.METADATA,
    arguments=Arguments,
    output=output(
        caller={"anyOf": [{"type": "string"}, {"type": "null"}]},
        client={"anyOf": [{"type": "string"}, {"type": "null"}]},
        tier={"type": "string"},
        server={"type": "string"},
        may_write={"type": "boolean"},
        limits={"type": "object"},
        restricted={"type": "object", "description": "Which names are restricted by the operator."},
    ),
)
async def whoami(arguments: Arguments, call: Call) -> Reply:
    """Says as whom you are calling, in which tier, whether it may write, and the limits that apply to every call. Costs
    nothing; the database is not asked."""
    caller, runtime = CALLER.get(), call.runtime
    facts = {
        "caller": caller.subject,
        "client": caller.client,
        "tier": runtime.tier_name,
        "server": runtime.name,
        "may_write": runtime.tier == "admin",
        "limits": limits_of(runtime),
        "restricted": restrictions_of(runtime),
    }
    who = caller.subject or "an unnamed caller"
    return Reply(f"You are {who} in the {runtime.tier_name} tier of {runtime.name}.", facts)
