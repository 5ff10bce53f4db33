"""Token limits and token metrics of language models: both elements under both of their names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulators.apim.errors import PolicyProblems
from emulators.apim.messages import Body
from emulators.apim.policies.language_models import Usage, of_answer, of_prompt
from emulators.apim.services import Events
from emulators.apim.tests.harness import GatewayHarness, make_gateway, ok, streaming

JSON = {"Content-Type": "application/json"}
#: "Limit large language model API token usage" and "Limit Azure OpenAI API token usage".
LIMITS = ("llm-token-limit", "azure-openai-token-limit")
#: "Emit metrics for consumption of large language model tokens" and "Emit metrics for consumption of Azure OpenAI
#: tokens".
METRICS = ("llm-emit-token-metric", "azure-openai-emit-token-metric")
TITLES = (
    "Limit large language model API token usage",
    "Limit Azure OpenAI API token usage",
    "Emit metrics for consumption of large language model tokens",
    "Emit metrics for consumption of Azure OpenAI tokens",
)


def answer(prompt: int = 10, completion: int = 5) -> bytes:
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return json.dumps({"choices": [{"message": {"content": "hi"}}], "usage": usage}).encode()


def chat(content: str = "x" * 40, **more: Any) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": content}], **more}).encode()


def limited(attributes: str, tag: str = "llm-token-limit", data: bytes | None = None, **given: Any) -> GatewayHarness:
    inbound = f"<{tag} counter-key='@(context.Request.IpAddress)' {attributes}/>"
    gateway = make_gateway(inbound=inbound, **given)
    gateway.backends.answers = {"http://": ok(answer() if data is None else data, 200, JSON)}
    return gateway


async def ask(gateway: GatewayHarness, body: bytes = b"", **given: Any) -> Any:
    return await gateway.send("POST", headers=JSON, body=body or chat(), **given)


# what is counted


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        (chat("x" * 40), 3 + 11 + 3),
        (chat(""), 3 + 1 + 3),
        (json.dumps({"prompt": "x" * 8}).encode(), 2),
        (json.dumps({"input": ["x" * 8, "y"]}).encode(), 3),
        (b'{"messages": [{"content": [{"type": "text", "text": "abcd"}, {"image_url": "http://x/y.png"}]}]}', 7),
        (b"plain text here!", 4),
        (b"[" * 100_000, 25_000),
        (b"", 0),
    ],
)  # fmt: skip
def test_prompts_are_estimated(body: bytes, tokens: int) -> None:
    """Four characters a token, three more for each message and for the answer; whatever the body is."""
    assert of_prompt(Body(body)) == tokens


@pytest.mark.parametrize(
    ("data", "usage"),
    [
        (answer(7, 3), Usage(7, 3)),
        (json.dumps({"usage": {"input_tokens": 4, "output_tokens": 2}}).encode(), Usage(4, 2)),
        (json.dumps({"usage": {"prompt_tokens": 4}, "data": []}).encode(), Usage(4, 0)),
        (b'data: {"choices": [{"delta": {"content": "abcd"}}]}\n\ndata: {"choices": [{"delta": {"content": "efgh"}}]}'
         b"\n\ndata: [DONE]\n\n", Usage(1, 2)),
        (b'data: {"choices": []}\r\n\r\ndata: {"usage": {"prompt_tokens": 9, "completion_tokens": 8}}\r\n',
         Usage(9, 8)),
        (b'data: {"type": "response.completed", "response": {"usage": {"input_tokens": 1, "output_tokens": 2}}}\n',
         Usage(1, 2)),
        (json.dumps({"usage": {"prompt_tokens": "7"}, "choices": [{"text": "abcd"}]}).encode(), Usage(1, 1)),
        (b"", Usage(1, 0)),
        (b"\xff", Usage(1, 0)),
    ],
)  # fmt: skip
def test_answers_say_what_they_used(data: bytes, usage: Usage) -> None:
    """By `usage`, whole or in a stream's last event; else the prompt as estimated and the text's length."""
    assert of_answer(data, 1) == usage


# limits


@pytest.mark.parametrize("tag", LIMITS)
async def test_a_rate_is_counted_with_the_answer(tag: str) -> None:
    """Without an estimate a limit is passed first, and refused from then on, until the minute is over."""
    names = "remaining-tokens-header-name='Left' tokens-consumed-header-name='Used' retry-after-header-name='Wait'"
    gateway = limited(f"tokens-per-minute='20' estimate-prompt-tokens='false' {names}", tag)
    replies = [await ask(gateway) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert [reply.headers.joined("left") for reply in replies] == ["20", "5", "0"]
    assert [reply.headers.joined("used") for reply in replies] == ["15", "15", None]
    assert replies[2].headers["wait"] == ["60"]
    assert replies[2].json["message"] == "Token limit is exceeded. Try again in 60 seconds."
    gateway.clock.now += 61
    assert (await ask(gateway)).status == 200


async def test_a_key_counts_for_itself() -> None:
    """By its expression."""
    gateway = limited("tokens-per-minute='10' estimate-prompt-tokens='false'")
    assert [(await ask(gateway, client=ip)).status for ip in ("1.1.1.1", "1.1.1.1", "2.2.2.2")] == [200, 429, 200]


async def test_an_estimate_is_refused_before_the_model_is_asked() -> None:
    """ "minimizing unnecessary requests to the LLM backend if the limit is already exceeded"."""
    gateway = limited("tokens-per-minute='16' estimate-prompt-tokens='true' retry-after-variable-name='wait'")
    assert (await ask(gateway)).status == 429
    assert gateway.backends.calls == []


async def test_an_estimated_prompt_is_not_counted_twice() -> None:
    """17 estimated and 5 of the answer's."""
    gateway = limited("tokens-per-minute='100' estimate-prompt-tokens='true' tokens-consumed-header-name='Used'")
    assert (await ask(gateway)).headers["used"] == ["22"]


@pytest.mark.parametrize("tag", LIMITS)
async def test_a_quota_is_refused_with_403_until_its_period_ends(tag: str) -> None:
    """With what is left in a header and a variable."""
    names = "remaining-quota-tokens-header-name='Left' remaining-quota-tokens-variable-name='left'"
    gateway = limited(f"token-quota='15' token-quota-period='Hourly' {names}", tag)
    first, second = [await ask(gateway) for _ in range(2)]
    assert (first.status, first.headers["left"], second.status, second.headers["left"]) == (200, ["15"], 403, ["0"])
    assert second.headers["retry-after"] == ["3600"]
    gateway.clock.now += 3601
    assert (await ask(gateway)).status == 200


async def test_variables_are_there_before_and_after_the_answer() -> None:
    """The estimate in backend, what was reported in outbound; nothing else asks for the body."""
    used = '@(context.Variables.GetValueOrDefault("used", -1).ToString())'
    show = f"<set-header name='Out'><value>{used}</value></set-header>"
    gateway = limited(
        "tokens-per-minute='100' estimate-prompt-tokens='true' tokens-consumed-variable-name='used'"
        " remaining-tokens-variable-name='left'",
        outbound=show,
    )
    assert (await ask(gateway)).headers["out"] == ["22"]


async def test_a_stream_goes_on_as_it_arrives_and_counts_when_it_has_ended() -> None:
    """ "When stream is set to true prompt tokens are always estimated"; completions are here too."""
    forward = "<forward-request buffer-response='false'/>"
    gateway = limited("tokens-per-minute='30' estimate-prompt-tokens='false'", backend=forward)
    parts = [b'data: {"choices": [{"delta": {"content": "abcdefgh"}}]}\n\n', b"data: [DONE]\n\n"]
    gateway.backends.answers = {
        "http://": lambda call: streaming(*parts, headers={"Content-Type": "text/event-stream"})
    }
    reply = await ask(gateway, chat(stream=True))
    assert reply.chunks == parts
    (window,) = gateway.services.rate_windows._calls.values()
    assert window.total == of_prompt(Body(chat(stream=True))) + 2


async def test_an_answer_that_failed_used_nothing() -> None:
    """A model that is busy costs no tokens."""
    gateway = limited("tokens-per-minute='10' estimate-prompt-tokens='false'")
    gateway.backends.answers = {"http://": ok(b"busy", 429, JSON)}
    assert [(await ask(gateway)).status for _ in range(3)] == [429] * 3
    gateway.backends.answers = {"http://": ok(answer(), 200, JSON)}
    assert (await ask(gateway)).status == 200


@pytest.mark.parametrize("attributes", ["", "token-quota='5'", "token-quota-period='Daily'", "tokens-per-minute='0'"])
def test_a_limit_needs_its_numbers(attributes: str) -> None:
    """ "Either tokens-per-minute or both token-quota and token-quota-period"."""
    with pytest.raises(PolicyProblems, match=r"token-quota|tokens-per-minute"):
        limited(attributes)


# metrics


@pytest.mark.parametrize("tag", METRICS)
async def test_tokens_are_written_as_three_metrics(tag: str) -> None:
    """Total, prompt and completion, with the dimensions."""
    dimensions = "<dimension name='API ID'/><dimension name='Caller' value='@(context.Request.IpAddress)'/>"
    gateway = make_gateway(inbound=f"<{tag} namespace='Models'>{dimensions}</{tag}>")
    gateway.backends.answers = {"http://": ok(answer(7, 3), 200, JSON)}
    events: list[dict[str, Any]] = []
    gateway.services.events = Events(kept=events)
    await ask(gateway)
    assert [(one["name"], one["value"]) for one in events] == [
        ("Total Tokens", 10), ("Prompt Tokens", 7), ("Completion Tokens", 3)
    ]  # fmt: skip
    assert {one["namespace"] for one in events} == {"Models"}
    assert events[0]["dimensions"] == {"API ID": "a", "Caller": "203.0.113.7"}


def test_custom_dimensions_are_counted() -> None:
    """ "at most 5 custom dimensions", beside the default ones."""
    own = "".join(f"<dimension name='d{number}' value='x'/>" for number in range(5))
    allowed = f"<llm-emit-token-metric>{own}<dimension name='API ID'/></llm-emit-token-metric>"
    make_gateway(inbound=allowed)
    with pytest.raises(PolicyProblems, match="takes 5 custom dimensions at most"):
        make_gateway(inbound=allowed.replace("API ID'", "d6' value='x'"))
