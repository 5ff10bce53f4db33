"""Every element of Microsoft's policy reference: title of its page, the page's date, and its shape where it runs here.

Facts are those of the pages ("API Management policy reference", learn.microsoft.com/azure/api-management); where a page
is silent, or where practice differs from it, the remark says who says otherwise. What has no row in POLICIES does not
load, and is refused by name.
"""

from __future__ import annotations

from emulators.apim.schema import (
    Child,
    Policy,
    Shape,
    fixed,
    flag,
    many,
    maybe,
    name,
    number,
    one,
    text,
    texts,
    url,
)

_IN, _OUT, _BACK, _ERROR = ("inbound",), ("outbound",), ("backend",), ("on-error",)
_NO_WORKSPACE = ("global", "product", "api", "operation")
_EXISTS = ("override", "skip", "append", "delete")
_CACHES = ("prefer-external", "internal", "external")
_DATE = "2024-07-23"

_CLAIM = Shape(
    "claim",
    (name("name"), text("match", "all", choices=("all", "any")), text("separator")),
    (many(Shape("value", text="expression")),),
)
#: "Validate JWT", key attributes; the text is a secret, which examples write as a named value.
_KEY = Shape("key", (fixed("id"), fixed("certificate-id"), fixed("n"), fixed("e")), text="expression")
_CLAIMS = Shape("required-claims", children=(many(_CLAIM, 1),))
_SOURCES = (text("header-name"), text("query-parameter-name"), text("token-value"))
_REJECTION = (
    number("failed-validation-httpcode", "401", low=400, high=599),
    text("failed-validation-error-message"),
)
_RATE_NAMES = (
    fixed("retry-after-header-name", "Retry-After"),
    fixed("retry-after-variable-name"),
    fixed("remaining-calls-header-name"),
    fixed("remaining-calls-variable-name"),
    fixed("total-calls-header-name"),
)
_RATE = (
    number("calls", required=True, expression=False, low=1),
    number("renewal-period", required=True, expression=False, low=1, high=300),
)
_QUOTA = (
    number("calls", expression=False, low=1),
    number("bandwidth", expression=False, low=1),
    number("renewal-period", required=True, expression=False),
)
_NAMED = (fixed("name"), fixed("id"))

_REQUEST = (
    maybe(Shape("set-url", text="expression")),
    maybe("set-method"),
    many("set-header"),
    maybe("set-body"),
    maybe("authentication-managed-identity"),
    maybe(Shape("authentication-certificate", refused="there are no client certificates")),
    maybe(Shape("proxy", refused="there are no proxies")),
)
_DIMENSION = Shape("dimension", (name("name"), text("value")))
#: Both elements have these. Of tokens-per-minute the pages do not say whether it takes expressions;
#: estimate-prompt-tokens is required by their tables, and missing in their own example of a quota.
_TOKEN_LIMIT = (
    text("counter-key", required=True),
    number("tokens-per-minute", low=1),
    number("token-quota", expression=False, low=1),
    fixed("token-quota-period", choices=("Hourly", "Daily", "Weekly", "Monthly", "Yearly")),
    flag("estimate-prompt-tokens", "false"),
    fixed("retry-after-header-name", "Retry-After"),
    fixed("retry-after-variable-name"),
    fixed("remaining-quota-tokens-header-name"),
    fixed("remaining-quota-tokens-variable-name"),
    fixed("remaining-tokens-header-name"),
    fixed("remaining-tokens-variable-name"),
    fixed("tokens-consumed-header-name"),
    fixed("tokens-consumed-variable-name"),
)

#: What may be refused, though documented: kept with the row, so that it is listed and refused by its own name.
POLICIES: tuple[Policy, ...] = (
    # Authentication and authorization
    Policy(
        "authentication-managed-identity",
        (
            text("resource", required=True),
            fixed("client-id"),
            fixed("output-token-variable-name"),
            flag("ignore-error", "false"),
        ),
        title="Authenticate with managed identity",
        date=_DATE,
        sections=_IN,
        also_in=_OUT,
        scopes=_NO_WORKSPACE,
    ),
    Policy(
        "get-authorization-context",
        (
            text("provider-id", required=True),
            text("authorization-id", required=True),
            name("context-variable-name"),
            text("identity-type", "managed", choices=("managed", "jwt")),
            text("identity"),
            flag("ignore-error", "false"),
        ),
        title="Get authorization context",
        date=_DATE,
        sections=_IN,
        scopes=_NO_WORKSPACE,
    ),
    Policy(
        "check-header",
        (
            name("name"),
            number("failed-check-httpcode", required=True, low=400, high=599),
            text("failed-check-error-message", required=True),
            flag("ignore-case", required=True),
        ),
        (many(Shape("value", text="expression")),),
        title="Check HTTP header",
        date="2022-12-08",
        sections=_IN,
    ),
    Policy(
        "ip-filter",
        (text("action", required=True, choices=("allow", "forbid")),),
        (
            many(Shape("address", text="expression")),
            many(Shape("address-range", (fixed("from", required=True), fixed("to", required=True)))),
        ),
        title="Restrict caller IPs",
        date="2022-12-08",
        sections=_IN,
    ),
    Policy(
        "validate-azure-ad-token",
        (
            text("tenant-id", required=True),
            *_SOURCES,
            text("authentication-endpoint"),
            *_REJECTION,
            fixed("output-token-variable-name"),
        ),
        (
            maybe(texts("client-application-ids", "application-id")),
            maybe(texts("backend-application-ids", "application-id")),
            maybe(texts("audiences", "audience", least=0)),
            maybe(_CLAIMS),
            maybe(Shape("decryption-keys", children=(many(Shape("key", (fixed("certificate-id", required=True),))),))),
        ),
        ordered=True,
        title="Validate Microsoft Entra token",
        date="2022-12-08",
        sections=_IN,
    ),
    Policy(
        "validate-jwt",
        (
            *_SOURCES,
            *_REJECTION,
            flag("require-expiration-time", "true"),
            text("require-scheme"),
            flag("require-signed-tokens", "true"),
            number("clock-skew", "0"),
            fixed("output-token-variable-name"),
        ),
        (
            many(Shape("openid-config", (url("url"), flag("validate-connectivity", "true")))),
            maybe(Shape("issuer-signing-keys", children=(many(_KEY),))),
            maybe(Shape("decryption-keys", children=(many(_KEY),))),
            maybe(texts("audiences", "audience", least=0)),
            maybe(texts("issuers", "issuer", least=0)),
            maybe(_CLAIMS),
        ),
        ordered=True,
        title="Validate JWT",
        date="2024-03-18",
        sections=_IN,
    ),
    # Caching
    Policy(
        "cache-lookup-value",
        (
            text("key", required=True),
            text("default-value"),
            fixed("variable-name", required=True),
            fixed("caching-type", "prefer-external", choices=_CACHES),
        ),
        title="Get value from cache",
        date=_DATE,
    ),
    Policy(
        "cache-store-value",
        (
            text("key", required=True),
            text("value", required=True),
            number("duration", required=True),
            fixed("caching-type", "prefer-external", choices=_CACHES),
        ),
        title="Store value in cache",
        date=_DATE,
    ),
    Policy(
        "cache-remove-value",
        (
            text("key", required=True),
            fixed("caching-type", "prefer-external", choices=_CACHES),
            flag("fail-on-cache-removal-error", "false"),
        ),
        title="Remove value from cache",
        date=_DATE,
    ),
    # Control flow
    Policy(
        "choose",
        children=(
            many(Shape("when", (flag("condition", required=True),), statements=True), 1),
            maybe(Shape("otherwise", statements=True)),
        ),
        ordered=True,
        title="Control flow",
        date="2022-12-08",
    ),
    Policy(
        "include-fragment",
        (fixed("fragment-id", required=True),),
        title="Include fragment",
        date="2024-07-23",
    ),
    Policy(
        "mock-response",
        (
            number("status-code", "200", expression=False, low=200, high=599),
            fixed("content-type"),
            text("index", refused="examples of operations are not read"),
        ),
        title="Mock response",
        date="2022-11-18",
        sections=(*_IN, *_OUT, *_ERROR),
    ),
    Policy(
        "retry",
        (
            flag("condition", required=True),
            number("count", required=True, low=1, high=50),
            number("interval", required=True),
            number("max-interval", "0"),
            number("delta", "0"),
            flag("first-fast-retry", "false"),
        ),
        statements=True,
        title="Retry",
        date="2022-12-08",
    ),
    Policy(
        "return-response",
        (fixed("response-variable-name"),),
        (maybe("set-status"), many("set-header"), maybe("set-body")),
        title="Return response",
        date="2022-12-08",
    ),
    Policy(
        "set-variable", (name("name", expression=False), text("value", required=True)), title="Set variable", date=_DATE
    ),
    # Cross-domain
    Policy(
        "cors",
        (flag("allow-credentials", "false"), flag("terminate-unmatched-request", "true")),
        (
            one(texts("allowed-origins", "origin", literal=True)),
            maybe(
                Shape(
                    "allowed-methods",
                    (number("preflight-result-max-age", "0"),),
                    (many(Shape("method", text="expression"), 1),),
                )
            ),
            # The page calls it required; documents without it are saved (four repositories that run on Azure).
            maybe(texts("allowed-headers", "header", literal=True)),
            maybe(texts("expose-headers", "header", literal=True)),
        ),
        ordered=True,
        title="CORS",
        date=_DATE,
        sections=_IN,
        once="section",
    ),
    # Integration
    Policy(
        "send-request",
        (
            text("mode", "new", choices=("new", "copy")),
            name("response-variable-name"),
            number("timeout", "60"),
            flag("ignore-error", "false", expression=False),
        ),
        _REQUEST,
        title="Send request",
        date="2022-11-18",
    ),
    Policy(
        "send-one-way-request",
        (text("mode", "new", choices=("new", "copy")), number("timeout", "60")),
        _REQUEST,
        title="Send one way request",
        date="2023-08-02",
    ),
    # Language models
    *(
        Policy(
            tag,
            _TOKEN_LIMIT,
            title=title,
            date=date,
            sections=_IN,
        )
        for tag, title, date in (
            ("azure-openai-token-limit", "Limit Azure OpenAI API token usage", "2025-02-18"),
            ("llm-token-limit", "Limit large language model API token usage", "2024-10-09"),
        )
    ),
    Policy(
        "azure-openai-emit-token-metric",
        # The page lists `value`, which its statement does not have.
        (fixed("namespace", "API Management"), text("value", refused="a call's tokens are the value")),
        (Child(_DIMENSION, 1, 10),),
        title="Emit metrics for consumption of Azure OpenAI tokens",
        date="2024-07-09",
        sections=_IN,
    ),
    Policy(
        "llm-emit-token-metric",
        (fixed("namespace", "API Management"),),
        (many(_DIMENSION, 1),),
        title="Emit metrics for consumption of large language model tokens",
        date="2026-05-27",
        sections=_IN,
    ),
    # Monitoring
    Policy(
        "log-to-eventhub",
        (fixed("logger-id", required=True), fixed("partition-id"), text("partition-key")),
        text="expression",
        title="Log to event hub",
        date=_DATE,
        scopes=_NO_WORKSPACE,
    ),
    Policy(
        "emit-metric",
        (name("name", expression=False), fixed("namespace", "API Management"), text("value", "1")),
        (Child(_DIMENSION, 1, 10),),
        title="Emit custom metrics",
        date="2024-03-18",
    ),
    Policy(
        "trace",
        (
            name("source", expression=False),
            fixed("severity", "verbose", choices=("verbose", "information", "error")),
        ),
        (
            maybe(Shape("message", text="expression")),
            many(Shape("metadata", (name("name"), text("value", required=True)))),
        ),
        # The page has <message> only; the policy snippets of Microsoft write the text into <trace> itself.
        text="expression",
        ordered=True,
        title="Trace",
        date="2022-11-21",
    ),
    # Rate limiting and quotas
    Policy(
        "limit-concurrency",
        (text("key", required=True), number("max-count", required=True, expression=False, low=1)),
        statements=True,
        title="Limit concurrency",
        date=_DATE,
    ),
    Policy(
        "quota",
        _QUOTA,
        (many(Shape("api", (*_NAMED, *_QUOTA), (many(Shape("operation", (*_NAMED, *_QUOTA))),))),),
        title="Set usage quota by subscription",
        date=_DATE,
        sections=_IN,
        scopes=("product",),
        once="document",
    ),
    Policy(
        "quota-by-key",
        (
            number("calls", expression=False),
            number("bandwidth", expression=False),
            number("renewal-period", required=True, expression=False, low=300, besides=0),
            text("counter-key", required=True),
            flag("increment-condition"),
            number("increment-count", "1"),
            fixed("first-period-start"),
        ),
        title="Set usage quota by key",
        date="2024-03-18",
        sections=_IN,
    ),
    Policy(
        "rate-limit",
        (*_RATE, *_RATE_NAMES),
        (many(Shape("api", (*_NAMED, *_RATE), (many(Shape("operation", (*_NAMED, *_RATE))),))),),
        title="Limit call rate by subscription",
        date=_DATE,
        sections=_IN,
        scopes=("product", "api", "operation"),
        once="document",
    ),
    Policy(
        "rate-limit-by-key",
        (
            number("calls", required=True, low=1),
            number("renewal-period", required=True, low=1, high=300),
            text("counter-key", required=True),
            flag("increment-condition"),
            number("increment-count", "1"),
            *_RATE_NAMES,
        ),
        title="Limit call rate by key",
        date="2024-05-23",
        sections=_IN,
    ),
    # Routing
    Policy(
        "forward-request",
        (
            number("timeout", "300"),
            number("timeout-ms", "0"),
            number("continue-timeout", "0"),
            fixed("http-version", "1", choices=("1", "2or1", "2")),
            flag("follow-redirects", "false"),
            flag("buffer-request-body", "false"),
            flag("buffer-response", "true", expression=False),
            flag("fail-on-error-status-code", "false", expression=False),
        ),
        title="Forward request",
        date="2022-11-15",
        sections=_BACK,
    ),
    Policy(
        "set-backend-service",
        (
            text("base-url"),
            text("backend-id"),
            *(
                text(one_, refused="there is no Service Fabric")
                for one_ in (
                    "sf-resolve-condition",
                    "sf-service-instance-name",
                    "sf-partition-key",
                    "sf-listener-name",
                    "sf-replica-type",
                )
            ),
            *(text(one_, refused="there is no Dapr") for one_ in ("dapr-app-id", "dapr-method", "dapr-namespace")),
        ),
        title="Set backend service",
        date="2022-12-02",
        sections=(*_IN, *_BACK),
    ),
    # Transformation
    Policy(
        "find-and-replace",
        (text("from", required=True), text("to", required=True)),
        title="Find and replace string in body",
        date="2024-03-18",
    ),
    Policy(
        "rewrite-uri",
        (text("template", required=True), flag("copy-unmatched-params", "true")),
        title="Rewrite URL",
        date="2022-12-08",
        sections=_IN,
    ),
    Policy(
        "set-body",
        (
            # "none" stands in examples of "Get authorization context" (2024-07-23), and is what an expression has.
            fixed("template", "none", choices=("liquid", "none")),
            text("xsi-nil", refused="it belongs to XML bodies, which Liquid templates do not read here"),
            flag("parse-date", "true", expression=False),
        ),
        text="expression",
        title="Set body",
        date="2023-01-13",
        sections=(*_IN, *_BACK, *_OUT),
        also_in=_ERROR,
    ),
    Policy(
        "set-header",
        (name("name"), text("exists-action", "override", choices=_EXISTS)),
        (many(Shape("value", text="expression")),),
        title="Set header",
        date="2024-03-18",
    ),
    Policy(
        "set-method",
        text="expression",
        title="Set request method",
        date="2022-11-21",
        sections=(*_IN, *_ERROR),
        also_in=_OUT,
    ),
    Policy(
        "set-query-parameter",
        (name("name"), text("exists-action", "override", choices=_EXISTS)),
        (many(Shape("value", text="expression")),),
        title="Set query string parameter",
        date=_DATE,
        sections=(*_IN, *_BACK),
        also_in=_OUT,
    ),
    Policy(
        "set-status",
        (number("code", required=True, low=200, high=599), text("reason")),
        title="Set status code",
        date="2022-12-08",
    ),
)

BY_TAG: dict[str, Policy] = {policy.tag: policy for policy in POLICIES}

#: The elements of the reference that have no row above, with the titles of their pages.
NOT_RUN: dict[str, str] = {
    "authentication-basic": "Authenticate with Basic",
    "authentication-certificate": "Authenticate with client certificate",
    "azure-openai-semantic-cache-lookup": "Get cached responses of Azure OpenAI API requests",
    "azure-openai-semantic-cache-store": "Cache responses to Azure OpenAI API requests",
    "cache-lookup": "Get from cache",
    "cache-store": "Store to cache",
    "cosmosdb-data-source": "Cosmos DB data source for a resolver",
    "cross-domain": "Allow cross-domain calls",
    "http-data-source": "HTTP data source for a resolver",
    "invoke-dapr-binding": "Trigger output binding",
    "json-to-xml": "Convert JSON to XML",
    "jsonp": "JSONP",
    "llm-content-safety": "Enforce content safety checks on LLM requests",
    "llm-semantic-cache-lookup": "Get cached responses of large language model API requests",
    "llm-semantic-cache-store": "Cache responses to large language model API requests",
    "proxy": "Set HTTP proxy",
    "publish-event": "Publish event to GraphQL subscription",
    "publish-to-dapr": "Send message to Pub/Sub topic",
    "redirect-content-urls": "Mask URLs in content",
    "send-service-bus-message": "Send service bus message",
    "sql-data-source": "Azure SQL data source for a resolver",
    "validate-client-certificate": "Validate client certificate",
    "validate-content": "Validate content",
    "validate-graphql-request": "Validate GraphQL request",
    "validate-headers": "Validate headers",
    "validate-odata-request": "Validate OData request",
    "validate-parameters": "Validate parameters",
    "validate-status-code": "Validate status code",
    "wait": "Wait",
    "xml-to-json": "Convert XML to JSON",
    "xsl-transform": "Transform XML using an XSLT",
}
