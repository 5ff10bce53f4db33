"""The `context` variable as documented, Jwt, and the extension methods of "API Management policy expressions"."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from emulators.apim import jwt
from emulators.apim.csharp.clr import ClrError, JArray, JObject, JToken, key_not_found
from emulators.apim.csharp.clr_types import (
    BOOL,
    BYTE,
    DATETIME,
    GUID,
    INT,
    OBJECT,
    STRING,
    TIMESPAN,
    T,
    array,
    enumerable,
)
from emulators.apim.csharp.conversions import converter, register_class
from emulators.apim.csharp.library import Out, declare_type, indexer, method, prop
from emulators.apim.csharp.members.jsons import parse
from emulators.apim.jwt import Jwt
from emulators.apim.messages import Body, Context, ManyValues, Response, Url, parse_query

_TEXTS = array(STRING)
_URL, _BODY, _HEADERS, _QUERY = T("IUrl"), T("IMessageBody"), T("IHeaders"), T("IQuery")
_STRINGS = T("IReadOnlyDictionary", (STRING, STRING))
_JWT, _BASIC = T("Jwt"), T("BasicAuthCredentials")
declare_type("IResponse", "IRequest", "IContext", "Jwt")
register_class("Jwt", Jwt)
register_class("IResponse", Response)
register_class("IUrl", Url)
register_class("IMessageBody", Body)


def _itself(context: Context) -> Context:
    """`context.Request` and `context` are one object here: its members read `context.request`."""
    return context


prop("IContext", "Request", T("IRequest"), _itself, never_null=True)
prop("IContext", "Response", T("IResponse"), attrgetter("response"), never_null=True)
prop("IContext", "Variables", T("IVariables"), attrgetter("variables"), never_null=True)
prop("IContext", "LastError", T("IError"), lambda context: context.last_error)
prop("IContext", "RequestId", GUID, lambda context: context.request_id)
prop("IContext", "Timestamp", DATETIME, lambda context: context.timestamp)
prop("IContext", "Elapsed", TIMESPAN, lambda context: context.elapsed)
prop("IContext", "Api", T("IApi"), lambda context: context.api)
prop("IContext", "Operation", T("IOperation"), lambda context: context.operation)
prop("IContext", "Deployment", T("IDeployment"), lambda context: context.deployment)
prop("IContext", "Subscription", T("ISubscription"), lambda context: None, note="always null: no subscriptions here")
prop("IContext", "User", T("IUser"), lambda context: None, note="always null: no portal users here")
prop("IContext", "Product", T("IProduct"), attrgetter("api.product"), note="the open product of the API, or null")
prop("IContext", "Tracing", BOOL, lambda context: False)
_MAYBE_TIME, _GROUPS = T("Nullable", (DATETIME,)), enumerable(T("IGroup"))
_PEOPLE: dict[str, dict[str, T]] = {
    "ISubscription": {
        **dict.fromkeys(("Id", "Key", "Name", "PrimaryKey", "SecondaryKey"), STRING),
        **{"CreatedDate": DATETIME, "StartDate": _MAYBE_TIME, "EndDate": _MAYBE_TIME},
    },
    "IUser": {
        **dict.fromkeys(("Email", "FirstName", "Id", "LastName", "Note"), STRING),
        **{"Groups": _GROUPS, "Identities": enumerable(T("IUserIdentity")), "RegistrationDate": DATETIME},
    },
    "IGroup": {"Id": STRING, "Name": STRING},
    "IUserIdentity": {"Id": STRING, "Provider": STRING},
    "IPrivateEndpointConnection": {"Name": STRING, "GroupId": STRING, "MemberName": STRING},
}
for _owner, _members in _PEOPLE.items():
    for _name, _type in _members.items():
        prop(_owner, _name, _type, lambda value: None)
prop("IProduct", "Id", STRING, attrgetter("id"))
prop("IProduct", "Name", STRING, attrgetter("name"))
prop("IProduct", "SubscriptionLimit", T("Nullable", (INT,)), lambda product: None, note="always null")
prop("IProduct", "ApprovalRequired", BOOL, attrgetter("approval_required"))
prop("IProduct", "SubscriptionRequired", BOOL, lambda product: False, note="always false: others are refused")


@method("IContext", "Trace", T("void"))
def _trace(context: Context, message: str) -> None:
    if len(context.traces) < 100:
        context.traces.append(message)


prop("IRequest", "Method", STRING, attrgetter("request.method"), never_null=True)
prop("IRequest", "Headers", _HEADERS, attrgetter("request.headers"), never_null=True)
prop("IRequest", "IpAddress", STRING, attrgetter("request.ip"), never_null=True)
prop("IRequest", "MatchedParameters", _STRINGS, attrgetter("request.parameters"), never_null=True)
prop("IRequest", "OriginalUrl", _URL, attrgetter("request.original"), never_null=True)
prop("IRequest", "Url", _URL, attrgetter("request.url"), never_null=True)
prop("IRequest", "Body", _BODY, lambda context: context.request.body)
_ENDPOINT = T("IPrivateEndpointConnection")
prop("IRequest", "PrivateEndpointConnection", _ENDPOINT, lambda context: None, note="always null")
prop("IResponse", "StatusCode", INT, lambda response: response.status)
prop("IResponse", "StatusReason", STRING, lambda response: response.reason)
prop("IResponse", "Headers", _HEADERS, attrgetter("headers"), never_null=True)
prop("IResponse", "Body", _BODY, lambda response: response.body)

prop("IUrl", "Scheme", STRING, lambda url: url.scheme)
prop("IUrl", "Host", STRING, lambda url: url.host)
prop("IUrl", "Port", INT, lambda url: url.port)
prop("IUrl", "Path", STRING, lambda url: url.path)
prop("IUrl", "QueryString", STRING, lambda url: f"?{url.query}" if url.query else "")
prop("IUrl", "Query", _QUERY, attrgetter("parameters"), never_null=True)

for _name, _attribute in {"Source": "source", "Reason": "reason", "Message": "message", "Scope": "scope"}.items():
    prop("IError", _name, STRING, lambda error, attribute=_attribute: getattr(error, attribute))
for _name, _attribute in {"Section": "section", "Path": "path", "PolicyId": "policy_id"}.items():
    prop("IError", _name, STRING, lambda error, attribute=_attribute: getattr(error, attribute))

for _name, _attribute in {
    "Id": "id",
    "Name": "name",
    "Path": "path",
    "Revision": "revision",
    "Version": "version",
}.items():
    prop("IApi", _name, STRING, lambda api, attribute=_attribute: getattr(api, attribute))
prop("IApi", "IsCurrentRevision", BOOL, lambda api: True)
prop("IApi", "ServiceUrl", _URL, lambda api: api.service_url)
_OPERATION = {"Id": "id", "Name": "name", "Method": "method", "UrlTemplate": "url_template"}
for _name, _attribute in _OPERATION.items():
    prop("IOperation", _name, STRING, lambda operation, attribute=_attribute: getattr(operation, attribute))
for _name, _attribute in {"ServiceName": "service_name", "Region": "region", "GatewayId": "gateway_id"}.items():
    prop("IDeployment", _name, STRING, lambda deployment, attribute=_attribute: getattr(deployment, attribute))


def _many(values: ManyValues, name: Any) -> list[str]:
    if name not in values:
        raise key_not_found()
    return values[name]


for _owner in ("IHeaders", "IQuery"):
    indexer(_owner, _TEXTS, STRING)(_many)

    @method(_owner, "GetValueOrDefault", STRING)
    def _joined(values: ManyValues, name: str, default: str | None = None) -> Any:
        return values.joined(name, default)


@method("IClaims", "GetValueOrDefault", STRING)
def _claim(claims: dict[str, list[str]], name: str, default: str | None = None) -> Any:
    """All values of the claim, separated by commas.

    `string Jwt.Claims.GetValueOrDefault(claimName: string, defaultValue: string)` is documented ("API Management policy
    expressions", 2025-10-27): with an array as default, `.Contains` of the result would search in a text.
    """
    return ",".join(claims[name]) if name in claims else default


@method("IReadOnlyDictionary", "GetValueOrDefault", lambda receiver, arguments, generics: _dictionary_value(receiver))
def _entry(entries: Any, name: str, default: Any = None) -> Any:
    return entries.get(name, default)


def _dictionary_value(receiver: T) -> T:
    return receiver.args[1] if len(receiver.args) == 2 else OBJECT


def _variable_type(receiver: T, arguments: list[T], generics: list[T]) -> T:
    if generics:
        return generics[0]
    return arguments[1] if len(arguments) > 1 and arguments[1].name != "null" else OBJECT


@method("IVariables", "GetValueOrDefault", _variable_type)
def _variable(variables: dict[str, Any], name: str, default: Any = None, *, generics: list[T]) -> Any:
    if name not in variables:
        return default if default is not None or not generics else _empty(generics[0])
    return converter(OBJECT, generics[0])(variables[name]) if generics else variables[name]


def _empty(type_: T) -> Any:
    from emulators.apim.csharp.expressions import default_value

    return default_value(type_)


_READABLE = {"string": str, "JObject": JObject, "JArray": JArray, "JToken": JToken}


def _as_type(receiver: T, arguments: list[T], generics: list[T]) -> T:
    return generics[0] if generics else OBJECT


@method("IMessageBody", "As", _as_type, note="to string, byte[], JObject, JArray and JToken; not XML")
def _as(body: Body, preserve: bool = False, *, generics: list[T]) -> Any:
    wanted = generics[0] if generics else OBJECT
    data = body.read(preserve=preserve)
    if wanted == array(BYTE):
        return data
    if wanted.name not in _READABLE:
        raise ClrError("InvalidOperationException", f"the local gateway cannot read a body as {wanted}")
    text = data.decode("utf-8-sig", "replace")
    return text if wanted.name == "string" else parse(text, _READABLE[wanted.name])


@method(
    "IMessageBody",
    "AsFormUrlEncodedContent",
    T("IDictionary", (STRING, T("IList", (STRING,)))),
    note="names without case are not merged",
)
def _as_form(body: Body, preserve: bool = False) -> dict[str, list[str]]:
    form: dict[str, list[str]] = {}
    for name, value in parse_query(body.read(preserve=preserve).decode("utf-8", "replace")):
        form.setdefault(name, []).append(value)
    return form


@method("string", "AsJwt", _JWT, takes_null=True)
def _as_jwt(text: Any) -> Jwt | None:
    return jwt.read(text.removeprefix("Bearer ")) if text else None


@method("string", "TryParseJwt", BOOL, out=_JWT, takes_null=True)
def _try_jwt(text: Any, result: Out) -> bool:
    found = _as_jwt(text)
    result(found)
    return found is not None


_FIRST = {"Algorithm": "alg", "Type": "typ"}
for _name, _claim_name in _FIRST.items():
    prop("Jwt", _name, STRING, lambda token, claim=_claim_name: token.header.get(claim))
for _name, _claim_name in {"Issuer": "iss", "Subject": "sub", "Id": "jti"}.items():
    prop("Jwt", _name, STRING, lambda token, claim=_claim_name: token.one(claim))
prop("Jwt", "Audiences", enumerable(STRING), lambda token: token.audiences)
prop("Jwt", "Claims", T("IClaims"), attrgetter("claims"), never_null=True)
for _name, _claim_name in {"ExpirationTime": "exp", "IssuedAt": "iat", "NotBefore": "nbf"}.items():
    prop("Jwt", _name, T("Nullable", (DATETIME,)), lambda token, claim=_claim_name: _time(token.payload.get(claim)))


def _time(value: Any) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else None


@dataclass(frozen=True)
class Basic:
    """BasicAuthCredentials."""

    user: str
    password: str


@method("string", "AsBasic", _BASIC, takes_null=True)
def _as_basic(text: Any) -> Basic | None:
    scheme, _, encoded = (text or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return Basic(user, password) if colon else None


@method("string", "TryParseBasic", BOOL, out=_BASIC, takes_null=True)
def _try_basic(text: Any, result: Out) -> bool:
    found = _as_basic(text)
    result(found)
    return found is not None


prop("BasicAuthCredentials", "UserId", STRING, lambda credentials: credentials.user)
prop("BasicAuthCredentials", "Password", STRING, lambda credentials: credentials.password)
