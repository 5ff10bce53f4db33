"""The `context` variable as documented, Jwt, and the extension methods of "API Management policy expressions"."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from emulators.apim import jwt
from emulators.apim.csharp.clr import ClrError, JArray, JObject, JToken, key_not_found
from emulators.apim.csharp.clr_types import BYTE, OBJECT, array, default_value
from emulators.apim.csharp.conversions import converter, register_class
from emulators.apim.csharp.library import Out, Types, declare, declare_type
from emulators.apim.csharp.members.jsons import parse
from emulators.apim.identity import Authorization
from emulators.apim.jwt import Jwt
from emulators.apim.messages import Body, Context, ManyValues, Response, Url, parse_query

declare_type("IResponse", "IRequest", "IContext", "Jwt", "Authorization")
register_class("Jwt", Jwt)
register_class("Authorization", Authorization)
register_class("IResponse", Response)
register_class("IUrl", Url)
register_class("IMessageBody", Body)


def _itself(context: Context) -> Context:
    """`context.Request` and `context` are one object here: its members read `context.request`."""
    return context


declare("IContext", "IRequest Request", never_null=True)(_itself)
declare("IContext", "IResponse Response", never_null=True)(attrgetter("response"))
declare("IContext", "IVariables Variables", never_null=True)(attrgetter("variables"))
declare("IContext", "IError LastError")(lambda context: context.last_error)
declare("IContext", "Guid RequestId")(lambda context: context.request_id)
declare("IContext", "DateTime Timestamp")(lambda context: context.timestamp)
declare("IContext", "TimeSpan Elapsed")(lambda context: context.elapsed)
declare("IContext", "IApi Api")(lambda context: context.api)
declare("IContext", "IOperation Operation")(lambda context: context.operation)
declare("IContext", "IDeployment Deployment")(lambda context: context.deployment)
declare("IContext", "ISubscription Subscription", note="always null: no subscriptions here")(lambda context: None)
declare("IContext", "IUser User", note="always null: no portal users here")(lambda context: None)
declare("IContext", "IProduct Product", note="the open product of the API, or null")(attrgetter("api.product"))
declare("IContext", "bool Tracing")(lambda context: False)
_PEOPLE = {
    "ISubscription": "string Id, string Key, string Name, string PrimaryKey, string SecondaryKey, DateTime CreatedDate,"
    " DateTime? StartDate, DateTime? EndDate",
    "IUser": "string Email, string FirstName, string Id, string LastName, string Note, DateTime RegistrationDate,"
    " IEnumerable<IGroup> Groups, IEnumerable<IUserIdentity> Identities",
    "IGroup": "string Id, string Name",
    "IUserIdentity": "string Id, string Provider",
    "IPrivateEndpointConnection": "string Name, string GroupId, string MemberName",
}
for _owner, _members in _PEOPLE.items():
    declare(_owner, *_members.split(", "))(lambda value: None)
declare("IProduct", "string Id")(attrgetter("id"))
declare("IProduct", "string Name")(attrgetter("name"))
declare("IProduct", "int? SubscriptionLimit", note="always null")(lambda product: None)
declare("IProduct", "bool ApprovalRequired")(attrgetter("approval_required"))
declare("IProduct", "bool SubscriptionRequired", note="always false: others are refused")(lambda product: False)


@declare("IContext", "void Trace(string message)")
def _trace(context: Context, message: str) -> None:
    if len(context.traces) < 100:
        context.traces.append(message)


declare("IRequest", "string Method", never_null=True)(attrgetter("request.method"))
declare("IRequest", "IHeaders Headers", never_null=True)(attrgetter("request.headers"))
declare("IRequest", "string IpAddress", never_null=True)(attrgetter("request.ip"))
declare("IRequest", "IReadOnlyDictionary<string, string> MatchedParameters", never_null=True)(
    attrgetter("request.parameters")
)
declare("IRequest", "IUrl OriginalUrl", never_null=True)(attrgetter("request.original"))
declare("IRequest", "IUrl Url", never_null=True)(attrgetter("request.url"))
declare("IRequest", "IMessageBody Body")(lambda context: context.request.body)
declare("IRequest", "IPrivateEndpointConnection PrivateEndpointConnection", note="always null")(lambda context: None)
declare("IResponse", "int StatusCode")(lambda response: response.status)
declare("IResponse", "string StatusReason")(lambda response: response.reason)
declare("IResponse", "IHeaders Headers", never_null=True)(attrgetter("headers"))
declare("IResponse", "IMessageBody Body")(lambda response: response.body)

declare("IUrl", "string Scheme")(lambda url: url.scheme)
declare("IUrl", "string Host")(lambda url: url.host)
declare("IUrl", "int Port")(lambda url: url.port)
declare("IUrl", "string Path")(lambda url: url.path)
declare("IUrl", "string QueryString")(lambda url: f"?{url.query}" if url.query else "")
declare("IUrl", "IQuery Query", never_null=True)(attrgetter("parameters"))

_READ: dict[str, dict[str, str]] = {
    "IError": {
        "Source": "source",
        "Reason": "reason",
        "Message": "message",
        "Scope": "scope",
        "Section": "section",
        "Path": "path",
        "PolicyId": "policy_id",
    },
    "IApi": {"Id": "id", "Name": "name", "Path": "path", "Revision": "revision", "Version": "version"},
    "IOperation": {"Id": "id", "Name": "name", "Method": "method", "UrlTemplate": "url_template"},
    "IDeployment": {"ServiceName": "service_name", "Region": "region", "GatewayId": "gateway_id"},
}
for _owner, _texts in _READ.items():
    for _name, _attribute in _texts.items():
        declare(_owner, f"string {_name}")(attrgetter(_attribute))
declare("IApi", "bool IsCurrentRevision")(lambda api: True)
declare("IApi", "IUrl ServiceUrl")(lambda api: api.service_url)


def _many(values: ManyValues, name: Any) -> list[str]:
    if name not in values:
        raise key_not_found()
    return values[name]


def _joined(values: ManyValues, name: str, default: str | None = None) -> Any:
    return values.joined(name, default)


def _listed(values: Any, name: str, default: Any) -> Any:
    return list(values[name]) if name in values else default


def _claim(claims: dict[str, list[str]], name: str, default: str | None = None) -> Any:
    """All values of the claim, separated by commas."""
    return ",".join(claims[name]) if name in claims else default


# Documented with a text as default ("API Management policy expressions"); with an array, which people's policies use,
# it is an array too, so that `.Contains` never searches in a text.
_GET = "GetValueOrDefault"
for _owner, _read in (("IHeaders", _joined), ("IQuery", _joined), ("IClaims", _claim)):
    declare(_owner, f"string {_GET}(string name)", f"string {_GET}(string name, string defaultValue)")(_read)
    declare(_owner, f"string[] {_GET}(string name, string[] defaultValue)")(_listed)
for _owner in ("IHeaders", "IQuery"):
    declare(_owner, "string[] this[string name]")(_many)


@declare("IReadOnlyDictionary<K, V>", f"V {_GET}(K key)")
def _entry(entries: Any, name: Any, *, types: Types) -> Any:
    return entries[name] if name in entries else default_value(types["V"])


declare("IReadOnlyDictionary<K, V>", f"V {_GET}(K key, V defaultValue)")(
    lambda entries, name, default: entries.get(name, default)
)
declare("IVariables", f"object {_GET}(string variableName)")(lambda variables, name: variables.get(name))
declare("IVariables", f"V {_GET}<V>(string variableName)")(
    lambda variables, name, types: _variable(variables, name, default_value(types["V"]), types=types)
)


@declare("IVariables", f"V {_GET}<V>(string variableName, V defaultValue)")
def _variable(variables: dict[str, Any], name: str, default: Any, *, types: Types) -> Any:
    return converter(OBJECT, types["V"])(variables[name]) if name in variables else default


declare("IVariables", f"object {_GET}(string variableName, object defaultValue)")(
    lambda variables, name, default: variables.get(name, default)
)


_READABLE = {"string": str, "JObject": JObject, "JArray": JArray, "JToken": JToken}


@declare(
    "IMessageBody",
    "V As<V>(bool preserveContent = false)",
    note="to string, byte[], JObject, JArray and JToken; not XML",
)
def _as(body: Body, preserve: bool, *, types: Types) -> Any:
    wanted = types["V"]
    data = body.read(preserve=preserve)
    if wanted == array(BYTE):
        return data
    if wanted.name not in _READABLE:
        raise ClrError("InvalidOperationException", f"the local gateway cannot read a body as {wanted}")
    text = data.decode("utf-8-sig", "replace")
    return text if wanted.name == "string" else parse(text, _READABLE[wanted.name])


@declare(
    "IMessageBody",
    "IDictionary<string, IList<string>> AsFormUrlEncodedContent(bool preserveContent = false)",
    note="names without case are not merged",
)
def _as_form(body: Body, preserve: bool) -> dict[str, list[str]]:
    form: dict[str, list[str]] = {}
    for name, value in parse_query(body.read(preserve=preserve).decode("utf-8", "replace")):
        form.setdefault(name, []).append(value)
    return form


@declare("string", "Jwt AsJwt()", takes_null=True)
def _as_jwt(text: Any) -> Jwt | None:
    return jwt.read(text.removeprefix("Bearer ")) if text else None


@declare("string", "bool TryParseJwt(out Jwt result)", takes_null=True)
def _try_jwt(text: Any, result: Out) -> bool:
    found = _as_jwt(text)
    result(found)
    return found is not None


# "Get authorization context", Authorization object.
declare("Authorization", "string AccessToken")(attrgetter("token"))
declare("Authorization", "IReadOnlyDictionary<string, object> Claims", never_null=True)(attrgetter("claims"))
for _name, _claim_name in {"Algorithm": "alg", "Type": "typ"}.items():
    declare("Jwt", f"string {_name}")(lambda token, claim=_claim_name: token.header.get(claim))
for _name, _claim_name in {"Issuer": "iss", "Subject": "sub", "Id": "jti"}.items():
    declare("Jwt", f"string {_name}")(lambda token, claim=_claim_name: token.one(claim))
declare("Jwt", "IEnumerable<string> Audiences")(lambda token: token.audiences)
declare("Jwt", "IClaims Claims", never_null=True)(attrgetter("claims"))
for _name, _claim_name in {"ExpirationTime": "exp", "IssuedAt": "iat", "NotBefore": "nbf"}.items():
    declare("Jwt", f"DateTime? {_name}")(lambda token, claim=_claim_name: _time(token.payload.get(claim)))


def _time(value: Any) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else None


@dataclass(frozen=True)
class Basic:
    """BasicAuthCredentials."""

    user: str
    password: str


@declare("string", "BasicAuthCredentials AsBasic()", takes_null=True)
def _as_basic(text: Any) -> Basic | None:
    scheme, _, encoded = (text or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return Basic(user, password) if colon else None


@declare("string", "bool TryParseBasic(out BasicAuthCredentials result)", takes_null=True)
def _try_basic(text: Any, result: Out) -> bool:
    found = _as_basic(text)
    result(found)
    return found is not None


declare("BasicAuthCredentials", "string UserId")(lambda credentials: credentials.user)
declare("BasicAuthCredentials", "string Password")(lambda credentials: credentials.password)
