"""The server engine against real HTTP servers on threads: a good one, and each way to be bad."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from chat_server import GOOD, Handler, Reply, event, list_of, refuse_with, reply_with, serving
from hypothesis import given
from hypothesis import strategies as st

from repoqa.errors import ServerError, UsageError
from repoqa.models.events import event_data
from repoqa.models.profile import Endpoint, Profile
from repoqa.models.server import ServerModel
from repoqa.protocols import Silent
from repoqa.records import Message, Prompt

PROFILE = Profile("server", "server", "messages", "", answer=64, stop=("</s>",), temperature=0.5)
PROMPT = Prompt(
    messages=(Message("system", "You debug."), Message("user", "why does caf\u00e9 fail?")),
    segments=(),
    tokens=12,
    exact=False,
)


def ask(url: str, *, model: str = "", key: str = "") -> Iterator[str]:
    return ServerModel(PROFILE, Endpoint(url, model, key)).stream(PROMPT, progress=Silent())


def refusal(reply: Reply, *, listing: Reply | None = None) -> ServerError:
    """The error that the reply leads to, after exactly one attempt."""
    with serving(reply, listing=listing) as server:
        with pytest.raises(ServerError) as caught:
            list(ask(server.url))
        assert len([path for path, _, _ in server.asked if path.endswith("completions")]) <= 1
    assert "\n" not in caught.value.message
    assert caught.value.remedy
    return caught.value


# --- a good server ------------------------------------------------------------------------------


def test_the_answer_is_streamed_and_the_request_is_the_prompt() -> None:
    with serving(reply_with(*GOOD)) as server:
        assert "".join(ask(server.url, model="mine", key="k-1")) == "It f\u00e4ils."
    [(listed, _, _), (path, headers, request)] = server.asked
    assert (listed, path) == ("/v1/models", "/v1/chat/completions")
    assert headers["Authorization"] == "Bearer k-1"
    assert request == {
        "model": "mine",
        "messages": [
            {"role": "system", "content": "You debug."},
            {"role": "user", "content": "why does caf\u00e9 fail?"},
        ],
        "max_tokens": 64,
        "temperature": 0.5,
        "stop": ["</s>"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_without_a_name_the_only_model_is_asked_and_without_a_key_none_is_sent() -> None:
    with serving(reply_with(*GOOD)) as server:
        assert list(ask(server.url))
    assert [path for path, _, _ in server.asked] == ["/v1/models", "/v1/chat/completions"]
    assert server.asked[1][2]["model"] == "codellama"
    assert all("Authorization" not in headers for _, headers, _ in server.asked)


def test_an_address_without_a_path_is_that_of_v1() -> None:
    with serving(reply_with(*GOOD)) as server:
        for url in (f"http://127.0.0.1:{server.server_port}/", f"{server.url}/chat/completions/"):
            assert list(ask(url, model="m"))
    assert {path for path, _, _ in server.asked} == {"/v1/models", "/v1/chat/completions"}


def test_characters_and_lines_may_lie_across_chunks() -> None:
    content = b"".join((event("caf\u00e9 \U0001f600"), event("\u2028 \x85 end"), *GOOD[2:]))
    single = [content[place : place + 1] for place in range(len(content))]
    with serving(reply_with(*single)) as server:
        assert "".join(ask(server.url)) == "caf\u00e9 \U0001f600\u2028 \x85 end"


@pytest.mark.parametrize(
    "chunks",
    [
        (b": keep-alive\n\n", *GOOD),
        tuple(chunk.replace(b"\n", b"\r\n") for chunk in GOOD),
        tuple(chunk.replace(b"data: ", b"event: message\ndata:") for chunk in GOOD),
        GOOD[:3],  # finished, without the mark of the end
        (*GOOD[:2], b"data: [DONE]\n\n"),
        (*GOOD, event("never read")),
        (*GOOD[:3], b'data: {"choices": [], "usage": {"prompt_tokens": 3}}\n\n', GOOD[3]),
        (event(""), b'data: {"choices": [{"delta": {"content": null}}]}\n\n', *GOOD),
        (*GOOD[:3], b"data: [DONE]"),
    ],
)
def test_what_servers_add_or_leave_out(chunks: tuple[bytes, ...]) -> None:
    with serving(reply_with(*chunks)) as server:
        assert "".join(ask(server.url)) == "It f\u00e4ils."


def test_a_proxy_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with serving(reply_with(*GOOD)) as server:
        assert list(ask(server.url))


def test_closing_the_stream_closes_the_connection() -> None:
    gone = threading.Event()

    def endless(handler: Handler) -> None:
        handler.begin()
        handler.chunk(event("first"))
        # Readable with nothing to read: the client has closed.
        handler.connection.settimeout(10)
        if handler.connection.recv(1) == b"":
            gone.set()

    with serving(endless) as server:
        stream = ask(server.url)
        assert next(stream) == "first"
        stream.close()  # type: ignore[attr-defined]
        assert gone.wait(10)


def test_the_first_token_may_take_its_time() -> None:
    ready = threading.Event()

    def slow(handler: Handler) -> None:
        ready.wait(1.0)
        reply_with(*GOOD)(handler)

    with serving(slow) as server:
        assert "".join(ask(server.url)) == "It f\u00e4ils."


# --- bad servers --------------------------------------------------------------------------------


def test_no_server() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ServerError, match=f"no server answers at http://127.0.0.1:{port}/v1"):
        list(ask(f"http://127.0.0.1:{port}/v1", model="m"))


@pytest.mark.parametrize(
    ("status", "content", "told", "remedy"),
    [
        (401, b'{"error": {"message": "Incorrect API key"}}', "Incorrect API key", "API_KEY"),
        (403, b'{"detail": "no access"}', "no access", "API_KEY"),
        (404, b'{"error": "model \'m\' not found"}', "model 'm' not found", "/v1"),
        (400, b'{"message": "maximum context length is 4096"}', "length is 4096", "--budget"),
        (413, b"too large", "too large", "--budget"),
        (429, b"", "As Told", "Wait"),
        (500, b"<html>\n<b>oops</b>\x1b[31m</html>", "<b>oops</b> [31m", "log"),
        (307, b"", "status 307", "words"),
    ],
)
def test_a_refusal_is_told_in_the_servers_words(
    *, status: int, content: bytes, told: str, remedy: str
) -> None:
    error = refusal(refuse_with(status, content))
    assert f"status {status}" in error.message
    assert told in error.message
    assert remedy in error.remedy
    assert error.message.isprintable()


def test_a_long_refusal_is_cut() -> None:
    assert len(refusal(refuse_with(500, b"x" * 100_000)).message) < 500


def test_an_error_in_the_stream() -> None:
    error = refusal(reply_with(GOOD[0], b'data: {"error": {"message": "out of memory"}}\n\n'))
    assert "out of memory" in error.message


@pytest.mark.parametrize("line", [b"data: {\n\n", b"data: hello\n\n", b"data: [1]\n\n"])
def test_what_is_no_event(line: bytes) -> None:
    assert "not a chat event" in refusal(reply_with(GOOD[0], line)).message


def test_no_events_at_all() -> None:
    assert "broke off" in refusal(reply_with(b"<html>hello</html>")).message


def test_an_answer_that_stops_short() -> None:
    assert "broke off" in refusal(reply_with(*GOOD[:2])).message


def test_a_connection_that_breaks() -> None:
    def breaks(handler: Handler) -> None:
        handler.begin()
        handler.chunk(GOOD[0])
        handler.wfile.write(b"ff\r\ndata: {")
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)

    with serving(breaks) as server:
        stream = ask(server.url)
        assert next(stream) == "It "
        with pytest.raises(ServerError, match="broke"):
            list(stream)


@pytest.mark.parametrize(
    ("listing", "told"),
    [
        (list_of(), "serves 0 models"),
        (list_of("a", "b"), "serves 2 models: a, b"),
        (refuse_with(200, b"hello"), "does not list its models"),
        (refuse_with(404, b"hello"), "status 404"),
    ],
)
def test_which_model_is_asked_must_be_clear(listing: Reply, told: str) -> None:
    assert told in refusal(reply_with(*GOOD), listing=listing).message


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://host/v1", "http://", "http:///v1"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(UsageError, match="is not a server's address"):
        ServerModel(PROFILE, Endpoint(url))


def test_a_key_that_is_none() -> None:
    with pytest.raises(UsageError) as caught:
        list(ask("http://127.0.0.1:9/v1", key="secret\n"))
    assert "secret" not in str(caught.value)


def test_a_password_in_the_address_is_not_shown() -> None:
    with pytest.raises(ServerError) as caught:
        list(ask("http://me:secret@127.0.0.1:9/v1", model="m"))
    assert "secret" not in str(caught.value)


def test_half_a_character_at_the_end() -> None:
    half = event("caf\u00e9").partition(b"\xa9")[0]
    assert half.endswith(b"\xc3")
    assert "not a chat event" in refusal(reply_with(GOOD[0], half)).message


def never(handler: Handler) -> None:
    """Take the request and say nothing until the client has gone."""
    handler.connection.settimeout(10)
    handler.connection.recv(1)


def test_a_server_that_never_says_what_it_serves() -> None:
    with serving(reply_with(*GOOD), listing=never) as server:
        model = ServerModel(PROFILE, Endpoint(server.url), seconds=0.2)
        with pytest.raises(ServerError, match="does not answer") as caught:
            list(model.stream(PROMPT, progress=Silent()))
        assert "REPOQA_SERVER_MODEL" in caught.value.remedy
        named = ServerModel(PROFILE, Endpoint(server.url, "mine"), seconds=0.2)
        assert "".join(named.stream(PROMPT, progress=Silent())) == "It f\u00e4ils."


# --- what fits ----------------------------------------------------------------------------------


def listing_with(**more: object) -> Reply:
    content = json.dumps({"data": [{"id": "codellama", **more}]}).encode()
    return lambda handler: handler.whole(200, content)


def llama_cpp(window: int) -> Reply:
    def listing(handler: Handler) -> None:
        if handler.path == "/props":
            props = {"default_generation_settings": {"n_ctx": window}, "total_slots": 1}
            handler.whole(200, json.dumps(props).encode())
        else:
            listing_with(owned_by="llamacpp")(handler)

    return listing


def fitted(listing: Reply, prompt: Prompt, *, reply: Reply | None = None) -> tuple[Any, list[str]]:
    """What was sent, and what the user was told."""
    notes: list[str] = []
    with serving(reply or reply_with(*GOOD), listing=listing) as server:
        model = ServerModel(PROFILE, Endpoint(server.url), note=notes.append)
        assert list(model.stream(prompt, progress=Silent()))
    return server.asked[-1][2], notes


EXACT = replace(PROMPT, tokens=1000, exact=True)
BOUND = replace(PROMPT, tokens=1000, exact=False)


@pytest.mark.parametrize("listing", [listing_with(max_model_len=1040), llama_cpp(1040)])
def test_an_answer_is_limited_to_what_the_window_leaves_and_that_is_said(listing: Reply) -> None:
    request, notes = fitted(listing, EXACT)
    assert request["max_tokens"] == 40
    assert notes[0].endswith(
        "reads 1,040 tokens at most, the prompt has 1,000: the answer is limited to 40 tokens"
    )
    assert len(notes) == 1


@pytest.mark.parametrize("listing", [listing_with(max_model_len=900), llama_cpp(900)])
def test_a_prompt_that_cannot_fit_is_not_sent(listing: Reply) -> None:
    with serving(reply_with(*GOOD), listing=listing) as server:
        model = ServerModel(PROFILE, Endpoint(server.url))
        with pytest.raises(ServerError, match="reads 900 tokens at most") as caught:
            list(model.stream(EXACT, progress=Silent()))
        assert "--budget 836" in caught.value.remedy
        assert all(path != "/v1/chat/completions" for path, _, _ in server.asked)


def test_an_upper_bound_that_may_fit_is_left_to_the_server() -> None:
    request, notes = fitted(listing_with(max_model_len=900), BOUND)
    assert request["max_tokens"] == PROFILE.answer
    assert "about 1,000" in notes[0]
    with pytest.raises(ServerError, match="reads 500 tokens at most"):
        fitted(listing_with(max_model_len=500), BOUND)


@pytest.mark.parametrize(
    "listing",
    [
        listing_with(),
        listing_with(max_model_len=None),
        refuse_with(200, b'{"data": [{"id": "m"}]}'),
    ],
)
def test_a_server_that_tells_no_window_is_asked_for_all(listing: Reply) -> None:
    request, notes = fitted(listing, EXACT)
    assert (request["max_tokens"], notes) == (PROFILE.answer, [])


@pytest.mark.parametrize(
    ("prompt", "read", "is_told"),
    [
        (EXACT, 1000, False),
        (EXACT, 980, False),
        (EXACT, 512, True),
        (BOUND, 620, False),
        (BOUND, 256, True),
    ],
)
def test_a_prompt_that_the_server_cut_is_told(*, prompt: Prompt, read: int, is_told: bool) -> None:
    usage = f'data: {{"choices": [], "usage": {{"prompt_tokens": {read}}}}}\n\n'.encode()
    reply = reply_with(*GOOD[:3], usage, GOOD[3])
    _, notes = fitted(listing_with(), prompt, reply=reply)
    assert [f"read only {read} tokens" in note for note in notes] == [True] * is_told


# --- Ollama -------------------------------------------------------------------------------------

OLLAMA = replace(PROFILE, protocol="ollama", reliable_window=3000, maximum=9000)
INFO = {
    "general.architecture": "llama",
    "llama.context_length": 16_384,
    "llama.rope.freq_base": 1e6,
}


def line(text: str, **more: object) -> bytes:
    message = {"role": "assistant", "content": text}
    return (json.dumps({"message": message, "done": False, **more}) + "\n").encode()


OLLAMA_GOOD = (line("It "), line("f\u00e4ils."), line("", done=True, prompt_eval_count=1000))


def ollama(*chunks: bytes, info: dict[str, Any] = INFO) -> Reply:
    def reply(handler: Handler) -> None:
        if handler.path == "/api/show":
            handler.whole(200, json.dumps({"model_info": info}).encode())
        else:
            reply_with(*chunks)(handler)

    return reply


def tags(*names: str) -> Reply:
    content = json.dumps({"models": [{"name": name} for name in names]}).encode()
    return lambda handler: handler.whole(200, content)


def ask_ollama(
    reply: Reply, prompt: Prompt = EXACT, *, profile: Profile = OLLAMA
) -> tuple[str, Any, list[str]]:
    """The answer, what was asked at last, and what the user was told."""
    notes: list[str] = []
    with serving(reply, listing=tags("codellama:7b")) as server:
        model = ServerModel(profile, Endpoint(server.url), note=notes.append)
        text = "".join(model.stream(prompt, progress=Silent()))
    paths = [path for path, _, _ in server.asked]
    assert paths == ["/api/tags", "/api/show", "/api/chat"]
    return text, server.asked[-1][2], notes


def test_ollama_is_told_how_much_to_read() -> None:
    text, request, notes = ask_ollama(ollama(*OLLAMA_GOOD))
    assert (text, notes) == ("It f\u00e4ils.", [])
    assert request["model"] == "codellama:7b"
    assert (request["stream"], request["truncate"], request["shift"]) == (True, False, False)
    assert request["options"] == {
        "num_ctx": 3072,
        "num_predict": 64,
        "temperature": 0.5,
        "top_p": 1.0,
        "stop": ["</s>"],
    }


def test_ollamas_window_is_the_same_for_every_window_of_a_sweep() -> None:
    sizes = [
        ask_ollama(ollama(*OLLAMA_GOOD), replace(BOUND, tokens=n))[1]["options"]["num_ctx"]
        for n in (200, 2000, 2990, 7000)
    ]
    assert sizes == [3072, 3072, 3072, 7168]


def test_ollama_with_a_shorter_window_than_the_prompt_is_not_asked() -> None:
    with pytest.raises(ServerError, match="reads 900 tokens at most"):
        ask_ollama(ollama(*OLLAMA_GOOD, info={**INFO, "llama.context_length": 900}))


def test_ollama_with_a_lost_rope_base_is_refused() -> None:
    code_llama = replace(OLLAMA, rope_theta=1e6)
    assert ask_ollama(ollama(*OLLAMA_GOOD), profile=code_llama)[0]
    lost = {**INFO, "llama.rope.freq_base": 10_000.0}
    with pytest.raises(ServerError, match="RoPE base of 10,000, not 1,000,000"):
        ask_ollama(ollama(*OLLAMA_GOOD, info=lost), profile=code_llama)


def test_ollama_that_cut_the_prompt_is_told() -> None:
    _, _, notes = ask_ollama(ollama(OLLAMA_GOOD[0], line("", done=True, prompt_eval_count=400)))
    assert "read only 400 tokens of the prompt's 1,000" in notes[0]


@pytest.mark.parametrize(
    ("chunks", "told"),
    [
        (OLLAMA_GOOD[:2], "broke off"),
        ((), "broke off"),
        ((OLLAMA_GOOD[0], b'{"error": "out of memory"}\n'), "out of memory"),
        ((OLLAMA_GOOD[0], b"data: {}\n"), "does not talk as Ollama does"),
        ((OLLAMA_GOOD[0], line("x")[:20]), "does not talk as Ollama does"),
        (('{"message": {"content": "caf\u00e9'.encode()[:-1],), "does not talk as Ollama does"),
    ],
)
def test_what_ollama_may_do_wrong(chunks: tuple[bytes, ...], told: str) -> None:
    with pytest.raises(ServerError, match=told):
        ask_ollama(ollama(*chunks))


def test_ollama_characters_may_lie_across_chunks() -> None:
    content = b"".join((line("caf\u00e9 \U0001f600").replace(b"\n", b"\r\n"), *OLLAMA_GOOD[2:]))
    raw = content.replace(b"\\u00e9", "\u00e9".encode())
    text, _, _ = ask_ollama(ollama(*[raw[place : place + 1] for place in range(len(raw))]))
    assert text == "caf\u00e9 \U0001f600"


@pytest.mark.parametrize(
    ("show", "told"),
    [((404, b'{"error": "model not found"}'), "model not found"), ((500, b"x"), "500")],
)
def test_ollama_that_refuses(show: tuple[int, bytes], told: str) -> None:
    with (
        serving(refuse_with(*show), listing=tags("m")) as server,
        pytest.raises(ServerError, match=told),
    ):
        list(ServerModel(OLLAMA, Endpoint(server.url)).stream(PROMPT, progress=Silent()))


@pytest.mark.parametrize("names", [(), ("a", "b")])
def test_which_of_ollamas_models_is_asked_must_be_clear(names: tuple[str, ...]) -> None:
    with (
        serving(ollama(*OLLAMA_GOOD), listing=tags(*names)) as server,
        pytest.raises(ServerError, match=f"has {len(names)} models"),
    ):
        list(ServerModel(OLLAMA, Endpoint(server.url)).stream(PROMPT, progress=Silent()))


@pytest.mark.parametrize("end", ["", "/", "/v1", "/api", "/api/chat"])
def test_ollamas_address_may_be_written_as_its_documents_do(end: str) -> None:
    with serving(ollama(*OLLAMA_GOOD), listing=tags("m")) as server:
        url = f"http://127.0.0.1:{server.server_port}{end}"
        assert list(ServerModel(OLLAMA, Endpoint(url)).stream(EXACT, progress=Silent()))


# --- events -------------------------------------------------------------------------------------


@given(
    texts=st.lists(st.text(min_size=1).filter(lambda text: not set(text) & set("\r\n"))),
    size=st.integers(1, 7),
)
def test_events_come_back_whatever_the_chunks(texts: list[str], size: int) -> None:
    content = "".join(f"data: {text}\n\n" for text in texts).encode("utf-8", "replace")
    chunks = [content[place : place + size] for place in range(0, len(content), size)]
    expected = [text.encode("utf-8", "replace").decode() for text in texts]
    assert list(event_data(chunks)) == expected


def test_an_event_of_several_lines() -> None:
    assert list(event_data([b"id: 1\ndata: a\ndata:b\n\n\n\n:c\n\ndata: d"])) == ["a\nb", "d"]
