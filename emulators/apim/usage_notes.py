"""Notes of the policy reference's pages on elements that run in full, each with the test that holds it.

"Usage notes", and sentences elsewhere on a page that say what happens. An element without an entry has not been read
so, and one with a note that no test holds does not count as *full* in FIDELITY.md. Where a page has no notes the entry
is empty; what its attributes say is held by the tests that name them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """What the page says, in our words; `test` is a function below emulators/apim/tests, "" where there is none."""

    says: str
    test: str


_ACCESS, _CONTROL, _MESSAGES = (f"policies/test_{name}.py" for name in ("access", "control_flow", "message_policies"))

NOTES: dict[str, tuple[Note, ...]] = {
    "authentication-managed-identity": (
        Note("the token is cached until it expires", f"{_ACCESS}::test_authentication_managed_identity"),
        Note(
            "a variable takes the token instead of the header",
            f"{_ACCESS}::test_a_managed_identity_token_in_a_variable",
        ),
        Note(
            "without client-id the system-assigned identity",
            f"{_ACCESS}::test_without_a_client_id_the_system_assigned_identity_asks",
        ),
    ),
    "check-header": (Note("one of several values is enough", f"{_ACCESS}::test_check_header"),),
    "choose": (
        Note("the first condition that is true decides", f"{_CONTROL}::test_choose"),
        Note("at least one when", f"{_CONTROL}::test_choose_needs_a_when"),
    ),
    "cors": (
        Note("only cors is evaluated on a preflight", f"{_ACCESS}::test_cors_preflight"),
        Note("once in a section", "test_schema.py::test_what_the_reference_does_not_have_is_refused_once"),
        Note("several scopes, inherited by base", f"{_ACCESS}::test_cors_of_a_parent_scope_answers_where_base_stands"),
        Note(
            "an operation for OPTIONS takes its preflights",
            f"{_ACCESS}::test_an_operation_for_options_takes_preflights",
        ),
        Note("unmatched simple requests end, or go on", f"{_ACCESS}::test_cors_terminates_unmatched_simple_requests"),
    ),
    "find-and-replace": (Note("an empty replacement removes", f"{_MESSAGES}::test_find_and_replace_removes"),),
    "include-fragment": (Note("inserted as it is, where it stands", f"{_CONTROL}::test_include_fragment"),),
    "ip-filter": (
        Note("at several scopes in the order of evaluation", f"{_ACCESS}::test_ip_filters_of_two_scopes"),
        Note("allow refuses what matches nothing, forbid lets it through", f"{_ACCESS}::test_ip_filter"),
    ),
    "limit-concurrency": (Note("above the number 429 at once", f"{_CONTROL}::test_limit_concurrency"),),
    "rate-limit-by-key": (
        Note("one counter for a key at all scopes", f"{_ACCESS}::test_one_key_is_one_counter_at_two_scopes"),
        Note("an increment may wait for the response", f"{_ACCESS}::test_an_increment_count_may_read_the_response"),
    ),
    "retry": (
        Note("fixed, linear and exponential waits", f"{_CONTROL}::test_retry"),
        Note("its children run once before any retry", f"{_CONTROL}::test_retry"),
    ),
    "return-response": (
        Note("200 without a body by default", f"{_MESSAGES}::test_return_response_s_default"),
        Note(
            "a variable's response, changed by the statements",
            f"{_MESSAGES}::test_return_response_changes_a_variable_s",
        ),
        Note(
            "a Liquid template reads nothing", "policies/test_liquid.py::test_return_response_has_an_empty_body_to_read"
        ),
    ),
    "rewrite-uri": (
        Note("query parameters only", f"{_MESSAGES}::test_rewrite_uri_adds_no_path_parameters"),
        Note("parameters of the request are copied unless told otherwise", f"{_MESSAGES}::test_rewrite_uri"),
    ),
    "set-method": (),
    "set-query-parameter": (
        Note("several values are listed several times", f"{_MESSAGES}::test_several_values_of_a_query_parameter"),
    ),
    "set-status": (),
    "set-variable": (
        Note(
            "the types that are allowed, and no others", f"{_CONTROL}::test_a_variable_holds_the_documented_types_only"
        ),
        Note("a literal is a string", f"{_MESSAGES}::test_set_variable_keeps_the_type"),
    ),
}


def unheld(tag: str) -> str:
    """Why an element is not *full*: its page was not read for notes, or one has no test."""
    if tag not in NOTES:
        return "its page's notes are not held by tests"
    return "; ".join(note.says for note in NOTES[tag] if not note.test)
