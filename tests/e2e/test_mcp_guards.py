"""What `tacit mcp` lets nobody do: be somebody else, be driven by a web page, or tell in a log."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.demo.process import ServerProcess
from tests.e2e.assistants import YES, over_http, over_stdio, serving_http, someone, token
from tests.e2e.conftest import Run, only_line

HEADERS = {"Accept": "application/json, text/event-stream"}
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {"elicitation": {}},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}


@pytest.fixture(scope="module")
def url(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("mcp") / "log"
    with serving_http(server, log, "--http-url", "https://memory.example") as url:
        yield url
    assert log.read_text() == ""


@pytest.fixture
def person() -> str:
    return f"amara-{uuid.uuid4().hex[:8]}"


def _send(url: str, message: dict[str, Any] = HELLO, **headers: str) -> httpx.Response:
    told = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(url, json=message, headers=told, timeout=30)


def test_a_request_without_a_token_opens_nothing(url: str) -> None:
    for headers in ({}, {"authorization": "Basic YTpi"}):
        answer = _send(url, **headers)
        assert answer.status_code == 401
        assert "mcp-session-id" not in answer.headers


def test_a_session_is_there_for_the_token_that_opened_it_alone(
    url: str, server: ServerProcess, person: str
) -> None:
    mine = f"Bearer {token(server, person)}"
    session = _send(url, authorization=mine).headers["mcp-session-id"]
    assert _send(url, LIST, authorization=mine, mcp_session_id=session).status_code == 200
    for other in ("forged", token(server, "ben"), token(server, person, client="other")):
        answer = _send(url, LIST, authorization=f"Bearer {other}", mcp_session_id=session)
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example:80"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://memory.example"}, 403),
        ({"host": "memory.example", "origin": "https://memory.example"}, 200),
        ({"origin": "http://127.0.0.1:5173"}, 200),
    ],
)
def test_a_web_site_cannot_have_a_browser_call_it(
    url: str, server: ServerProcess, person: str, headers: dict[str, str], status: int
) -> None:
    bearer = f"Bearer {token(server, person)}"
    assert _send(url, authorization=bearer, **headers).status_code == status


def test_people_at_one_server_are_kept_apart(url: str, server: ServerProcess, person: str) -> None:
    async def conversations() -> None:
        amara, ben = someone(YES), someone(YES)
        async with over_http(url, token(server, person), amara) as hers:
            kept = await hers.call("remember", text="I like figs.")
            async with over_http(url, token(server, f"ben-{person}"), ben) as his:
                await his.call("remember", text="I swim on Mondays.")
                both = await asyncio.gather(hers.call("list_memories"), his.call("list_memories"))
                texts = [[one["text"] for one in each["memories"]] for each in both]
                assert texts == [["I like figs."], ["I swim on Mondays."]]
                stranger = await his.refused("forget_memory", id=kept["memory"]["id"])
                assert "RESOURCE_NOT_FOUND" in stranger
        assert (len(amara.asked), len(ben.asked)) == (1, 1)

    asyncio.run(conversations())


def test_an_assistants_token_serves_the_person_that_the_command_names(
    server: ServerProcess, person: str, tmp_path: Path
) -> None:
    async def conversation(url: str) -> None:
        amara = someone(YES)
        async with over_http(url, token(server, None), amara) as assistant:
            await assistant.call("remember", text="I like figs.")
            (consent,) = (await assistant.call("list_consents"))["consents"]
            assert consent["assistant"] == "companion"
        async with over_http(url, token(server, "ben"), amara) as other:
            assert "PERSON_MISMATCH" in await other.refused("recall", query="figs")

    with serving_http(server, tmp_path / "log", "--person", person) as url:
        asyncio.run(conversation(url))


def test_only_a_persons_own_token_says_who_is_meant(url: str, server: ServerProcess) -> None:
    async def conversation() -> None:
        for bearer, told in ((token(server, None), "people/me"), ("forged", "TOKEN_INVALID")):
            async with over_http(url, bearer, someone(YES)) as assistant:
                assert told in await assistant.refused("recall", query="figs")
                assert await assistant.refused("ask_consent", purpose="assistance")
                assert await assistant.refused("withdraw_consent", purpose="assistance")

    asyncio.run(conversation())


def test_a_client_that_shows_links_and_no_forms_cannot_ask(
    url: str, server: ServerProcess, person: str
) -> None:
    params = {**HELLO["params"], "capabilities": {"elicitation": {"url": {}}}}
    told = {"authorization": f"Bearer {token(server, person)}"}
    told["mcp_session_id"] = _send(url, {**HELLO, "params": params}, **told).headers[
        "mcp-session-id"
    ]
    _send(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, **told)
    call = {"name": "remember", "arguments": {"text": "I like figs."}}
    answer = _send(url, {**LIST, "method": "tools/call", "params": call}, **told).text
    assert "it has no elicitation" in answer
    assert '"isError":true' in answer


def test_nobody_is_asked_for_a_purpose_of_other_assistants(tmp_path: Path) -> None:
    with _server(tmp_path, 'assistants = ["other"]\n') as server:

        async def conversation() -> None:
            amara = someone(YES)
            async with over_stdio(server, "amara", amara, tmp_path / "log") as assistant:
                told = await assistant.refused("remember", text="I like figs.")
                assert "for other assistants alone" in told
            assert amara.asked == []

        asyncio.run(conversation())


def test_a_yes_to_one_assistant_is_none_to_another(
    server: ServerProcess, person: str, tmp_path: Path
) -> None:
    async def conversation() -> None:
        amara = someone(YES)
        for client in ("companion", "other"):
            async with over_stdio(server, person, amara, tmp_path / "log", client=client) as one:
                await one.call("remember", text="I like figs.")
        assert ["'companion'" in each.message for each in amara.asked] == [True, False]

    asyncio.run(conversation())


def test_specially_protected_data_takes_an_explicit_yes(tmp_path: Path) -> None:
    more = (
        'notice = "Read this."\nspecial_category = true\nretention = "90d"\n'
        'data_categories = ["https://w3id.org/dpv/pd#Health"]\n'
    )
    with _server(tmp_path, more) as server:

        async def conversation() -> None:
            amara = someone(YES)
            async with over_stdio(server, "amara", amara, tmp_path / "log") as assistant:
                await assistant.call("remember", text="My knee hurts.")
            for told in ("Read this.", "for 90 days", "uses: Health", "specially protected"):
                assert told in amara.asked[0].message

        asyncio.run(conversation())


@contextmanager
def _server(folder: Path, more: str) -> Iterator[ServerProcess]:
    """A server whose one purpose, assistance, also says `more`."""
    purposes = folder / "purposes.toml"
    purposes.write_text(
        '[assistance]\ntitle = "Help"\ndpv = "https://w3id.org/dpv#CareProvision"\n'
        f'description = "So."\n{more}'
    )
    server = ServerProcess(folder / "data", ("--purposes", str(purposes)))
    server.start()
    try:
        yield server
    finally:
        server.kill()


def test_what_cannot_be_read_is_not_repeated_in_a_log(server: ServerProcess) -> None:
    environment = {"TACIT_ADDRESS": server.address, "TACIT_DATA": str(server.data)}
    lines = ['{"I like figs": "and this is no message"}', "I like figs"]
    with subprocess.Popen(
        [sys.executable, "-m", "server.cli", "mcp", "--person", "amara"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n".join([*lines, ""]))
        process.stdin.flush()
        for _ in lines:
            answer = process.stdout.readline()
            assert "Internal Server Error" in answer
            assert "figs" not in answer
        assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0


def test_an_interrupt_ends_it_while_its_input_is_open(server: ServerProcess) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "server.cli", "mcp", "-p", "amara", "--data", str(server.data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(HELLO) + "\n")
        process.stdin.flush()
        assert "Tacit" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == -signal.SIGINT


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--person is missing"),
        (["-p", "a", "--address", "10.1.2.3:50051"], "another machine"),
        (["--http", "127.0.0.1:0", "--token", "x"], "leave --token out"),
        (["--http", "0.0.0.0:0"], "put a proxy with TLS before it"),
        (
            ["--http", "0.0.0.0:0", "--http-url", "http://memory.example"],
            "must begin with https://",
        ),
        (["--http", "127.0.0.1:port"], "no HOST:PORT of this machine"),
        (["--http", "127.0.0.1:99999"], "no HOST:PORT of this machine"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("server")
def test_a_mistake_is_told_in_one_line(run: Run, arguments: list[str], told: str) -> None:
    assert told in only_line(run("mcp", *arguments))


def test_without_the_extra_it_says_what_to_install() -> None:
    command = "import sys; sys.modules['mcp'] = None; from server.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", command, "mcp", "-p", "amara"],  # as where it is not installed
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "pip install 'tacit-memory[mcp]'" in only_line(result)
