"""OpenAI's own Python client, unchanged, against an address: the simulator's or the door's.

    openai_client.py BASE_URL MODEL

Prints a line for each check, and ends with 1 when one fails.
"""

import asyncio
import sys

import openai

base_url, model = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key="sk-placeholder", max_retries=0)
question = [
    {"role": "system", "content": "Answer briefly."},
    {"role": "user", "content": "Lanes runs tasks side by side. It says where the time goes. Why?"},
]


def plain():
    answer = client.chat.completions.create(model=model, messages=question, max_tokens=50)
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def stream():
    whole = client.chat.completions.create(model=model, messages=question)
    pieces = list(client.chat.completions.create(model=model, messages=question, stream=True))
    text = "".join(p.choices[0].delta.content or "" for p in pieces if p.choices)
    assert text == whole.choices[0].message.content, text
    assert len(pieces) > 3
    assert not any(p.usage for p in pieces)


def stream_with_usage():
    options = {"include_usage": True}
    pieces = list(
        client.chat.completions.create(
            model=model, messages=question, stream=True, stream_options=options
        )
    )
    assert pieces[-1].choices == [] and pieces[-1].usage.completion_tokens > 0


def stream_helper():
    with client.chat.completions.stream(model=model, messages=question) as events:
        final = events.get_final_completion()
    assert final.choices[0].message.content


def image():
    pixel = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg=="
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": pixel}},
    ]
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": parts}]
    )
    assert answer.choices[0].message.content


def tools_are_taken():
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    answer = client.chat.completions.create(model=model, messages=question, tools=[tool])
    assert answer.choices[0].finish_reason


def models():
    listed = [m.id for m in client.models.list()]
    assert model in listed, listed


def bad_request():
    try:
        client.chat.completions.create(model=model, messages=[])
    except openai.BadRequestError as error:
        assert error.status_code == 400 and error.body["message"]
    else:
        raise AssertionError("an empty conversation was answered")


def unknown_model():
    try:
        client.chat.completions.create(model="no-such-model", messages=question)
    except openai.NotFoundError as error:
        assert error.code == "model_not_found", error.code
    else:
        raise AssertionError("a model that is not there has answered")


def asynchronous():
    async def ask():
        async with openai.AsyncOpenAI(base_url=base_url, api_key="x", max_retries=0) as other:
            answers = await asyncio.gather(
                *(other.chat.completions.create(model=model, messages=question) for _ in range(8))
            )
            stream = await other.chat.completions.create(
                model=model, messages=question, stream=True
            )
            text = "".join([p.choices[0].delta.content or "" async for p in stream if p.choices])
            return answers, text

    answers, text = asyncio.run(ask())
    assert all(a.choices[0].message.content for a in answers) and text


def raw_headers():
    raw = client.chat.completions.with_raw_response.create(model=model, messages=question)
    assert raw.headers["content-type"].startswith("application/json")
    assert raw.parse().choices


checks = [plain, stream, stream_with_usage, stream_helper, image, tools_are_taken, models,
          bad_request, unknown_model, asynchronous, raw_headers]
failed = 0
for check in checks:
    try:
        check()
        print(f"ok {check.__name__}")
    except Exception as error:  # noqa: BLE001 - whatever it is, the next check goes on
        failed += 1
        print(f"FAILED {check.__name__}: {type(error).__name__}: {error}")
print(f"  {len(checks) - failed} passed")
if failed:
    print(f"  {failed} failed")
    sys.exit(1)
