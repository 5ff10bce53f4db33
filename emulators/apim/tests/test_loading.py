"""Loading refuses what it cannot run: all of it at once, by scope, line and name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from emulators.apim.check import check
from emulators.apim.errors import (
    InvalidAttribute,
    LocatedError,
    MalformedPolicy,
    MissingReference,
    PolicyProblems,
    UnknownAttribute,
    UnknownElement,
    UnsupportedExpression,
    UnsupportedResource,
)
from emulators.apim.load import load
from emulators.apim.tests.harness import CLIENT_ID, PRINCIPAL_ID, applied, make_gateway, policies, resource
from emulators.base.state import Resource


def problems(api_policy: str | None = None, **given: Any) -> tuple[LocatedError, ...]:
    with pytest.raises(PolicyProblems) as caught:
        load(applied(api_policy, **given))
    return caught.value.problems


def inbound(policy: str) -> str:
    return policies(inbound=policy)


REFUSED = [
    (inbound("<validate-content/>"), UnknownElement, "validate-content"),
    (inbound("<forward-request/>"), UnknownElement, "forward-request"),
    (policies(outbound="<validate-jwt header-name='x'/>"), UnknownElement, "validate-jwt"),
    (policies(on_error="<rewrite-uri template='/x'/>"), UnknownElement, "rewrite-uri"),
    (inbound("<choose><when condition='true'><base/></when></choose>"), UnknownElement, "base"),
    (inbound("<choose><when condition='true'/><if condition='true'/></choose>"), UnknownElement, "if"),
    ("<policies><inbound/><surprise/></policies>", UnknownElement, "surprise"),
    ("<policies><inbound/><inbound/></policies>", MalformedPolicy, "inbound"),
    (policies(backend="<base/><forward-request/>"), MalformedPolicy, "backend"),
    ("<inbound/>", MalformedPolicy, "inbound"),
    ("<policies><inbound></policies>", MalformedPolicy, "xml"),
    ("<!DOCTYPE x [<!ENTITY e 'v'>]><policies><inbound/></policies>", MalformedPolicy, "DOCTYPE"),
    (inbound("<set-variable name='x' value='1' colour='red'/>"), UnknownAttribute, "colour"),
    (inbound("<set-variable value='1'/>"), InvalidAttribute, "name"),
    (inbound("<set-variable name='@(\"x\")' value='1'/>"), InvalidAttribute, "name"),
    (inbound("<set-variable name='x' value='a @(1) b'/>"), InvalidAttribute, "a @(1) b"),
    (
        inbound("<set-header name='x' exists-action='replace'><value>1</value></set-header>"),
        InvalidAttribute,
        "exists-action",
    ),
    (inbound("<set-query-parameter name='x'/>"), InvalidAttribute, "value"),
    (inbound("<set-body template='razor'>x</set-body>"), InvalidAttribute, "template"),
    (inbound("<rewrite-uri template='x'/>"), InvalidAttribute, "template"),
    (inbound("<set-backend-service/>"), InvalidAttribute, "backend-id"),
    (inbound("<set-backend-service base-url='ftp://x'/>"), InvalidAttribute, "base-url"),
    (inbound("<rate-limit-by-key calls='x' renewal-period='60' counter-key='k'/>"), InvalidAttribute, "calls"),
    (
        inbound("<rate-limit-by-key calls='1' renewal-period='301' counter-key='k'/>"),
        InvalidAttribute,
        "renewal-period",
    ),
    (inbound("<choose><when condition='@(\"x\")'/></choose>"), InvalidAttribute, "condition"),
    (inbound("<choose><when condition='maybe'/></choose>"), InvalidAttribute, "condition"),
    (inbound("<choose/>"), InvalidAttribute, "when"),
    (
        inbound("<cors><allowed-headers><header>*</header></allowed-headers></cors>"),
        InvalidAttribute,
        "allowed-origins",
    ),
    (inbound("<validate-jwt><openid-config url='http://x'/></validate-jwt>"), InvalidAttribute, "header-name"),
    (inbound("<return-response><set-status code='999'/></return-response>"), InvalidAttribute, "code"),
    (inbound("<send-request response-variable-name='r'/>"), InvalidAttribute, "set-url"),
    (inbound("<set-variable name='x' value='@(y)'/>"), UnsupportedExpression, "y"),
    (inbound("<set-variable name='x' value='@(context.Foo)'/>"), UnsupportedExpression, "IContext.Foo"),
    (inbound("<set-variable name='x' value='{{none}}'/>"), MissingReference, "none"),
    (inbound("<set-variable name='x' value='@(\"{{none}}\")'/>"), MissingReference, "none"),
    (inbound("<include-fragment fragment-id='none'/>"), MissingReference, "none"),
    (inbound("<set-backend-service backend-id='none'/>"), MissingReference, "none"),
    (inbound("<authentication-managed-identity resource='x' client-id='none'/>"), MissingReference, "none"),
    (inbound("<authentication-managed-identity resource='x'/>"), MissingReference, "client-id"),
    (
        inbound(
            "<validate-jwt header-name='a' require-signed-tokens='false'><openid-config url='http://x'/></validate-jwt>"
        ),
        InvalidAttribute,
        "require-signed-tokens",
    ),
]


@pytest.mark.parametrize(("document", "kind", "name"), REFUSED)
def test_refused_by_name(document: str, kind: type[LocatedError], name: str) -> None:
    """What the gateway cannot run is refused at load, and named."""
    (problem,) = problems(document)
    assert (type(problem), problem.name) == (kind, name)


def test_all_problems_are_reported_together_with_scope_and_line() -> None:
    """One load finds everything, and says where it stands, to the line inside an expression."""
    document = (
        "<policies>\n<inbound>\n<nonsense/>\n<set-variable name='x' value='1' y='2'/>\n"
        "<set-body>@{\n  return z;\n}</set-body>\n<include-fragment fragment-id='f'/>\n</inbound>\n</policies>"
    )
    found = problems(document, fragments={"f": "<fragment>\n<set-method/>\n<bad/>\n</fragment>"})
    assert [str(problem).split(": ", 1)[0] for problem in found] == [
        "fragment 'f', line 3",
        "API 'a', line 3",
        "API 'a', line 4",
        "API 'a', line 6",
    ]


def test_a_fragment_includes_no_other_fragment() -> None:
    """ "Reuse policy configurations": a fragment cannot nest another one, nor itself."""
    include = "<include-fragment fragment-id='g'/>"
    fragments = {
        "f": f"<fragment>{include}</fragment>",
        "g": f"<fragment>\n<retry condition='true' count='1' interval='1'>{include}</retry></fragment>",
    }
    assert [str(problem) for problem in problems(fragments=fragments)] == [
        "fragment 'f', line 1: a fragment cannot include another one ('g'): write its elements where they are wanted",
        "fragment 'g', line 2: a fragment cannot include another one ('g'): write its elements where they are wanted",
    ]


def test_base_at_global_scope_is_refused() -> None:
    """There is no scope above global."""
    (problem,) = problems(global_policy="<policies><inbound><base/></inbound></policies>")
    assert (str(problem.where), problem.name) == ("global policy, line 1", "base")


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ("api_management_subscription", "azurerm_api_management_subscription"),
        ("api_management_gateway", "azurerm_api_management_gateway"),
    ],
)
def test_resources_that_would_change_requests_are_refused(type_: str, name: str) -> None:
    """An applied resource that is not reproduced is not skipped."""
    (problem,) = problems(extra=[resource(type_, "p")])
    assert (type(problem), problem.name) == (UnsupportedResource, name)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"api_type": "websocket"}, "api_type"),
        ({"version_set_id": "v"}, "version_set_id"),
        ({"source_api_id": "s"}, "source_api_id"),
        ({"import": [{"content_format": "openapi"}]}, "import"),
        ({"service_url": "backend"}, "service_url"),
        ({"operations": [("GET", "op")]}, "url_template"),
        ({"operations": [("GET", "/op?x={y}")]}, "url_template"),
        ({"operations": [("GET", "/a{b}")]}, "url_template"),
        ({"backends": {"b": "backend"}}, "url"),
        ({"extra": [resource("api_management_api", "b", path="A", revision="1")]}, "path"),
    ],
)
def test_apis_that_cannot_be_matched_are_refused(values: Mapping[str, Any], name: str) -> None:
    """Kinds of APIs, templates and URLs that the gateway does not serve are named."""
    (problem,) = problems(**values)
    assert problem.name == name


async def test_named_values_are_replaced_everywhere() -> None:
    """`{{name}}` in attributes, text and expressions, several in one."""
    policy = (
        "<return-response><set-header name='{{header}}'><value>{{a}}-{{b.c}}</value></set-header>"
        '<set-body>@("{{a}}" + 1)</set-body></return-response>'
    )
    gateway = make_gateway(inbound=policy, named_values={"header": "X-H", "a": "A & <b>", "b.c": "C"})
    reply = await gateway.send()
    assert (reply.headers["X-H"], reply.text) == (["A & <b>-C"], "A & <b>1")


VAULT = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-x"


def vault_value(client_id: str = CLIENT_ID, secret: str = "https://kv-x.vault.azure.net/secrets/s") -> list[Resource]:
    source = {"secret_id": secret, "identity_client_id": client_id}
    return [
        resource("api_management_named_value", "nv", display_name="nv", secret=True, value_from_key_vault=[source]),
        resource("key_vault_secret", "s", key_vault_id=VAULT, version="abc123", value="from-vault"),
    ]


def grant(scope: str = VAULT, principal: str = PRINCIPAL_ID, role: str = "Key Vault Secrets User") -> Resource:
    return resource("role_assignment", "r", scope=scope, principal_id=principal, role_definition_name=role)


@pytest.mark.parametrize("scope", [VAULT, "/subscriptions/s/resourceGroups/rg", f"{VAULT}/secrets/s"])
async def test_a_named_value_from_key_vault(scope: str) -> None:
    """The secret's value, where the gateway's identity may read the vault."""
    gateway = make_gateway(
        inbound="<return-response><set-body>{{nv}}</set-body></return-response>", extra=[*vault_value(), grant(scope)]
    )
    assert (await gateway.send()).text == "from-vault"


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        (vault_value(), "Key Vault Secrets User"),
        ([*vault_value(), grant(principal=CLIENT_ID)], "Key Vault Secrets User"),
        ([*vault_value(), grant(role="Reader")], "Key Vault Secrets User"),
        ([*vault_value(), grant(scope=VAULT[:-1])], "Key Vault Secrets User"),
        ([*vault_value(), grant(scope=f"{VAULT}/secrets/other")], "Key Vault Secrets User"),
        ([*vault_value(client_id="other"), grant()], "identity_client_id"),
        (
            [*vault_value(secret="https://kv-y.vault.azure.net/secrets/s"), grant()],
            "https://kv-y.vault.azure.net/secrets/s",
        ),
        (
            [*vault_value(secret="https://kv-x.vault.azure.net/secrets/s/def"), grant()],
            "https://kv-x.vault.azure.net/secrets/s/def",
        ),
    ],
)
def test_a_named_value_the_gateway_may_not_read_is_refused(extra: list[Resource], name: str) -> None:
    """No role, no identity, no such secret: Azure would not create the named value."""
    (problem,) = problems(extra=extra)
    assert (type(problem), problem.name) == (MissingReference, name)


def test_check_reads_files_and_folders(tmp_path: Path) -> None:
    """`check` judges files without an applied state: references are left alone, line numbers are the file's."""
    good = policies(inbound="<include-fragment fragment-id='x'/><set-backend-service backend-id='y'/>")
    (tmp_path / "good.xml").write_text(good)
    (tmp_path / "bad.xml").write_text("<policies>\n<inbound>\n<nope value='{{v}}'/>\n</inbound>\n</policies>")
    (tmp_path / "fragment.xml").write_text("<fragment>\n<set-body>@(z)</set-body>\n</fragment>")
    (tmp_path / "nested.xml").write_text('<fragment>\n<include-fragment fragment-id="x" />\n</fragment>')
    assert check(tmp_path / "good.xml") == []
    assert [(Path(p.where.scope).name, p.where.line, p.name) for p in check(tmp_path)] == [
        ("bad.xml", 3, "nope"),
        ("fragment.xml", 2, "z"),
        ("nested.xml", 2, "x"),
    ]
