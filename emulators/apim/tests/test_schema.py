"""The element tree of `reference.py` is what loads, and nothing beside it: text, attributes, order, count, scopes.

Each row of the reference names its page and date; the cases here name what the pages say of more than one element.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulators.apim.elements import ELEMENTS, shape_of
from emulators.apim.errors import LocatedError, PolicyProblems, UnsupportedAttribute
from emulators.apim.load import load
from emulators.apim.reference import BY_TAG, POLICIES
from emulators.apim.schema import SCOPES, SECTIONS, Attribute, Policy, Shape
from emulators.apim.tests.harness import CLIENT_ID, applied, policies
from emulators.apim.tests.test_products import product

JWT = "<validate-jwt header-name='x'><openid-config url='http://x'/>"
SEND = "<send-request response-variable-name='r'><set-url>http://x</set-url>"
CLAIMS = "<required-claims><claim name='{}'/></required-claims>"
AUDIENCES = "<audiences><audience>a</audience></audiences>"
ORIGINS = "<allowed-origins><origin>*</origin></allowed-origins>"
HEADERS = "<allowed-headers><header>*</header></allowed-headers>"
KEY = "renewal-period='60' counter-key='k'"


def problems(document: str, **given: object) -> list[LocatedError]:
    try:
        load(applied(document, **given))  # type: ignore[arg-type]
    except PolicyProblems as caught:
        return list(caught.problems)
    return []


def of_inbound(policy: str) -> list[LocatedError]:
    return problems(policies(inbound=policy), backends={"b": "http://b.test"}, fragments={"f": "<fragment/>"})


TWICE = [
    (f"{JWT}{CLAIMS.format('sub')}{CLAIMS.format('roles')}</validate-jwt>", "required-claims"),
    (f"{JWT}{AUDIENCES * 2}</validate-jwt>", "audiences"),
    (f"{JWT}<issuers/><issuers/></validate-jwt>", "issuers"),
    (f"{SEND}<set-url>http://y</set-url></send-request>", "set-url"),
    (f"{SEND}<set-method>GET</set-method><set-method>PUT</set-method></send-request>", "set-method"),
    (f"{SEND}<set-body>x</set-body><set-body>y</set-body></send-request>", "set-body"),
    ("<choose><when condition='true'/><otherwise/><otherwise/></choose>", "otherwise"),
    ("<trace source='x'><message>x</message><message>y</message></trace>", "message"),
    ("<return-response><set-status code='200'/><set-status code='201'/></return-response>", "set-status"),
    (f"<cors>{ORIGINS * 2}{HEADERS}</cors>", "allowed-origins"),
    (f"<cors>{ORIGINS}{HEADERS * 2}</cors>", "allowed-headers"),
    (f"<cors>{ORIGINS}</cors><cors>{ORIGINS}</cors>", "cors"),
    ("<rate-limit calls='1' renewal-period='9'/><rate-limit calls='2' renewal-period='9'/>", "rate-limit"),
]
MISPLACED = [
    ("<base><set-method>GET</set-method></base>", "set-method"),
    ("<base if='false'/>", "if"),
    ("<base>x</base>", "base"),
    ("other policies", "inbound"),
    ("<choose>x<when condition='true'/></choose>", "choose"),
    ("<choose><when condition='true'>x</when></choose>", "when"),
    (f"<cors>{ORIGINS}<allowed-headers x='1'><header>*</header></allowed-headers></cors>", "x"),
    ("<ip-filter action='allow'><address x='1'>10.0.0.1</address></ip-filter>", "x"),
    ("<set-header name='a'><value><b/></value></set-header>", "b"),
    (f"{JWT}{AUDIENCES}<openid-config url='http://y'/></validate-jwt>", "openid-config"),
    (
        f"<validate-jwt header-name='x'>{CLAIMS.format('a')}<openid-config url='http://x'/></validate-jwt>",
        "openid-config",
    ),
    (f"<cors>{HEADERS}{ORIGINS}</cors>", "allowed-origins"),
    ("<choose><otherwise/><when condition='true'/></choose>", "when"),
]
IMPOSSIBLE = [
    ("<ip-filter action='allow'/>", "address"),
    ("<send-request><set-url>http://x</set-url></send-request>", "response-variable-name"),
    ("<quota-by-key calls='1' renewal-period='60' counter-key='k'/>", "renewal-period"),
    ("<set-query-parameter name='x' exists-action='skip'/>", "value"),
    ("<validate-jwt header-name='x'><openid-config url=''/></validate-jwt>", "url"),
    ("<validate-jwt header-name='x'><openid-config url='nope'/></validate-jwt>", "url"),
    ("<set-header name=''><value>1</value></set-header>", "name"),
    ("<set-variable name='' value='1'/>", "name"),
    (f"{JWT}{CLAIMS.format('')}</validate-jwt>", "name"),
    ("<rate-limit-by-key calls='nan' renewal-period='60' counter-key='k'/>", "calls"),
    ("<cors><allowed-origins/></cors>", "origin"),
    ("<rate-limit calls='1' renewal-period='9'><api calls='1' renewal-period='9'/></rate-limit>", "name"),
    ("<trace source='x'/>", "message"),
    ("<trace source='x'>a<message>b</message></trace>", "message"),
]
ALLOWED = [
    '<ip-filter action=\'@("allow")\'><address>@("10.0.0.1")</address></ip-filter>',
    "<set-header name='a' exists-action='@(\"skip\")'><value>1</value></set-header>",
    "<set-header name='a'/>",
    "<set-query-parameter name='a' exists-action='@(\"delete\")'/>",
    SEND.replace("request r", "request mode='@(\"new\")' r", 1) + "</send-request>",
    SEND.replace("'r'", "'@(\"r\")'") + "</send-request>",
    f"{JWT}<required-claims><claim name='a' match='@(\"any\")'/></required-claims></validate-jwt>",
    "<validate-jwt header-name='x'><openid-config url='http://x' validate-connectivity='false'/></validate-jwt>",
    "<cache-remove-value key='k' fail-on-cache-removal-error='true'/>",
    f"<cors>{ORIGINS}</cors>",
    "<trace source='x'>text</trace>",
    "<quota-by-key calls='1' renewal-period='0' counter-key='k'/>",
    "<set-status code='200' id='a'/>",
]


@pytest.mark.parametrize(("policy", "name"), [*TWICE, *MISPLACED, *IMPOSSIBLE])
def test_what_the_reference_does_not_have_is_refused_once(policy: str, name: str) -> None:
    """By its name, and with nothing said of it a second time."""
    assert [problem.name for problem in of_inbound(policy)] == [name]


@pytest.mark.parametrize("policy", ALLOWED)
def test_what_a_page_allows_loads(policy: str) -> None:
    """Expressions where the pages allow them, and attributes and children that they call not required."""
    assert [str(problem) for problem in of_inbound(policy)] == []


@pytest.mark.parametrize("document", [
    "<policies x='1'/>", "<policies>x</policies>", "<policies><inbound enabled='false'><base/></inbound></policies>",
])  # fmt: skip
def test_a_document_has_sections_and_nothing_else(document: str) -> None:
    """Neither attributes nor text ("Set or edit policies")."""
    assert len(problems(document)) == 1


@pytest.mark.parametrize("fragment", ["<fragment x='1'/>", "<fragment>x</fragment>", "<fragment><base/></fragment>"])
def test_a_fragment_has_statements_and_nothing_else(fragment: str) -> None:
    """ "Reuse policy configurations": neither sections nor `<base />`."""
    assert len(problems(policies(), fragments={"f": fragment})) == 1


# One instance of each policy that loads, from which the cases below are made.

NEEDED = {
    "azure-openai-emit-token-metric": "<dimension name='API ID'/>",
    "llm-emit-token-metric": "<dimension name='API ID'/>",
    "send-one-way-request": "<set-url>http://x</set-url><set-method>GET</set-method>",
    "choose": "<when condition='true'/>",
    "cors": ORIGINS,
    "emit-metric": "<dimension name='API ID'/>",
    "ip-filter": "<address>10.0.0.1</address>",
    "send-request": "<set-url>http://x</set-url>",
    "set-header": "<value>1</value>",
    "set-query-parameter": "<value>1</value>",
    "trace": "<message>x</message>",
    "validate-jwt": "<openid-config url='http://x'/>",
}
GIVEN = {
    "azure-openai-token-limit": {"tokens-per-minute": "1"},
    "llm-token-limit": {"tokens-per-minute": "1"},
    "authentication-managed-identity": {"client-id": CLIENT_ID},
    "include-fragment": {"fragment-id": "f"},
    "quota": {"calls": "1"},
    "quota-by-key": {"calls": "1"},
    "rewrite-uri": {"template": "/x"},
    "set-backend-service": {"backend-id": "b"},
    "validate-jwt": {"header-name": "x"},
}
#: Attributes that exclude the one in GIVEN, and one that a builder narrows: unsigned tokens never pass.
EXCLUSIVE = {
    *(
        (tag, name)
        for tag in ("azure-openai-token-limit", "llm-token-limit")
        for name in ("token-quota", "token-quota-period")
    ),  # which stand together
    ("validate-jwt", "require-signed-tokens"),
    ("set-backend-service", "base-url"),
    ("validate-jwt", "query-parameter-name"),
    ("validate-jwt", "token-value"),
}


def sample(attribute: Attribute) -> str:
    if attribute.choices:
        return attribute.choices[0]
    return {"flag": "true", "number": f"{max(attribute.low, 1):g}", "url": "http://x"}.get(attribute.kind, "x")


def instance(policy: Policy, *, without: str = "", **changes: str) -> str:
    given = {one.name: sample(one) for one in policy.attributes if one.required}
    given = {**given, **GIVEN.get(policy.tag, {}), **{name.replace("_", "-"): text for name, text in changes.items()}}
    given.pop(without, None)
    written = "".join(f" {name}='{text}'" for name, text in given.items())
    return f"<{policy.tag}{written}>{NEEDED.get(policy.tag, '')}</{policy.tag}>"


def document(policy: Policy, text: str, section: str = "") -> list[LocatedError]:
    """The problems of the policy in that section, or in the first of its own, at the narrowest of its scopes."""
    source = policies(**{(section or policy.sections[0]).replace("-", "_"): text})
    state: dict[str, object] = {"backends": {"b": "http://b.test"}, "fragments": {"f": "<fragment/>"}}
    if policy.scopes == ("product",):
        return problems(policies(), extra=product(xml=source), **state)
    return problems(source, **state)


def attributes() -> Iterator[tuple[Policy, Attribute]]:
    return ((policy, attribute) for policy in POLICIES for attribute in policy.attributes)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.tag)
def test_each_policy_loads_with_what_it_needs(policy: Policy) -> None:
    """Otherwise the refusals below would prove nothing; and the row has its builder, title and date."""
    assert [str(problem) for problem in document(policy, instance(policy))] == []
    assert policy.tag in ELEMENTS
    assert (policy.title != "", len(policy.date)) == (True, len("2024-01-01"))


@pytest.mark.parametrize(("policy", "attribute"), attributes(), ids=lambda row: getattr(row, "tag", None) or row.name)
def test_each_attribute_is_as_its_row_says(policy: Policy, attribute: Attribute) -> None:
    """Required, refused, with or without expressions, one of its choices, in its range."""
    name = attribute.name
    if (policy.tag, name) in EXCLUSIVE:
        return
    change = lambda text: [p.name for p in document(policy, instance(policy, **{name: text}))]  # noqa: E731
    if attribute.refused:  # whatever the value: `check` lets pass what only depends on a named value
        found = document(policy, instance(policy, **{name: "x"}))
        assert [(type(problem), problem.name) for problem in found] == [(UnsupportedAttribute, name)]
        return
    if attribute.required:
        assert name in [problem.name for problem in document(policy, instance(policy, without=name))]
    expression = {"flag": "@(true)", "number": "@(1)"}.get(attribute.kind, '@("x")')
    assert (name in change(expression)) is not attribute.expression
    if attribute.choices or attribute.kind in ("flag", "number", "url"):
        assert change("nonsense") == [name]
    if attribute.kind == "number" and attribute.low > 0:
        assert change(f"{attribute.low - 1:g}") in ([name], [] if attribute.besides == attribute.low - 1 else [name])
    if attribute.kind == "number" and attribute.high < 1e12:
        assert change(f"{attribute.high + 1:g}") == [name]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.tag)
def test_each_policy_stands_in_its_sections_and_scopes_only(policy: Policy) -> None:
    """ "Policy sections" and "Policy scopes" of its page, and the sections that Microsoft's toolkit compiles beside."""
    for section in SECTIONS:
        found = [problem.name for problem in document(policy, instance(policy), section)]
        assert (policy.tag in found) is (section not in policy.allowed_in), section
    if "api" not in policy.scopes:
        assert policy.tag in [problem.name for problem in of_inbound(instance(policy))]
    if "global" not in policy.scopes:
        source = policies(inbound=instance(policy)).replace("<base/>", "")
        assert policy.tag in [problem.name for problem in problems(policies(), global_policy=source)]


@pytest.mark.parametrize("policy", [p for p in POLICIES if not p.statements], ids=lambda policy: policy.tag)
def test_each_policy_refuses_strange_attributes_children_and_text(policy: Policy) -> None:
    """Whatever its row does not hold."""
    text = instance(policy)
    start = text.index(">") - (1 if text[text.index(">") - 1] == "/" else 0)
    assert [p.name for p in document(policy, f"{text[:start]} strange='1'{text[start:]}")] == ["strange"]
    end = text.rindex("</")
    if policy.tag != "set-body":  # whose text may be XML ("Set body", Convert JSON to SOAP)
        assert "strange" in [p.name for p in document(policy, f"{text[:end]}<strange/>{text[end:]}")]
    if policy.text == "none":
        assert [p.name for p in document(policy, f"{text[:end]}stray{text[end:]}")] == [policy.tag]


def test_rows_are_whole() -> None:
    """Known sections and scopes, children that are policies exist, and no shape reuses a name for two attributes."""
    queue: list[Shape] = list(POLICIES)
    while queue:
        shape = queue.pop()
        names = [attribute.name for attribute in shape.attributes]
        assert len(names) == len(set(names)), shape.tag
        for child in shape.children:
            assert not isinstance(child.shape, str) or child.shape in BY_TAG
            if isinstance(child.shape, Shape):
                queue.append(shape_of(child))
    for policy in POLICIES:
        assert (set(policy.allowed_in) <= set(SECTIONS), set(policy.scopes) <= set(SCOPES)) == (True, True)
