"""What API Management does with policies that only people, or other code, tell: the rest stands in `reference.py`."""

from __future__ import annotations

from emulators.base.rules import Edit, Rule

_TESTS = "emulators/apim/tests"

RULES = (
    Rule(
        "line-breaks-of-expressions-are-kept",
        "A policy that is sent as `rawxml` keeps line breaks in attributes' expressions, so a `//` comment ends with"
        " its line; one that is sent as `xml` loses them.",
        "azurerm `api_management_api_policy_resource.go`; Microsoft's policy toolkit, `docs/OutputFormat.md`;"
        " Azure/apiops#14",
        "provider source",
        "emulators/apim at load; `invoke gateway.check` refuses fragments whose meaning depends on it",
        f"{_TESTS}/test_raw_xml.py::test_a_comment_ends_with_its_line",
        edits=(
            Edit(
                "emulators/base/policy_xml.py",
                '    if line_breaks == "kept":\n',
                '    if line_breaks == "":\n',
            ),
        ),
    ),
    Rule(
        "children-have-an-order",
        "Child elements of validate-jwt and cors in another order than the statement's are refused.",
        "MicrosoftDocs/azure-docs.fr-fr#741, MicrosoftDocs/azure-docs#35438",
        "reported",
        "emulators/apim at load; `invoke gateway.check`",
        f"{_TESTS}/test_schema.py::test_what_the_reference_does_not_have_is_refused_once",
        edits=(
            Edit(
                "emulators/apim/elements.py",
                "if self.shape.ordered and place < last:",
                "if self.shape.ordered and place < 0:",
            ),
        ),
    ),
    Rule(
        "variables-hold-listed-types",
        "`set-variable` refuses values that are neither scalars, their nullables, bytes, times nor JSON.",
        "“Set variable”, allowed types, 2024-07-23; MicrosoftDocs/azure-docs PR #128688",
        "documented",
        "emulators/apim at load, and when a value of type object is stored",
        f"{_TESTS}/policies/test_control_flow.py::test_a_variable_holds_the_documented_types_only",
        edits=(
            Edit(
                "emulators/apim/policies/control_flow.py",
                "    if not _storable(type_):\n",
                "    if not _storable(type_) and False:\n",
            ),
        ),
    ),
    Rule(
        "a-slash-at-the-end-is-the-same-operation",
        "An operation `resource` answers `resource` and `resource/`; the backend gets the path as it came.",
        "azure-docs commit 5801a64, “Manually add an API”",
        "documented",
        "emulators/apim/router.py; `rewrite-uri` in the policies, for the backend",
        f"{_TESTS}/test_routing.py::test_matches",
        edits=(
            Edit(
                "emulators/apim/router.py",
                'if given and given[-1] == "" and not (',
                "if given and given[-1] is None and not (",
            ),
        ),
    ),
    Rule(
        "methods-are-declared-one-by-one",
        "A method without an operation is 404, HEAD beside GET too.",
        "“Return 404 instead of 405”, Azure PaaS blog, 2020-08-18",
        "reported",
        "emulators/apim/router.py; HEAD operations in modules/apim",
        f"{_TESTS}/test_routing.py::test_no_match_is_404_like_api_management",
        edits=(
            Edit(
                "emulators/apim/router.py",
                'for route in [*self.routes.get(method, ()), *self.routes.get("*", ())]:',
                "for route in [one for found in self.routes.values() for one in found]:",
            ),
        ),
    ),
    Rule(
        "a-slash-that-is-encoded",
        "Whether `%2F` in a path parts segments before an operation is looked for. Here it stays in its segment;"
        " policies of this platform read either.",
        "Microsoft Q&A #2281087 (support: it is decoded); nothing in “Manually add an API”, 2026-11-30",
        "open",
        "emulators/apim/router.py; a wildcard operation in modules/apim/registry.tf",
        "tests/plan/test_served_registry.py::test_a_version_is_found",
        "registry",
        edits=(
            Edit(
                "terraform/modules/apim/policies/registry-api.xml.tftpl",
                "{1,100})(?:/|%2f)(",
                "{1,100})(?:%2f)(",
            ),
        ),
    ),
    Rule(
        "a-literal-goes-before-a-wildcard",
        "Where a literal template and `/*` both fit, the literal operation answers.",
        "nothing in “Manually add an API”, 2026-11-30",
        "open",
        "emulators/apim/router.py",
        "tests/plan/test_served_environment.py::test_metadata_is_there_however_it_is_asked_for",
        "metadata",
        edits=(
            Edit(
                "emulators/apim/router.py",
                "found.sort(key=lambda known: known.rank)",
                "found.sort(key=lambda known: known.rank, reverse=True)",
            ),
        ),
    ),
    Rule(
        "the-header-server-is-removed",
        "What `set-header` with exists-action `delete` does to `Server`: its page calls that not supported, no more."
        " Here the header is removed.",
        "“Set header”, usage notes, 2024-03-18",
        "open",
        "emulators/apim/policies/transformation.py; the global policy in modules/apim",
        f"{_TESTS}/policies/test_message_policies.py::test_set_header_acts_on_the_response_in_outbound",
        "software",
        edits=(
            Edit(
                "emulators/apim/policies/transformation.py",
                'if action == "delete":\n            message.headers.remove(header)',
                'if action == "delete" and header.lower() == "server":\n'
                "            return\n"
                '        if action == "delete":\n'
                "            message.headers.remove(header)",
            ),
        ),
    ),
    Rule(
        "send-request-and-redirects",
        "Whether `send-request` follows a redirect, and takes a bad certificate. Here it does neither.",
        "nothing in “Send request”, 2026-11-30; ADR 22",
        "open",
        "emulators/apim/backend_client.py; a document has to name its own address",
        "tests/plan/test_served_registration.py::test_an_answer_that_is_no_document_is_refused",
        "document-redirect",
        edits=(
            Edit(
                "emulators/apim/policies/integration.py",
                "        await response.materialise()\n",
                "        await response.materialise()\n"
                "        if 300 <= response.status < 400:\n"
                '            target = parse_url(response.headers.joined("location") or "")\n'
                "            return await _send(context, request, target, wait)\n",
            ),
        ),
    ),
)
