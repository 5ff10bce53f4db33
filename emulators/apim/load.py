"""From the applied state to a gateway's APIs. Every problem is collected; nothing half-loaded is ever served."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from emulators.apim import policies
from emulators.apim.breakers import Rule
from emulators.apim.elements import Place, References, build_fragment, build_pipeline
from emulators.apim.errors import (
    GivenBy,
    InvalidAttribute,
    LocatedError,
    MalformedPolicy,
    MissingReference,
    PolicyProblems,
    UnsupportedResource,
    Where,
)
from emulators.apim.messages import ApiInfo, DeploymentInfo, OperationInfo, ProductInfo, parse_base
from emulators.apim.named_values import attached_identities, load_named_values
from emulators.apim.pipeline import Pipeline
from emulators.apim.products import Product, load_products, open_product
from emulators.apim.router import Api, Route, template_segments
from emulators.apim.services import Backend
from emulators.apim.token_keys import Certificate, KeyUnusable, certificate
from emulators.apim.tracing import Tracer
from emulators.apim.values import NamedValues
from emulators.base.policy_xml import LineBreaks, Node, parse
from emulators.base.state import Resource, State

_REGISTERED = policies  # importing the package registers every element
_PREFIX = "azurerm_api_management_"
#: Resources the gateway reads, and those that change no request.
_READ = (
    "api",
    "api_operation",
    "backend",
    "certificate",
    "named_value",
    "policy_fragment",
    "policy",
    "product",
    "product_api",
    "product_policy",
    "api_policy",
    "api_operation_policy",
)
_HARMLESS = (
    "logger",
    "diagnostic",
    "api_diagnostic",
    "custom_domain",
    "tag",
    "api_tag",
    "api_operation_tag",
    "api_schema",
)
#: API Management's default policy at global scope ("Set or edit policies").
_DEFAULT_GLOBAL = "<policies><inbound/><backend><forward-request/></backend><outbound/><on-error/></policies>"


@dataclass(frozen=True)
class Loaded:
    apis: tuple[Api, ...]
    backends: dict[str, Backend]
    deployment: DeploymentInfo


def load(state: State, tracer: Tracer | None = None, given_by: GivenBy = "state") -> Loaded:
    """Raises PolicyProblems with everything that is wrong, StateError where no API Management service is applied.

    `given_by`: where what is missing can be added, for the remedies.

    With a tracer, requests that it traces tell what each element does.
    """
    return _Loader(state, tracer, given_by).load()


class _Loader:
    def __init__(self, state: State, tracer: Tracer | None, given_by: GivenBy) -> None:
        self.state = state
        self.given_by = given_by
        self.tracer = tracer
        self.service = state.one("azurerm_api_management")
        self.problems: list[LocatedError] = []

    def load(self) -> Loaded:
        self._refuse_unread()
        backends = self._backends()
        references = References(
            named_values=NamedValues(load_named_values(self.state, self.service, self.problems.append), self.given_by),
            fragments=self._fragments(),
            backends=frozenset(backends),
            identity_clients=frozenset(attached_identities(self.state, self.service)),
            certificates=self._certificates(),
            problems=self.problems,
            tracer=self.tracer,
            given_by=self.given_by,
        )
        _check_fragments(references)
        root = self._global(references)
        self.products = load_products(self.state, self.problems.append)
        pipelines = {product.info.id: self._product(product, references, root) for product in self.products}
        apis = tuple(self._api(resource, root, pipelines, references) for resource in self._of("api"))
        self._check_paths(apis)
        if self.problems:
            raise PolicyProblems(self.problems)
        service_name, region = str(self.service["name"]), str(self.service.get("location", ""))
        return Loaded(apis, backends, DeploymentInfo(service_name, region))

    def _of(self, name: str) -> tuple[Resource, ...]:
        return self.state.of_type(_PREFIX + name)

    def _refuse_unread(self) -> None:
        known = {_PREFIX + name for name in (*_READ, *_HARMLESS)}
        for resource in self.state.resources:
            if resource.type.startswith(_PREFIX) and resource.type not in known:
                where = Where(resource.address)
                message = f"{resource.type} is not supported by the local gateway"
                self.problems.append(UnsupportedResource(message, where=where, name=resource.type))

    def _backends(self) -> dict[str, Backend]:
        found = {}
        for resource in self._of("backend"):
            where = Where(f"backend {resource['name']!r} ({resource.address})")
            url = parse_base(str(resource["url"]))
            if url is None:
                message = f"url must be an absolute http or https URL without query, not {resource['url']!r}"
                self.problems.append(InvalidAttribute(message, where=where, name="url"))
                continue
            for block in ("credentials", "proxy", "service_fabric_cluster"):
                if resource.block(block):
                    message = f"{block} of a backend is not supported by the local gateway"
                    self.problems.append(UnsupportedResource(message, where=where, name=block))
            rule = resource.block("circuit_breaker_rule")
            found[str(resource["name"])] = Backend(
                str(resource["name"]), url, self._rule(rule, where) if rule else None
            )
        return found

    def _certificates(self) -> dict[str, Certificate]:
        """By name. What a vault holds is not in the state, so that it is refused."""
        found = {}
        for resource in self._of("certificate"):
            where = Where(f"certificate {resource['name']!r} ({resource.address})")
            try:
                data = base64.b64decode(str(resource.get("data") or ""))
                found[str(resource["name"])] = certificate(data, str(resource.get("password") or ""))
            except (KeyUnusable, ValueError) as error:
                message = f"data cannot be used: {error}"
                self.problems.append(UnsupportedResource(message, where=where, name="data"))
        return found

    def _rule(self, block: object, where: Where) -> Rule | None:
        try:
            return Rule.from_block(block)  # type: ignore[arg-type]
        except (ValueError, KeyError, IndexError, TypeError) as error:
            message = f"circuit_breaker_rule cannot be read ({error})"
            self.problems.append(InvalidAttribute(message, where=where, name="circuit_breaker_rule"))
            return None

    def _fragments(self) -> dict[str, Node]:
        found = {}
        for resource in self._of("policy_fragment"):
            name = str(resource["name"])
            try:
                line_breaks: LineBreaks = "kept" if resource.get("format") == "rawxml" else "spaces"
                node = parse(str(resource["value"]), f"fragment {name!r}", line_breaks)
            except MalformedPolicy as error:
                self.problems.append(error)
                continue
            found[name] = node
        return found

    def _global(self, references: References) -> Pipeline:
        applied = self._of("policy")
        source = _xml(applied[0]) if applied else _DEFAULT_GLOBAL
        self._no_link(applied)
        return build_pipeline(source, Place("global", "global policy"), references, Pipeline())

    def _no_link(self, resources: tuple[Resource, ...]) -> None:
        for resource in resources:
            if resource.get("xml_link"):
                message = "xml_link is not supported by the local gateway; use xml_content"
                self.problems.append(UnsupportedResource(message, where=Where(resource.address), name="xml_link"))

    def _product(self, product: Product, references: References, root: Pipeline) -> Pipeline:
        if product.policy is None:
            return root
        self._no_link((product.policy,))
        place = Place("product", f"product {product.info.id!r}")
        return build_pipeline(_xml(product.policy), place, references, root)

    def _api(self, resource: Resource, root: Pipeline, products: dict[str, Pipeline], references: References) -> Api:
        name = str(resource["name"])
        self._check_api(resource)
        product = open_product(self.products, name, self.problems.append)
        root = products[product.info.id] if product is not None else root
        policies_of_api = tuple(r for r in self._of("api_policy") if r["api_name"] == name)
        self._no_link(policies_of_api)
        pipeline = root
        for policy in policies_of_api:
            pipeline = build_pipeline(_xml(policy), Place("api", f"API {name!r}"), references, root)
        api = _api_of(resource, pipeline, product.info if product is not None else None)
        for operation in self._of("api_operation"):
            if operation["api_name"] == name:
                self._operation(api, operation, references)
        return api

    def _check_api(self, resource: Resource) -> None:
        where = Where(f"API {resource['name']!r} ({resource.address})")
        refused = {
            "api_type": resource.get("api_type") not in (None, "http"),
            "version_set_id": bool(resource.get("version_set_id")),
            "source_api_id": bool(resource.get("source_api_id")),
            "import": bool(resource.block("import")),
        }
        for name in [name for name, used in refused.items() if used]:
            message = f"{name} of an API is not supported by the local gateway"
            self.problems.append(UnsupportedResource(message, where=where, name=name))
        if resource.get("service_url") and parse_base(str(resource["service_url"])) is None:
            message = f"service_url must be an absolute http or https URL, not {resource['service_url']!r}"
            self.problems.append(InvalidAttribute(message, where=where, name="service_url"))

    def _operation(self, api: Api, resource: Resource, references: References) -> None:
        name = f"{api.info.id}/{resource['operation_id']}"
        template, where = str(resource["url_template"]), Where(f"operation {name!r} ({resource.address})")
        pipeline = api.pipeline
        for policy in self._of("api_operation_policy"):
            if (policy["api_name"], policy["operation_id"]) == (api.info.id, resource["operation_id"]):
                self._no_link((policy,))
                place = Place("operation", f"operation {name!r}")
                pipeline = build_pipeline(_xml(policy), place, references, api.pipeline)
        operation = OperationInfo(
            str(resource["operation_id"]), str(resource["display_name"]), str(resource["method"]).upper(), template
        )
        try:
            api.add(Route(operation, template_segments(template), pipeline))
        except ValueError as error:
            message = f"url_template {template!r} cannot be matched: {error}"
            self.problems.append(InvalidAttribute(message, where=where, name="url_template"))

    def _check_paths(self, apis: tuple[Api, ...]) -> None:
        seen: dict[tuple[str, ...], str] = {}
        for api in apis:
            if api.segments in seen:
                message = f"it has the path of API {seen[api.segments]!r}: {api.info.path!r}"
                where = Where(f"API {api.info.id!r}")
                self.problems.append(InvalidAttribute(message, where=where, name="path"))
            seen[api.segments] = api.info.id
        names = {api.info.id for api in apis}
        for resource in (*self._of("api_policy"), *self._of("api_operation"), *self._of("api_operation_policy")):
            if resource["api_name"] not in names:
                message = f"there is no API {resource['api_name']!r}"
                self.problems.append(
                    MissingReference(message, where=Where(resource.address), name=str(resource["api_name"]))
                )


def _xml(resource: Resource) -> str:
    """What is left out is an empty document; an empty text is none, and refused as such."""
    given = resource.get("xml_content")
    return "<policies/>" if given is None else str(given)


def _api_of(resource: Resource, pipeline: Pipeline, product: ProductInfo | None) -> Api:
    path = str(resource.get("path", ""))
    service_url = resource.get("service_url")
    info = ApiInfo(
        id=str(resource["name"]),
        name=str(resource.get("display_name", resource["name"])),
        path=path,
        revision=str(resource.get("revision", "1")),
        service_url=parse_base(str(service_url)) if service_url else None,
        version=resource.get("version"),
        product=product,
    )
    segments = tuple(segment.lower() for segment in path.strip("/").split("/") if segment)
    needs_key = bool(resource.get("subscription_required", True)) and product is None
    return Api(info, segments, needs_key, pipeline)


def _check_fragments(references: References) -> None:
    """A fragment that nothing includes is compiled too, as API Management does when it is saved."""
    for name, node in references.fragments.items():
        place = Place("global", f"fragment {name!r}", fragments=(name,))
        build_fragment(node, place, references)
