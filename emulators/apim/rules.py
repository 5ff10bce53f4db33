"""What API Management's gateway does, as the emulator, the policies and their tests hold it."""

from __future__ import annotations

from emulators.base.rules import Rule

TESTS = "emulators/apim/tests"

RULES: tuple[Rule, ...] = (
    Rule(
        "a-slash-at-the-end-is-the-same-operation",
        "An operation `resource` answers `resource` and `resource/`; the backend gets the path as it came.",
        "azure-docs commit 5801a64, “Manually add an API”",
        "documented",
        "emulators/apim/router.py; `rewrite-uri` in the policies, for the backend",
        f"{TESTS}/test_routing.py::test_matches",
    ),
    Rule(
        "methods-are-declared-one-by-one",
        "A method without an operation is 404, HEAD beside GET too.",
        "“Return 404 instead of 405”, Azure PaaS blog, 2020-08-18",
        "reported",
        "emulators/apim/router.py; HEAD operations in modules/apim",
        f"{TESTS}/test_routing.py::test_no_match_is_404_like_api_management",
    ),
)
