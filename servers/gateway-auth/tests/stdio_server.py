"""An MCP server over standard input and output, of the handshake era, in plain JSON-RPC: what a front has to bear with.

Each tool misbehaves in one way. It runs as a process of its own and imports nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

READS = {"readOnlyHint": True}
TOOLS = {
    "environment": READS,
    "count": READS,
    "write": {},
    "large": READS,
    "large-id-first": READS,
    "noise": READS,
    "die": READS,
    "close": READS,
    "sleep": READS,
    "fail": READS,
    "keep": {},
}
COUNTED = 0


def call(name: str) -> Any:
    global COUNTED
    if name == "environment":
        return dict(os.environ)
    if name == "count":
        COUNTED += 1
        return COUNTED
    if name == "noise":
        sys.stdout.write("this is no JSON-RPC\n")
        sys.stderr.write("a line of the log\n" + "x" * 100_000 + "\n")
        return "quiet again"
    if name == "keep":
        kept = {}
        for folder in (os.environ["PACKAGES"], os.environ["HOME"]):
            try:
                with open(os.path.join(folder, "memory"), "w", encoding="utf-8") as file:  # noqa: PTH118, PTH123
                    kept[folder] = file.write("of a caller")
            except OSError as error:
                kept[folder] = error.errno or 0
        return list(kept.values())
    if name == "die":
        sys.exit(3)
    if name == "close":
        os.close(sys.stdout.fileno())
        os.kill(os.getpid(), signal.SIGSTOP)  # alive, but it can answer nobody
    if name == "sleep":
        time.sleep(30)
    return name


def result(method: str, params: dict[str, Any]) -> Any:
    if method == "initialize":
        return {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}, "resources": {}, "prompts": {}},
            "serverInfo": {"name": "misbehaving", "version": "1"},
            "instructions": "Ask gently.",
        }
    if method == "tools/list":
        schema = {"type": "object"}
        return {"tools": [{"name": n, "inputSchema": schema, "annotations": a} for n, a in TOOLS.items()]}
    if method == "tools/call":
        answer = call(params["name"])
        return {
            "content": [{"type": "text", "text": json.dumps(answer)}],
            "isError": params["name"] == "fail",
        }
    if method == "resources/list":
        return {"resources": [{"uri": "note://one", "name": "one"}]}
    if method == "resources/read":
        return {"contents": [{"uri": params["uri"], "text": "the note"}]}
    if method == "prompts/list":
        return {"prompts": [{"name": "ask"}]}
    if method == "prompts/get":
        return {"messages": [{"role": "user", "content": {"type": "text", "text": "Ask."}}]}
    return {}


def main() -> None:
    sys.stderr.write("started\n")
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        answered = result(message["method"], message.get("params") or {})
        name = (message.get("params") or {}).get("name")
        if name in ("large", "large-id-first"):
            answered["content"][0]["text"] = "x" * 300_000
        first = {"jsonrpc": "2.0", "id": message["id"], "result": answered}
        last = {"result": answered, "jsonrpc": "2.0", "id": message["id"]}
        sys.stdout.write(json.dumps(first if name == "large-id-first" else last, separators=(",", ":")) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
