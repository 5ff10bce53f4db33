"""What API Management makes of the policies that it is given: what it refuses, how it stores them, what they hold."""

from __future__ import annotations

import pytest

from emulators.azurerm import policy_text
from emulators.azurerm.cloud import Cloud
from emulators.azurerm.errors import ProviderError
from emulators.azurerm.lifecycle import destroy
from emulators.azurerm.planning import plan
from emulators.azurerm.tests.conftest import Applied

IN = {"resource_group_name": "rg", "location": "westeurope"}
IN_APIM = {"resource_group_name": "rg", "api_management_name": "apim"}
SERVICE = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.ApiManagement/service/apim"


@pytest.fixture(autouse=True)
def service(applied: Applied) -> None:
    """A service with one API and one fragment."""
    applied("azurerm_resource_group", name="rg", location="westeurope")
    applied("azurerm_api_management", name="apim", **IN, sku_name="Developer_1")
    applied("azurerm_api_management_api", name="mcp", **IN_APIM, revision="1", display_name="MCP", protocols=["https"])
    fragment(applied, "leaf", "<fragment><set-method>GET</set-method></fragment>")


def fragment(applied: Applied, name: str, value: str) -> dict[str, object]:
    return applied("azurerm_api_management_policy_fragment", api_management_id=SERVICE, name=name, value=value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            '<fragment>\n<include-fragment fragment-id="leaf" /></fragment>',
            "'include-fragment' on line 2: .*not allowed",
        ),
        (
            '<fragment><choose><otherwise><include-fragment fragment-id="leaf" /></otherwise></choose></fragment>',
            "'include-fragment' on line 1: .*not allowed",
        ),
        ("<fragment><base /></fragment>", "'base' on line 1"),
        ("<fragment><inbound /></fragment>", "'inbound' on line 1"),
        ("<policies><inbound /></policies>", "begins with <fragment>, not <policies>"),
    ],
)
def test_fragments_do_not_nest(applied: Applied, value: str, said: str) -> None:
    """Neither another fragment nor a section or <base /> stands in one, at any depth."""
    with pytest.raises(ProviderError, match=said):
        fragment(applied, "outer", value)


@pytest.mark.parametrize(
    ("sku", "policy", "refused"),
    [
        ("StandardV2_1", "quota-by-key", True),
        ("PremiumV2_1", "quota-by-key", True),
        ("Consumption_0", "rate-limit-by-key", True),
        ("StandardV2_1", "rate-limit-by-key", False),
        ("Developer_1", "quota-by-key", False),
    ],
)
def test_a_tier_lacks_policies(applied: Applied, sku: str, policy: str, refused: bool) -> None:
    """Quotas by key are in no v2 tier, limits by key are."""
    other = applied("azurerm_api_management", name="other", **IN, sku_name=sku)["id"]
    text = f'<fragment><{policy} calls="1" renewal-period="300" counter-key="a" /></fragment>'
    put = {"api_management_id": other, "name": "limits", "format": "xml", "value": text}
    if not refused:
        applied("azurerm_api_management_policy_fragment", **put)
        return
    with pytest.raises(ProviderError, match=f"'{policy}' on line 1: the policy is not available in tier"):
        applied("azurerm_api_management_policy_fragment", **put)


def test_the_backend_section_allows_one_policy(applied: Applied) -> None:
    """Two have to stand in one that holds both, such as <retry>."""
    text = "<policies><inbound />\n<backend>{}</backend></policies>"
    put = {**IN_APIM, "api_name": "mcp"}
    with pytest.raises(ProviderError, match="'backend' on line 2: backend section allows only one policy"):
        applied("azurerm_api_management_api_policy", **put, xml_content=text.format("<base /><forward-request />"))
    inside = (
        '<retry condition="@(false)" count="1" interval="1"><set-method>GET</set-method><forward-request /></retry>'
    )
    applied("azurerm_api_management_api_policy", **put, xml_content=text.format(f"<!-- once -->{inside}"))


WRITTEN = """<fragment>
  <set-variable name="x" value="@{
    var a = &quot;b&quot;;
    return a == &quot;c&quot; &amp;&amp; 1 &lt; 2;
  }" />
  <set-body>@("'" + context.Request.Method.Where(c =&gt; c == 'a'))</set-body>
</fragment>"""
QUOTED = WRITTEN.replace('value="@{', "value='@{").replace('}" />', "}' />").replace("&quot;", '"')


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("<a b='x'/>", '<a b="x" />'),
        ("<a b='@(\"x\" &lt; 1 &amp;&amp; 2 > 1)'></a>", '<a b="@(&quot;x&quot; &lt; 1 &amp;&amp; 2 &gt; 1)"></a>'),
        ('<a b="@(c["x"] && 1 < 2)" />', '<a b="@(c[&quot;x&quot;] &amp;&amp; 1 &lt; 2)" />'),
        ("<a>x > y &quot; &apos;</a>", "<a>x &gt; y \" '</a>"),
        ("<!-- a > b --><a><![CDATA[1 > 2]]></a>", "<!-- a > b --><a><![CDATA[1 > 2]]></a>"),
        ("no policy", "no policy"),
    ],
)
def test_policies_are_stored_in_one_spelling(written: str, stored: str) -> None:
    """Attributes in double quotes, and what XML would not need escaped, escaped: as .NET writes it."""
    assert policy_text.store(written) == stored
    assert policy_text.store(stored) == stored


def test_a_line_break_in_an_attribute_is_kept_or_becomes_a_space() -> None:
    """Nobody documents which: both can be had."""
    assert policy_text.store('<a b="1\n2"/>') == '<a b="1&#xA;2" />'
    assert policy_text.store('<a b="1\n2"/>', "spaces") == '<a b="1 2" />'


@pytest.mark.parametrize("line_breaks", ["kept", "spaces"])
@pytest.mark.parametrize("type_", policy_text.ATTRIBUTE)
@pytest.mark.parametrize(("written", "clean"), [(WRITTEN, True), (QUOTED, False)])
def test_the_provider_sees_quotes_and_not_blanks(
    type_: str, line_breaks: policy_text.LineBreaks, written: str, clean: bool
) -> None:
    """A document in API Management's own spelling is the same in every plan; one in single quotes never is."""
    name = policy_text.ATTRIBUTE[type_]
    back = policy_text.given_back(type_, {name: written}, line_breaks)
    assert back[name] != written
    by_tokens = type_ == policy_text.FRAGMENT and line_breaks == "kept"  # an XML document that differs in quotes only
    assert policy_text.same(type_, back[name], written) is (clean or by_tokens)


def test_a_policy_s_second_plan_shows_what_the_real_one_would(cloud: Cloud, applied: Applied) -> None:
    """What only the spelling tells apart is planned as it was read; single quotes are an update for ever."""
    type_ = "azurerm_api_management_api_policy"
    for quote, clean in ("&quot;", True), ("'", False):
        text = "<policies><inbound><set-variable name='x' value='@(\"y\")' /></inbound></policies>"
        if quote != "'":
            text = text.replace('"', quote).replace("'", '"')
        made = applied(type_, **IN_APIM, api_name="mcp", xml_content=text)
        assert made["xml_content"] == '<policies><inbound><set-variable name="x" value="@("y")" /></inbound></policies>'
        again = plan(type_, made, {**made, "xml_content": text})
        assert (again.planned == made, again.legacy) == (clean, clean)
        destroy(cloud, type_, made)


def test_what_a_policy_names_stays(cloud: Cloud, applied: Applied) -> None:
    """A named value, a fragment and a backend, until no policy, fragment or address names them any more."""
    value = applied("azurerm_api_management_named_value", **IN_APIM, name="nv", display_name="host", value="a")
    backend = applied("azurerm_api_management_backend", **IN_APIM, name="b", protocol="http", url="http://{{host}}")
    leaf = cloud.find("azurerm_api_management_policy_fragment", name="leaf") or {}
    text = (
        '<policies><inbound><include-fragment fragment-id="leaf" /><set-backend-service backend-id="b" />'
        '<set-header name="{{host}}" exists-action="delete" /></inbound></policies>'
    )
    policy = applied("azurerm_api_management_api_policy", **IN_APIM, api_name="mcp", xml_content=text)
    for type_, held, noun in (
        ("azurerm_api_management_named_value", value, "named value nv"),
        ("azurerm_api_management_policy_fragment", leaf, "policy fragment leaf"),
        ("azurerm_api_management_backend", backend, "backend b"),
    ):
        with pytest.raises(ProviderError, match=rf"ValidationError: {noun} is in use by .*service/apim/apis/mcp.* and"):
            destroy(cloud, type_, held)
    destroy(cloud, "azurerm_api_management_api_policy", policy)
    with pytest.raises(ProviderError, match=r"named value nv is in use by .*/backends/b and"):
        destroy(cloud, "azurerm_api_management_named_value", value)
    destroy(cloud, "azurerm_api_management_backend", backend)
    destroy(cloud, "azurerm_api_management_named_value", value)
    destroy(cloud, "azurerm_api_management_policy_fragment", leaf)


def test_a_logger_stays_while_a_diagnostic_writes_to_it(cloud: Cloud, applied: Applied) -> None:
    logger = applied(
        "azurerm_api_management_logger", **IN_APIM, name="l", application_insights=[{"instrumentation_key": "k"}]
    )
    where = {**IN_APIM, "identifier": "applicationinsights", "api_management_logger_id": logger["id"]}
    diagnostic = applied("azurerm_api_management_diagnostic", **where)
    with pytest.raises(ProviderError, match=r"logger l is in use by .*/diagnostics/applicationinsights and"):
        destroy(cloud, "azurerm_api_management_logger", logger)
    destroy(cloud, "azurerm_api_management_diagnostic", diagnostic)
    destroy(cloud, "azurerm_api_management_logger", logger)
