"""What Azure does with what hangs, is silent or moves, as the gateway's emulator and the platform hold it."""

from __future__ import annotations

from emulators.base.rules import Edit, Rule

FORWARD = "“Forward request”, Azure API Management policy reference, 2026"
PROBES = "“Configure liveness probes”, Azure Container Instances, 2018-06-08 and unchanged since"
SERVED, SLOTS = "tests/plan/test_served_policies.py", "tests/integration/runtime/test_supervision.py"
CONTAINERS = "tests/unit/runtime/test_private_link.py"

RULES: tuple[Rule, ...] = (
    Rule(
        "one-policy-in-backend",
        "The section `backend` holds one policy: others stand inside of it, such as in `<retry>`.",
        "ValidationError “backend section allows only one policy to be specified”, quoted in public repositories, read "
        "2026-11",
        "reported",
        "emulators/azurerm at apply; emulators/apim at load; `invoke gateway.check`",
        "emulators/azurerm/tests/test_policies.py::test_the_backend_section_allows_one_policy",
        off=("emulators.azurerm.policies._faults",),
    ),
    Rule(
        "forward-request-waits-for-headers",
        "`timeout` of `forward-request` bounds the wait for the backend's headers, not the answer; it may be an "
        "expression, and more than 240 s is not honoured.",
        FORWARD,
        "documented",
        "emulators/apim; validation of `mcp_servers` (timeout, first_byte)",
        f"{SERVED}::test_how_long_the_gateway_waits_for_the_first_byte",
        edits=(
            Edit(
                "emulators/apim/policies/routing.py",
                "timeout = millis(context) / 1000 or seconds(context)",
                "timeout = 300.0",
            ),
        ),
    ),
    Rule(
        "send-request-may-fail-quietly",
        "With `ignore-error` a request of the gateway's own that fails leaves null in its variable.",
        "“Retry”, Azure API Management policy reference, 2022-12-08, second example",
        "documented",
        "emulators/apim",
        f"{SERVED}::test_a_slot_that_hangs_is_asked_once_and_gets_no_calls",
        edits=(
            Edit(
                "emulators/apim/policies/integration.py",
                "            if not ignore(context):\n                raise",
                "            raise",
            ),
        ),
    ),
    Rule(
        "breaker-counts-what-it-is-told",
        "A circuit breaker counts the statuses and the error reasons of its rule, and no others; the reason of a late "
        "answer is `Timeout`, that of a refused or broken connection `BackendConnectionFailure`.",
        "“Backends in API Management”, 2025-05-20, circuit breaker; “Error handling in API Management policies”, "
        "predefined errors",
        "documented",
        "emulators/apim",
        "emulators/apim/tests/test_breakers.py::test_a_failed_connection_is_not_one_of_the_backend_s_statuses",
        edits=(
            Edit(
                "emulators/apim/breakers.py",
                "self._count(reason in self._rule.reasons or any(low <= 500 <= high for low, high in "
                "self._rule.statuses))",
                "self._count(True)",
            ),
        ),
    ),
    Rule(
        "liveness-restarts-in-place",
        "A container whose liveness probe fails `failure_threshold` times in a row is killed and, unless the group's "
        "restart policy is Never, started again in place, with its address.",
        PROBES,
        "documented",
        "twin, while the platform runs",
        f"{SLOTS}::test_a_hung_part_is_restarted_and_said_so[server-probed]",
        edits=(
            Edit(
                "twin/supervise/part.py",
                "if failures >= probe.failures:",
                "if failures >= probe.failures and False:",
            ),
        ),
    ),
    Rule(
        "restart-policy-beats-liveness",
        "With the restart policy Never a failed liveness probe ends the container for good.",
        PROBES,
        "documented",
        "twin, while the platform runs",
        f"{SLOTS}::test_a_hung_server_without_a_probe_is_left_alone",
        edits=(
            Edit(
                "twin/supervise/part.py",
                'return self.spec.restart == "Always" or (self.spec.restart == "OnFailure" and failed)',
                'return self.spec.restart == "Always" or failed',
            ),
        ),
    ),
    Rule(
        "liveness-defaults",
        "A liveness probe is like Kubernetes' one: every 10 s, 1 s for an answer, 3 failures, statuses 200 to 399.",
        f"{PROBES}; Kubernetes, “Configure Liveness, Readiness and Startup Probes”",
        "documented",
        "twin, while the platform runs",
        f"{CONTAINERS}::test_a_liveness_probe_is_executed_as_it_says",
        edits=(
            Edit(
                "twin/supervise/containers.py",
                'probe.get("timeout_seconds") or 1)',
                'probe.get("timeout_seconds") or 30)',
            ),
        ),
    ),
)
