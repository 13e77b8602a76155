"""`tacit mcp` as assistants meet it: the SDK's own client, over stdio and over HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import sys
import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import McpError

from server.demo.process import ServerProcess
from tests.e2e.assistants import (
    BROKEN,
    DECLINED,
    DISMISSED,
    EMPTY,
    NO,
    PATH,
    VAGUE,
    YES,
    Assistant,
    Reply,
    Someone,
    over_http,
    over_stdio,
    serving_http,
    someone,
    token,
)
from tests.e2e.conftest import Run

Meet = Callable[[Someone | None], AbstractAsyncContextManager[Assistant]]


@pytest.fixture(scope="module")
def url(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("mcp") / "log"
    with serving_http(server, log) as url:
        yield url
    assert log.read_text() == ""


@pytest.fixture
def person() -> str:
    return f"amara-{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=["stdio", "http"])
def meet(
    request: pytest.FixtureRequest,
    server: ServerProcess,
    person: str,
    tmp_path: Path,
) -> Iterator[Meet]:
    """`meet(someone)`: the person's assistant; None: its client cannot ask them."""
    log = tmp_path / "log"
    log.touch()

    def over(asked: Someone | None) -> AbstractAsyncContextManager[Assistant]:
        if request.param == "stdio":
            return over_stdio(server, person, asked, log)
        return over_http(request.getfixturevalue("url"), token(server, person), asked)

    yield over
    assert log.read_text() == ""


def _run(conversation: Coroutine[Any, Any, None]) -> None:
    asyncio.run(conversation)


def test_an_assistant_asks_remembers_recalls_and_forgets(meet: Meet) -> None:
    async def conversation() -> None:
        amara = someone(YES)
        async with meet(amara) as assistant:
            said = await assistant.call(
                "remember",
                text="My sister Priya keeps bees.",
                speaker="Amara",
                event_time="2026-03-01T15:30:00Z",
            )
            (asked,) = amara.asked
            for told in ("Help me in conversations", "answer you better later", "'companion'"):
                assert told in asked.message
            assert "until you delete it" in asked.message
            assert asked.requestedSchema["required"] == ["yes"]
            assert "default" not in asked.requestedSchema["properties"]["yes"]
            memory = said["memory"]
            assert "Priya" not in memory["text"]
            assert "Amara" not in memory["speaker"]
            again = await assistant.call(
                "remember",
                text="My sister Priya keeps bees.",
                speaker="Amara",
                event_time="2026-03-01T15:30:00Z",
            )
            assert again["merged"]
            await assistant.call("remember", text="I can't have peanuts.")

            found = await assistant.call("recall", query="who has bees?", limit=1)
            assert [hit["memory"]["id"] for hit in found["hits"]] == [memory["id"]]
            early = await assistant.call(
                "recall", query="bees", event_end_time="2026-03-01T00:00:00Z"
            )
            assert early["hits"] == []
            built = await assistant.call("build_context", query="what can I cook?", max_tokens=200)
            assert "peanuts" in built["text"]
            assert built["citations"][0]["mark"] in built["text"]
            listed = await assistant.call("list_memories", limit=1)
            assert (len(listed["memories"]), listed["more"]) == (1, True)
            (consent,) = (await assistant.call("list_consents"))["consents"]
            assert (consent["purpose"], consent["assistant"]) == ("assistance", "companion")
            assert len(amara.asked) == 1

            assert await assistant.call("forget_memory", id=memory["id"]) == {"deleted_count": 1}
            assert "RESOURCE_NOT_FOUND" in await assistant.refused("forget_memory", id=memory["id"])
            left = await assistant.call("list_memories")
            assert [one["text"] for one in left["memories"]] == ["I can't have peanuts."]

    _run(conversation())


def test_calls_that_come_together_are_one_question(meet: Meet) -> None:
    async def conversation() -> None:
        amara = someone(YES)
        async with meet(amara) as assistant:
            said = ("I like figs.", "I swim on Mondays.", "I play the cello.")
            await asyncio.gather(*(assistant.call("remember", text=text) for text in said))
            assert len(amara.asked) == 1
            assert len((await assistant.call("list_memories"))["memories"]) == 3

    _run(conversation())


@pytest.mark.parametrize("reply", [NO, DECLINED], ids=["no", "declined"])
def test_a_no_is_recorded_and_not_asked_for_again(meet: Meet, reply: Reply) -> None:
    async def conversation() -> None:
        amara = someone(reply, YES)
        async with meet(amara) as assistant:
            assert "said no" in await assistant.refused("remember", text="I like figs.")
            assert "Do not ask again" in await assistant.refused("recall", query="figs")
            assert len(amara.asked) == 1
            (consent,) = (await assistant.read("tacit://consents"))["consents"]
            assert consent["state"] == "refused"
            allowed = await assistant.call("ask_consent", purpose="assistance")
            assert allowed["state"] == "given"
            await assistant.call("remember", text="I like figs.")

    _run(conversation())


@pytest.mark.parametrize("reply", [DISMISSED, EMPTY, VAGUE], ids=["dismissed", "empty", "vague"])
def test_what_was_not_decided_is_neither_a_yes_nor_a_no(meet: Meet, reply: Reply) -> None:
    async def conversation() -> None:
        async with meet(someone(reply, YES)) as assistant:
            assert "did not decide" in await assistant.refused("remember", text="I like figs.")
            assert await assistant.call("list_consents") == {"consents": []}
            await assistant.call("remember", text="I like figs.")  # asked once more

    _run(conversation())


@pytest.mark.parametrize("asked", [None, someone(BROKEN)], ids=["no elicitation", "broken"])
def test_where_nobody_can_be_asked_nothing_is_done(
    meet: Meet, run: Run, person: str, asked: Someone | None
) -> None:
    async def conversation() -> None:
        async with meet(asked) as assistant:
            told = await assistant.refused("remember", text="I like figs.")
            command = "tacit consent grant assistance --assistant companion --person"
            assert command in told
            assert await assistant.call("list_consents") == {"consents": []}
            run(*command.split()[1:], person)
            await assistant.call("remember", text="I like figs.")
            assert "tacit forget" in await assistant.refused("forget_person")
            assert len((await assistant.call("list_memories"))["memories"]) == 1

    _run(conversation())


def test_real_names_take_a_second_yes(meet: Meet) -> None:
    async def conversation() -> None:
        amara = someone(YES)
        async with meet(amara) as assistant:
            assert await assistant.call("list_memories") == {"memories": [], "more": False}
            await assistant.call("remember", text="My sister Priya keeps bees.")
            found = await assistant.call("recall", query="bees", reveal=True)
            assert "Priya" in found["hits"][0]["memory"]["text"]
            assert "Show real names" in amara.asked[1].message
            assert len(amara.asked) == 2

    _run(conversation())


def test_a_withdrawal_holds_for_the_next_call(meet: Meet) -> None:
    async def conversation() -> None:
        amara = someone(YES)
        async with meet(amara) as assistant:
            await assistant.call("remember", text="I like figs.")
            (ended,) = (await assistant.call("withdraw_consent", purpose="assistance"))["consents"]
            assert ended["state"] == "withdrawn"
            assert "said no" in await assistant.refused("recall", query="figs")
            assert len(amara.asked) == 1
            ended = await assistant.call("withdraw_consent", purpose="assistance")
            assert ended["consents"] == []
            assert "assistance, " in await assistant.refused("ask_consent", purpose="spying")

    _run(conversation())


def test_everything_goes_only_when_the_person_confirms(meet: Meet) -> None:
    async def conversation() -> None:
        amara = someone(YES, NO, DECLINED, DISMISSED, YES)
        async with meet(amara) as assistant:
            await assistant.call("remember", text="I like figs.")
            for _ in range(3):
                assert "Nothing was erased" in await assistant.refused("forget_person")
            assert len((await assistant.call("list_memories"))["memories"]) == 1
            gone = await assistant.call("forget_person")
            assert (gone["state"], gone["memory_count"], gone["consent_count"]) == ("done", 1, 1)
            assert "Nobody can bring it back" in amara.asked[-1].message
            assert await assistant.call("list_consents") == {"consents": []}
            assert (await assistant.call("list_memories"))["memories"] == []  # said yes anew
            assert len(amara.asked) == 6

    _run(conversation())


def test_the_profile_is_a_resource_that_asks_nobody(meet: Meet) -> None:
    async def conversation() -> None:
        amara = someone(YES)
        async with meet(amara) as assistant:
            resources = (await assistant.session.list_resources()).resources
            assert {str(each.uri) for each in resources} == {"tacit://profile", "tacit://consents"}
            with pytest.raises(McpError, match="CONSENT_MISSING"):
                await assistant.read("tacit://profile")
            assert amara.asked == []
            kept = await assistant.call("remember", text="I live in Leeds.", extract=True)
            assert kept["derived"]
            await assistant.call("ask_consent", purpose="profile")
            entries = (await assistant.read("tacit://profile"))["entries"]
            assert any("Leeds" in entry["text"] for entry in entries)

    _run(conversation())


def test_a_tool_says_what_it_does_and_what_it_takes(meet: Meet) -> None:
    async def conversation() -> None:
        async with meet(None) as assistant:
            listed = (await assistant.session.list_tools()).tools
            hints = {}
            for tool in listed:
                assert tool.title
                assert tool.description
                assert tool.outputSchema
                assert tool.annotations
                assert tool.annotations.openWorldHint is False
                hints[tool.name] = (
                    tool.annotations.readOnlyHint,
                    tool.annotations.destructiveHint,
                    tool.annotations.idempotentHint,
                )
            assert hints == {
                "remember": (False, False, False),
                "recall": (True, None, True),
                "build_context": (True, None, True),
                "list_memories": (True, None, True),
                "forget_memory": (False, True, True),
                "forget_person": (False, True, True),
                "ask_consent": (False, False, False),
                "withdraw_consent": (False, False, True),
                "list_consents": (True, None, True),
            }
            arguments = {name for tool in listed for name in tool.inputSchema["properties"]}
            assert not arguments & {"person", "confirm", "consent", "allow"}
            for wrong in ({"text": ""}, {"text": "x", "event_time": "2026-03-01T15:30:00"}):
                await assistant.refused("remember", **wrong)
            for id_ in ("x", "../../ben/memories/" + "0" * 32, "0" * 32 + "/x"):
                assert "pattern" in await assistant.refused("forget_memory", id=id_)

    _run(conversation())


def test_the_configuration_of_the_page_works(run: Run, server: ServerProcess) -> None:
    page = (Path(__file__).parents[2] / "docs" / "mcp.md").read_text(encoding="utf-8")
    (minting,) = re.findall(r"^    (tacit token --client .*)$", page, re.MULTILINE)
    (block,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    told = json.loads(block)["mcpServers"]["tacit"]
    bearer = run(*shlex.split(minting)[1:]).stdout.strip()
    assert (told["command"], list(told["env"])) == ("tacit", ["TACIT_TOKEN"])
    arguments = [each.replace("127.0.0.1:50051", server.address) for each in told["args"]]

    async def conversation() -> None:
        process = StdioServerParameters(
            command=sys.executable,
            args=["-m", "server.cli", *arguments],
            env={"TACIT_TOKEN": bearer} | PATH,
        )
        async with (
            stdio_client(process) as (reads, writes),
            ClientSession(reads, writes, elicitation_callback=someone(YES)) as session,
        ):
            await session.initialize()
            assistant = Assistant(session)
            await assistant.call("remember", text="My sister Priya keeps bees.")
            found = await assistant.call("recall", query="bees", reveal=True)
            assert "Priya" in found["hits"][0]["memory"]["text"]
            assert (await assistant.call("forget_person"))["state"] == "done"

    _run(conversation())
