"""What Azure asks of whoever deploys, how long it takes, and what passes by itself, as doctor and tasks hold it."""

from __future__ import annotations

from emulators.base.rules import Edit, Rule

TESTS = "tests/unit/ops"
RBAC = "“Troubleshoot Azure RBAC”, 2023-09-20"

RULES: tuple[Rule, ...] = (
    Rule(
        "group-assignment-needs-p1",
        "A group is assigned to an app role with Entra ID P1 or P2 only, and only its direct members have the role.",
        "“Manage users and groups assignment to an application”, 2025-04-14",
        "documented",
        "`invoke doctor` (licence)",
        f"{TESTS}/checks/test_prerequisites.py::test_app_roles_need_a_licence",
        edits=(
            Edit(
                "ops/checks/prerequisites.py",
                "if not plans & _P1:",
                "if not plans & _P1 and False:",
            ),
        ),
    ),
    Rule(
        "new-role-takes-minutes",
        "A role assignment reaches a data plane after up to ten minutes.",
        RBAC,
        "documented",
        "`invoke deploy`, which waits for the vault and ends at once where no time helps",
        f"{TESTS}/rollout/test_deploy.py::test_a_young_role_is_waited_for",
        edits=(
            Edit(
                "ops/rollout/deploy.py",
                "if time.monotonic() > deadline:",
                "if time.monotonic() > deadline - _PROPAGATION:",
            ),
        ),
    ),
    Rule(
        "gateway-takes-half-an-hour",
        "Creating API Management in a classic tier takes 30 to 40 minutes or more.",
        "“Quickstart: Create Azure API Management Instance using the Portal”, 2026-03-27; "
        "azure-docs#124999, 2025-02-11",
        "documented",
        "`invoke deploy` says it before it applies, and in its dry run",
        f"{TESTS}/checks/test_durations.py::test_a_first_deployment",
        edits=(
            Edit(
                "ops/checks/durations.py",
                '"creating API Management",\n        30,\n        45,',
                '"creating API Management",\n        3,\n        4,',
            ),
        ),
    ),
    Rule(
        "v2-gateway-takes-minutes",
        "Creating API Management in a v2 tier takes minutes; Microsoft names no number.",
        "“Azure API Management v2 tiers”, 2024-09-12",
        "documented",
        "`invoke doctor`, and `invoke deploy` before it applies and in its dry run",
        f"{TESTS}/checks/test_durations.py::test_a_v2_gateway_is_there_in_minutes",
        edits=(
            Edit(
                "ops/checks/durations.py",
                '"creating API Management in a v2 tier", 0, 0,',
                '"creating API Management in a v2 tier", 30, 45,',
            ),
        ),
    ),
    Rule(
        "gateway-changes-slowly",
        "In a classic tier, a change of API Management's tier, units, zones or network takes 15 to 45 minutes.",
        "“Upgrade and scale an Azure API Management instance”, 2018-08-18",
        "documented",
        "`invoke deploy` says it before it applies",
        f"{TESTS}/checks/test_durations.py::test_what_changes_decides",
        edits=(
            Edit(
                "ops/checks/durations.py",
                '("update",),\n        "changing API Management',
                '(),\n        "changing API Management',
            ),
        ),
    ),
    Rule(
        "database-account-takes-minutes",
        "Creating a Cosmos DB account takes 10 to 15 minutes per region.",
        "azurerm#4271, 2019-09-06",
        "reported",
        "`invoke deploy` says it before it applies",
        f"{TESTS}/checks/test_durations.py::test_what_changes_decides",
        edits=(
            Edit(
                "ops/checks/durations.py",
                'Usual("azurerm_cosmosdb_account", _NEW,',
                'Usual("azurerm_cosmosdb_account", (),',
            ),
        ),
    ),
    Rule(
        "one-api-one-writer",
        "While API Management changes an API, it may refuse another write to the same API with 409 "
        "PessimisticConcurrencyConflict; a moment later it takes it.",
        "Azure/apiops#379, 2023-09-07; Azure/apiops-cli#252, 2026-08-31",
        "reported",
        "emulators/azurerm (fault `busy-api`); `invoke deploy` plans and applies what is left, once",
        "emulators/azurerm/tests/test_faults.py::test_one_of_two_writes_to_an_api_is_refused_once",
        edits=(
            Edit(
                "emulators/azurerm/faults.py",
                "        if api not in self._written:",
                "        if True:",
            ),
        ),
    ),
)
