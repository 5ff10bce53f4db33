"""Sign in as somebody, see the tools that this person has, call one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from emulators.base.markup import Child, Html, h
from twin.console.pages.layout import alert, badge, facts, milliseconds, page, status_badge
from twin.console.people import Answer

_INTRODUCTION = (
    "Choose who signs in. The sign-in is a real one, authorization code with PKCE at the local Entra ID, and each call "
    "goes through the gateway."
)
_EXAMPLES: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}


@dataclass(frozen=True)
class Choice:
    """What the person chose so far, and what came of it."""

    servers: Sequence[str]
    server: str
    people: Mapping[str, str]  # who can sign in: names by short name
    user: str = ""
    tool: str = ""
    arguments: str = ""
    listed: Answer | None = None
    answer: Answer | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def tools(self) -> list[dict[str, Any]]:
        message = self.listed.message if self.listed is not None else None
        found: list[dict[str, Any]] = ((message or {}).get("result") or {}).get("tools") or []
        return found


def tools_page(root: str, choice: Choice) -> str:
    content: list[Child] = [_people(root, choice)]
    if choice.problem:
        content.append(alert(choice.problem))
    if choice.user and choice.listed is not None:
        content.append(_signed_in(choice))
        content.append(_refused(root, choice.listed) if not choice.tools else _workbench(root, choice))
    elif not choice.user:
        content.append(h("p", _INTRODUCTION, class_="quiet"))
    return page(root, "call", "Call a tool", content)


def _people(root: str, choice: Choice) -> Html:
    buttons = [
        h(
            "button",
            h("span", "".join(word[0] for word in name.split()), class_="avatar", aria_hidden="true"),
            h("span", h("strong", name), h("span", user, class_="quiet"), class_="who"),
            name="as",
            value=user,
            class_="person",
            aria_pressed="true" if user == choice.user else "false",
        )
        for user, name in choice.people.items()
    ]
    options = [h("option", name, value=name, selected=name == choice.server) for name in choice.servers]
    server: Child = h("input", type="hidden", name="server", value=choice.server)
    if len(choice.servers) > 1:
        server = h("p", h("label", "Server ", h("select", options, name="server")))
    return h("form", h("fieldset", h("legend", "Sign in as"), server, h("div", buttons, class_="people")),
             method="get", action=f"{root}/call")  # fmt: skip


def _signed_in(choice: Choice) -> Html:
    roles = choice.claims.get("roles") or []
    return facts(
        ("Signed in as", choice.claims.get("name") or choice.people.get(choice.user, choice.user)),
        ("Roles in the token", [badge(role) for role in roles] or "none"),
        ("Scope", str(choice.claims.get("scp") or "")),
        ("Object id", h("code", str(choice.claims.get("oid") or ""))),
        ("Tools", str(len(choice.tools)) if choice.tools else ""),
    )


def _refused(root: str, answer: Answer) -> Html:
    error = (answer.message or {}).get("error") or {}
    return h(
        "section",
        alert(f"The gateway answered {answer.status}: {error.get('message') or answer.text[:300] or 'nothing'}"),
        _link(root, answer),
    )


def _link(root: str, answer: Answer) -> Html | None:
    if not answer.request_id:
        return None
    href = f"{root}/requests/{answer.request_id}"
    return h("p", h("a", "See what each policy did", href=href, class_="button"))


def _workbench(root: str, choice: Choice) -> Html:
    known = {tool["name"]: tool for tool in choice.tools}
    chosen = known.get(choice.tool)
    content = (
        h("p", "Choose a tool.", class_="quiet")
        if chosen is None
        else [_form(root, choice, chosen), _result(root, choice)]
    )
    return h("div", _list(root, choice), h("section", content, class_="tool", aria_label="Tool"), class_="workbench")


def _list(root: str, choice: Choice) -> Html:
    items = []
    for tool in choice.tools:
        query = urlencode({"as": choice.user, "server": choice.server, "tool": tool["name"]})
        current = "true" if tool["name"] == choice.tool else None
        link = h("a", h("span", tool["name"]), _kind(tool), href=f"{root}/call?{query}", aria_current=current)
        items.append(h("li", link))
    return h("nav", h("h2", "Tools"), h("ul", items), class_="tools", aria_label="Tools")


def _kind(tool: Mapping[str, Any]) -> Html:
    reads = (tool.get("annotations") or {}).get("readOnlyHint")
    return badge("reads", "") if reads else badge("writes", "busy")


def _form(root: str, choice: Choice, tool: Mapping[str, Any]) -> Html:
    schema = tool.get("inputSchema") or {}
    return h(
        "form",
        h("h2", tool.get("title") or tool["name"]),
        h("p", str(tool.get("description") or ""), class_="quiet prose"),
        _fields(schema),
        h("input", type="hidden", name="as", value=choice.user),
        h("input", type="hidden", name="server", value=choice.server),
        h("input", type="hidden", name="tool", value=tool["name"]),
        h("label", "Arguments, JSON", for_="arguments"),
        h(
            "textarea",
            choice.arguments or example(schema),
            id="arguments",
            name="arguments",
            rows=8,
            spellcheck="false",
        ),
        h("p", h("button", f"Call {tool['name']}", class_="primary")),
        method="post",
        action=f"{root}/call",
    )


def _fields(schema: Mapping[str, Any]) -> Html | None:
    required = set(schema.get("required") or ())
    rows = [
        h("li", h("code", name), badge("required", "busy") if name in required else None, " ",
          h("span", str(field_.get("description") or field_.get("title") or ""), class_="quiet"))
        for name, field_ in (schema.get("properties") or {}).items()
    ]  # fmt: skip
    if not rows:
        return h("p", "It takes no arguments.", class_="quiet")
    return h("details", h("summary", f"{len(rows)} arguments"), h("ul", rows, class_="fields"))


def example(schema: Mapping[str, Any]) -> str:
    """The required arguments with an empty value of their type, or what the schema gives as an example."""
    properties = schema.get("properties") or {}
    wanted = {name: _empty(properties.get(name) or {}) for name in schema.get("required") or ()}
    return json.dumps(wanted, indent=2, ensure_ascii=False)


def _empty(schema: Mapping[str, Any]) -> Any:
    if schema.get("examples"):
        return schema["examples"][0]
    if "default" in schema:
        return schema["default"]
    if schema.get("enum"):
        return schema["enum"][0]
    return _EXAMPLES.get(str(schema.get("type")), "")


def _result(root: str, choice: Choice) -> Html | None:
    answer = choice.answer
    if answer is None:
        return None
    result = (answer.message or {}).get("result") or {}
    failed = bool(result.get("isError")) or "error" in (answer.message or {}) or answer.status >= 400
    return h(
        "section",
        h("h2", "Answer"),
        h("p", status_badge(answer.status), badge("tool error" if failed else "ok", "bad" if failed else "good"),
          h("span", milliseconds(answer.seconds * 1000), class_="quiet")),
        _link(root, answer),
        h("pre", shown(answer), tabindex="0", aria_label="The answer as JSON"),
        class_="answer",
    )  # fmt: skip


def shown(answer: Answer) -> str:
    """The result, its text parts as what they are where they hold JSON."""
    message = answer.message
    if message is None:
        return answer.text[:20_000]
    result = message.get("result") or message.get("error") or message
    if isinstance(result, dict) and "structuredContent" in result:
        result = result["structuredContent"]
    elif isinstance(result, dict) and isinstance(result.get("content"), list):
        parts = [part.get("text", "") for part in result["content"] if isinstance(part, dict)]
        if len(parts) == 1:
            result = _json_or_text(parts[0])
    text = result if isinstance(result, str) else json.dumps(result, indent=2, ensure_ascii=False)
    return text if len(text) <= 20_000 else f"{text[:20_000]}\n… ({len(text)} characters)"


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
