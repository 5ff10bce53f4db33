"""What `--help` says of options that several tasks have, or that need more than a few words."""

from __future__ import annotations

ENV = "a folder of terraform/environments (default: local)"
SETTING = "NAME=VALUE, wins over environment variables and files; may be repeated"
CHANGES = {
    "env": ENV,
    "setting": SETTING,
    "dry_run": "print exactly what would run, and run nothing",
    "yes": "ask no questions",
}
STAGE = "1 or 2 (default: both)"
TARGET_IMAGE = (
    "NAME=DIGEST or NAME=TAG: that server runs this image, which exists, and nothing is built for it; may be repeated. "
    "Or `deployed`: every server runs what it runs now"
)
PLAN = {
    "env": ENV,
    "setting": SETTING,
    "stage": STAGE,
    "target_image": TARGET_IMAGE,
    "out": "a folder to save the plan in, for somebody to read and `invoke deploy --plan` to apply",
    "check": "exit code 1 if anything would change: for a schedule",
    "json": "print one JSON object",
}
DEPLOY = {
    **CHANGES,
    "stage": STAGE + ". Stage 2 alone builds no image: `invoke push` first, or --target-image",
    "target_image": TARGET_IMAGE,
    "runtime": "process (default) or docker: what a container group becomes on this machine; as the setting RUNTIME",
    "plan": "a folder that `invoke plan --out` wrote: exactly that is applied, or, where anything changed since, "
    "nothing. Where a server has several slots, each slot's part of it, one after the other",
}
LOGS = {
    "env": ENV,
    "setting": SETTING,
    "part": "one part, e.g. gateway (default: all)",
    "follow": "go on until Ctrl-C",
}
TRACE = {
    "env": ENV,
    "setting": SETTING,
    "request": "its id, as X-Correlation-Id of an answer says it; none: list the recent ones",
    "json": "print one JSON object",
}
WATCH = {"env": ENV, "setting": SETTING, "json": "print one JSON object per call"}
CONNECT = {
    "env": ENV,
    "setting": SETTING,
    "client": "vscode, claude, cursor, json or inspector (default: all)",
    "write": "write the client's file, in which everything else stays; with --client",
    "json": "print one JSON object",
}
