"""Tokens of language models: limits and metrics ("Limit large language model API token usage", 2024-10-09; "Emit
metrics for consumption of large language model tokens", 2026-05-27), and their older azure-openai-* names.

Counts come from `usage` in the model's answer. What has to be estimated (prompts beforehand, answers that are streamed
without `usage`) counts one token for each four characters, which is OpenAI's rule of thumb ("What are tokens and how to
count them?"), and three for each message and for the answer (OpenAI's cookbook, "How to count tokens with tiktoken"):
encodings of a real tokenizer are downloaded when they are first used, and nothing here leaves the machine.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulators.apim.elements import Element, element
from emulators.apim.failures import Failure, UpstreamError
from emulators.apim.messages import Body, Context, Response, Run, Stream
from emulators.apim.policies.monitoring import dimensions, emit
from emulators.apim.values import Value

_CHARACTERS, _PER_MESSAGE = 4, 3
#: Bytes of an answer that are looked at; a longer one counts by its length.
MAX_LOOKED_AT = 4 * 1024 * 1024
_MINUTE = 60.0
_PERIODS = {"Hourly": 3600, "Daily": 86_400, "Weekly": 604_800, "Monthly": 30 * 86_400, "Yearly": 365 * 86_400}
_PARTIAL = "estimates count four characters as a token; streamed answers are counted when they have ended"


@dataclass(frozen=True)
class Usage:
    prompt: int
    completion: int

    @property
    def total(self) -> int:
        return self.prompt + self.completion


def of_text(text: str) -> int:
    return -(-len(text) // _CHARACTERS)


def of_prompt(body: Body | None) -> int:
    """An estimate of a request's prompt: `messages` of chats, `prompt`, `input`; of anything else its length."""
    data = body.data if body is not None else b""
    asked = _json(data)
    if not isinstance(asked, dict):
        return of_text(data.decode("utf-8", "replace"))
    messages = asked.get("messages")
    if isinstance(messages, list):
        return sum(_PER_MESSAGE + of_text(_texts(one)) for one in messages) + _PER_MESSAGE
    return of_text(_texts(asked.get("prompt", asked.get("input"))))


def _texts(value: Any) -> str:
    """All texts in it, one after the other, without what only says what they are."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_texts(one) for one in value)
    if isinstance(value, dict):
        return "".join(_texts(one) for name, one in value.items() if name not in ("type", "id", "image_url"))
    return ""


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def of_answer(data: bytes, prompt: int) -> Usage:
    """By the `usage` of a JSON answer, or of one of the events of a stream; else estimated."""
    answered = _json(data)
    if answered is not None:
        return _usage(answered) or Usage(prompt, of_text(_answered(answered)))
    events = [_json(line[5:]) for line in data.splitlines() if line.startswith(b"data:")]
    known = next((found for event in reversed(events) if (found := _usage(event)) is not None), None)
    return known or Usage(prompt, of_text("".join(_answered(event) for event in events)))


def _usage(answered: Any) -> Usage | None:
    """Chats and completions say prompt_tokens, responses input_tokens (OpenAI's API reference)."""
    if isinstance(answered, dict) and isinstance(answered.get("response"), dict):
        answered = answered["response"]  # an event of the Responses API
    found = answered.get("usage") if isinstance(answered, dict) else None
    if not isinstance(found, dict):
        return None
    prompt = found.get("prompt_tokens", found.get("input_tokens"))
    completion = found.get("completion_tokens", found.get("output_tokens", 0))
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return None
    return Usage(prompt, completion)


def _answered(answered: Any) -> str:
    """The text of choices, whole or in parts; of outputs and deltas of the Responses API."""
    if not isinstance(answered, dict):
        return ""
    choices = answered.get("choices")
    parts = [one for one in choices if isinstance(one, dict)] if isinstance(choices, list) else []
    found = "".join(_texts(one.get("message") or one.get("delta") or one.get("text")) for one in parts)
    return found + _texts(answered.get("output")) + (_texts(answered.get("delta")) if not parts else "")


class _Counted:
    """A stream that is handed on as it arrives, and looked at when it has ended."""

    def __init__(self, stream: Stream, ended: Callable[[bytes], None]) -> None:
        self._stream, self._ended, self._seen = stream, ended, bytearray()

    async def chunks(self) -> AsyncIterator[bytes]:
        async for part in self._stream.chunks():
            if len(self._seen) < MAX_LOOKED_AT:
                self._seen += part
            yield part
        self._end()

    async def read(self) -> bytes:
        data = await self._stream.read()
        self._seen += data
        self._end()
        return data

    def close(self) -> None:
        self._end()
        self._stream.close()

    def _end(self) -> None:
        if self._ended is not None:
            ended, self._ended = self._ended, None  # type: ignore[assignment]
            ended(bytes(self._seen))


def when_counted(context: Context, prompt: int, tell: Callable[[Usage], None]) -> None:
    """Tell what the call used: before outbound runs where the answer is whole, at its end where it is a stream.

    An answer of 400 or more used nothing.
    """

    async def received() -> None:
        response: Response = context.response
        if response.status >= 400:
            return
        if response.stream is not None and _is_stream(response):
            response.stream = _Counted(response.stream, lambda data: tell(of_answer(data, prompt)))
            return
        try:
            await response.materialise()
        except UpstreamError as error:
            raise Failure(500, error.reason, str(error), source="transfer-response") from error
        tell(of_answer(response.body.data if response.body is not None else b"", prompt))

    context.received.append(received)


def _is_stream(response: Response) -> bool:
    return (response.headers.joined("Content-Type", "") or "").lower().startswith("text/event-stream")


def _asks_for_stream(body: Body | None) -> bool:
    asked = _json(body.data) if body is not None else None
    return isinstance(asked, dict) and asked.get("stream") is True


@dataclass(frozen=True)
class TokenLimit:
    """A key's minute is a sliding window, its quota a period that begins with its first call."""

    key: Value
    rate: Callable[[Context], float] | None
    quota: Callable[[Context], float] | None
    period: int
    estimates: Callable[[Context], bool]
    names: Mapping[str, str]

    def run(self, context: Context) -> None:
        counter, body = f"tokens|{self.key.text(context)}", context.request.body
        prompt = of_prompt(body) if self.estimates(context) or _asks_for_stream(body) else 0
        self._check_rate(context, counter, prompt)
        self._check_quota(context, counter, prompt)
        self._count(context, counter, prompt)
        if variable := self.names["tokens-consumed-variable-name"]:
            context.variables[variable] = prompt

        def tell(usage: Usage) -> None:
            """What was estimated and counted beforehand is not counted again."""
            total = prompt + usage.completion if prompt else usage.total
            self._count(context, counter, total - prompt)
            self._publish(context, "tokens-consumed", total)

        when_counted(context, prompt or of_prompt(body), tell)

    def _check_rate(self, context: Context, counter: str, prompt: int) -> None:
        if self.rate is None:
            return
        verdict = context.services.rate_windows.check(counter, int(self.rate(context)), _MINUTE)
        left = verdict.remaining - prompt
        self._publish(context, "remaining-tokens", max(left, 0))
        if not verdict.allowed or left < 0:
            raise self._refused(context, 429, max(verdict.retry_after, 1), "Token limit")

    def _check_quota(self, context: Context, counter: str, prompt: int) -> None:
        if self.quota is None:
            return
        limit = self.quota(context)
        used, seconds = context.services.quotas.used(counter, self.period)
        left = int(limit - used - prompt)
        self._publish(context, "remaining-quota-tokens", max(left, 0))
        if left < 0 or used >= limit:
            raise self._refused(context, 403, int(-(-seconds // 1)), "Token quota")

    def _count(self, context: Context, counter: str, tokens: int) -> None:
        if self.rate is not None:
            context.services.rate_windows.add(counter, tokens)
        if self.quota is not None:
            context.services.quotas.add(counter, tokens)

    def _publish(self, context: Context, kind: str, value: int) -> None:
        if variable := self.names[f"{kind}-variable-name"]:
            context.variables[variable] = value
        if header := self.names[f"{kind}-header-name"]:
            context.response_headers.append((header, str(value)))

    def _refused(self, context: Context, status: int, seconds: int, what: str) -> Failure:
        if variable := self.names["retry-after-variable-name"]:
            context.variables[variable] = seconds
        text = f"{what} is exceeded. Try again in {seconds} seconds."
        headers = [(self.names["retry-after-header-name"], str(seconds))]
        return Failure(status, f"{what.title().replace(' ', '')}Exceeded", text, headers=headers)


def _token_limit(element: Element) -> Run:
    quota = element.has("token-quota") and element.has("token-quota-period")
    if not (element.has("tokens-per-minute") or quota):
        message = f"<{element.tag}> needs tokens-per-minute, or token-quota and token-quota-period"
        element.invalid(message, "tokens-per-minute")
    elif element.has("token-quota") is not element.has("token-quota-period"):
        element.invalid("token-quota and token-quota-period stand together", "token-quota")
    return TokenLimit(
        key=element.value("counter-key"),
        rate=element.number("tokens-per-minute") if element.has("tokens-per-minute") else None,
        quota=element.number("token-quota") if quota else None,
        period=_PERIODS.get(element.literal("token-quota-period"), 0),
        estimates=element.flag("estimate-prompt-tokens"),
        names={name: element.literal(name) for name in _OUTPUTS},
    ).run


_KINDS = ("remaining-quota-tokens", "remaining-tokens", "tokens-consumed", "retry-after")
_OUTPUTS = tuple(f"{kind}-{form}-name" for kind in _KINDS for form in ("header", "variable"))


def _token_metric(element: Element) -> Run:
    """Three metrics for each call; dimensions are evaluated where the element stands."""
    # "at most 5 custom dimensions" of the one, 10 of the other, which the schema counts.
    custom = 5 if element.tag == "llm-emit-token-metric" else None
    namespace, read = element.literal("namespace"), dimensions(element, custom)

    def run(context: Context) -> None:
        found = read(context)

        def tell(usage: Usage) -> None:
            for name, value in (
                ("Total Tokens", usage.total),
                ("Prompt Tokens", usage.prompt),
                ("Completion Tokens", usage.completion),
            ):
                emit(context, namespace, name, value, found)

        when_counted(context, of_prompt(context.request.body), tell)

    return run


for _tag in ("llm-token-limit", "azure-openai-token-limit"):
    element(_tag, partial=_PARTIAL)(_token_limit)
for _tag in ("llm-emit-token-metric", "azure-openai-emit-token-metric"):
    element(_tag, partial=f"total, prompt and completion tokens, written down only; {_PARTIAL}")(_token_metric)
