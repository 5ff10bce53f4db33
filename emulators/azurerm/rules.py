"""What Azure and its Terraform providers do or refuse, as the stand-in provider, the modules and tests hold it."""

from __future__ import annotations

from emulators.base.rules import Rule

REUSE = "“Reuse policy configurations”, 2026-02-10"
TESTS = "emulators/azurerm/tests"

RULES: tuple[Rule, ...] = (
    Rule(
        "fragments-do-not-nest",
        "A policy fragment includes no other fragment, and holds neither a section nor `<base />`.",
        REUSE,
        "documented",
        "emulators/azurerm at apply; emulators/apim at load; `invoke gateway.check`",
        f"{TESTS}/test_policies.py::test_fragments_do_not_nest",
    ),
    Rule(
        "shared-throughput-wants-shard-keys",
        "A collection that shares its database's throughput has a shard key.",
        "“Introduction to provisioned throughput”, 2025-07-24; azure-docs#35841",
        "documented",
        "validation of `databases`; emulators/azurerm at apply",
        f"{TESTS}/test_cosmos.py::test_who_shares_throughput_is_sharded",
    ),
)
