"""Conversations that LangChain, LlamaIndex and the Agents SDK keep in a real server."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from agents import Agent, ModelResponse, RunConfig, Runner, SessionSettings, Usage, function_tool
from agents.memory import Session
from agents.models.interface import Model
from langchain_core.callbacks.manager import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    ToolMessage,
)
from langchain_core.messages import (
    ChatMessage as NamedMessage,
)
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables.history import RunnableWithMessageHistory
from llama_index.core.base.llms.types import (
    ChatMessage,
    ImageBlock,
    MessageRole,
    TextBlock,
    ToolCallBlock,
)
from llama_index.core.memory import Memory as LlamaMemory
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)
from sqlalchemy.ext.asyncio import create_async_engine

from memory.client import Client, ConsentMissing, Person
from memory.integrations.items import Unreadable
from memory.integrations.langchain import TacitChatMessageHistory, TacitRetriever
from memory.integrations.llamaindex import TacitMemory, TacitMemoryBlock
from memory.integrations.openai_agents import TacitSession

SAID = "My sister Priya Raman keeps bees in Leeds."
KEY = ("-----BEGIN PRIVATE KEY-----\nMIIEvQ", "AoIBAQ\n-----END PRIVATE KEY-----")


class Echo(BaseChatModel):
    """Answers with how many messages it was given, and the first of them."""

    @property
    def _llm_type(self) -> str:
        return "echo"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        answer = AIMessage(f"{len(messages)}: {messages[0].content}")
        return ChatResult(generations=[ChatGeneration(message=answer)])


def test_langchain_messages_come_back_equal_and_are_anonymized(amara: Person) -> None:
    said: list[BaseMessage] = [
        HumanMessage(SAID, id="m-1"),
        AIMessage(
            "",
            tool_calls=[{"name": "weather", "args": {"city": "Leeds", "days": 2}, "id": "call_1"}],
            usage_metadata={"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
        ),
        ToolMessage("\x1b[1mSunny\x1b[0m", tool_call_id="call_1", artifact={"raw": [1.5, None]}),
        AIMessage([{"type": "text", "text": "Sunny,\nand warm."}], name="helper"),
        HumanMessage("ok"),
        HumanMessage("ok"),
    ]
    history = TacitChatMessageHistory(amara, "chat-1", reveal=True)
    history.add_messages(said)
    assert history.messages == said
    hidden = TacitChatMessageHistory(amara, "chat-1").messages
    assert "Priya" not in str(hidden)
    assert "person_1 keeps bees" in str(hidden[0].content)
    assert hidden[3:] == said[3:]
    assert [each.type for each in hidden] == [each.type for each in said]
    amara.store("Not a message.", session="chat-1")
    history.clear()
    assert history.messages == []
    assert [each.text for each in amara.memories()] == ["Not a message."]


def test_langchain_runs_with_its_history(amara: Person) -> None:
    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("past"), ("human", "{said}")])
    with pytest.warns(DeprecationWarning, match="LangGraph's built-in persistence"):
        chat = RunnableWithMessageHistory(
            prompt | Echo(),
            lambda session: TacitChatMessageHistory(amara, session, reveal=True),
            input_messages_key="said",
            history_messages_key="past",
        )
    config: Any = {"configurable": {"session_id": "chat-2"}}
    assert chat.invoke({"said": SAID}, config).content == f"1: {SAID}"
    assert chat.invoke({"said": "Who?"}, config).content == f"3: {SAID}"
    assert asyncio.run(chat.ainvoke({"said": "Who?"}, config)).content == f"5: {SAID}"


def test_langchain_retrieves_documents_that_say_why(amara: Person) -> None:
    event = datetime(2026, 3, 1, tzinfo=UTC)
    stored = amara.store(SAID, session="s", event_time=event).memory
    amara.store("I play the cello.", kind="fact")
    retriever = TacitRetriever(person=amara, k=1, reveal=True)
    (found,) = retriever.invoke("who has bees?")
    assert (found.id, found.page_content) == (stored.name, SAID)
    assert found.metadata["score"] == pytest.approx(sum(found.metadata["parts"].values()))
    assert found.metadata["event_time"] == event
    assert len(asyncio.run(retriever.ainvoke("bees", k=2))) == 2
    facts = TacitRetriever(person=amara, only={"kinds": ["fact"]})
    assert [each.page_content for each in facts.invoke("bees")] == ["I play the cello."]


def test_a_langchain_message_that_cannot_be_read_breaks_no_history(amara: Person) -> None:
    split = [{"type": "text", "text": "I am Priya"}, {"type": "text", "text": "Bell, hello"}]
    said: list[BaseMessage] = [HumanMessage("ok"), NamedMessage(split, role="Priya Bell")]
    history = TacitChatMessageHistory(amara, "chat-1", reveal=True)
    history.add_messages([*said, AIMessage("Hello!")])
    assert history.messages == [*said, AIMessage("Hello!")]
    hidden = TacitChatMessageHistory(amara, "chat-1")
    first, words, last = hidden.messages
    assert (first, last) == (said[0], AIMessage("Hello!"))
    assert str(words.content).startswith("I am person_1, hello")
    assert "Priya" not in str(words)
    assert words.response_metadata == {"unreadable": True}
    hidden.clear()
    assert list(amara.memories()) == []


def test_without_consent_no_framework_stores_or_reads(client: Client) -> None:
    ben = client.person(f"ben-{uuid.uuid4().hex[:8]}")
    with pytest.raises(ConsentMissing):
        TacitRetriever(person=ben).invoke("bees")
    with pytest.raises(ConsentMissing):
        TacitChatMessageHistory(ben, "chat-1").add_user_message(SAID)
    with pytest.raises(ConsentMissing):
        TacitMemory(person=ben, session_id="chat-1").get()
    ben.grant("assistance")
    TacitChatMessageHistory(ben, "chat-1").add_user_message(SAID)
    with pytest.raises(ConsentMissing):
        asyncio.run(TacitSession("chat-1", ben, reveal=True).get_items())


def test_llamaindex_keeps_a_conversation(amara: Person) -> None:
    memory = TacitMemory(person=amara, session_id="chat-1", reveal=True)
    said = [
        ChatMessage(SAID),
        ChatMessage(
            role="assistant",
            blocks=[
                TextBlock(text="Let me look."),
                ToolCallBlock(tool_call_id="call_1", tool_name="weather", tool_kwargs={"of": SAID}),
            ],
        ),
        ChatMessage("Sunny.", role="tool", additional_kwargs={"tool_call_id": "call_1", "n": None}),
        ChatMessage(role="user", blocks=[ImageBlock(url="https://example.org/bees.png")]),
    ]
    memory.put_messages(said)
    memory.put(ChatMessage("x" * 25_000))
    assert memory.get() == [*said, ChatMessage("x" * 25_000)]
    assert len(list(amara.memories())) == 7
    hidden = TacitMemory.from_defaults(person=amara, session_id="chat-1")
    assert "Priya" not in str(hidden.get_all())
    assert "person" not in hidden.to_dict()

    async def later() -> None:
        await memory.aset(said[:1])
        await memory.aput(said[2])
        assert await memory.aget("bees?") == [said[0], said[2]]
        await memory.areset()
        assert await memory.aget_all() == []

    asyncio.run(later())
    assert list(amara.memories()) == []


def test_a_llamaindex_message_that_cannot_be_read_is_its_words(amara: Person) -> None:
    memory = TacitMemory(person=amara, session_id="chat-1", reveal=True)
    memory.put(ChatMessage(role="user", blocks=[TextBlock(text=part) for part in KEY]))
    assert [block.text for block in memory.get_all()[0].blocks] == list(KEY)
    (words,) = TacitMemory(person=amara, session_id="chat-1").get_all()
    assert (words.role, words.content) == (MessageRole.USER, "credential_1")
    assert words.additional_kwargs == {"unreadable": True}
    memory.reset()
    assert memory.get_all() == []


def test_llamaindex_moves_what_leaves_its_window_to_the_block(amara: Person) -> None:
    block = TacitMemoryBlock(person=amara, reveal=True)

    async def talk() -> list[ChatMessage]:
        engine = create_async_engine("sqlite+aiosqlite://")
        window = LlamaMemory.from_defaults(
            session_id="chat-1",
            token_limit=60,
            token_flush_size=20,
            memory_blocks=[block],
            async_engine=engine,  # its own is never closed
        )
        assert await window.aget() == []
        await window.aput_messages([ChatMessage(SAID), ChatMessage("Oh?", role="assistant")])
        for turn in range(6):
            await window.aput(ChatMessage(f"Number {turn}: tell me of the weather and the sea."))
            await window.aput(ChatMessage(f"Answer {turn}.", role="assistant"))
        await window.aput(ChatMessage("Who of us has bees?"))
        messages = await window.aget()
        await engine.dispose()
        return messages

    told = asyncio.run(talk())
    assert told[0].role is MessageRole.SYSTEM
    assert "Priya Raman keeps bees" in (told[0].content or "")
    kept = list(amara.memories())
    assert {each.session for each in kept} == {"chat-1"}
    assert {each.speaker for each in kept} == {"user", "assistant"}
    assert "Priya" not in str([each.text for each in kept])


class Helper(Model):
    """Asks for the weather once, then says how many items it was given."""

    def __init__(self) -> None:
        self.given: list[Any] = []

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        self.given = list(kwargs["input"] if "input" in kwargs else args[1])
        last = self.given[-1]
        output: Any = (
            ResponseFunctionToolCall(
                type="function_call", call_id="call_1", name="weather", arguments='{"of": "Leeds"}'
            )
            if "weather" in str(last.get("content"))
            else ResponseOutputMessage(
                id="msg_1",
                type="message",
                role="assistant",
                status="completed",
                content=[
                    ResponseOutputText(
                        type="output_text", text=f"{len(self.given)} items", annotations=[]
                    )
                ],
            )
        )
        return ModelResponse(output=[output], usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        raise NotImplementedError


@function_tool
def weather(of: str) -> str:
    """The weather of a place."""
    return f"In {of} it is sunny; says Priya Raman."


def test_agents_run_with_their_session(amara: Person) -> None:
    model = Helper()
    agent = Agent("helper", model=model, tools=[weather])
    session = TacitSession("chat-1", amara, reveal=True)
    assert isinstance(session, Session)
    quiet = RunConfig(tracing_disabled=True)

    async def talk() -> None:
        said = await Runner.run(agent, "How is the weather?", session=session, run_config=quiet)
        assert said.final_output == "3 items"
        items = await session.get_items()
        assert items == said.to_input_list()
        assert [each.get("type", each.get("role")) for each in items] == [
            "user", "function_call", "function_call_output", "message"
        ]  # fmt: skip
        again = await Runner.run(agent, "And now?", session=session, run_config=quiet)
        assert again.final_output == "5 items"
        assert model.given[:4] == items
        assert await session.get_items(2) == (await session.get_items())[-2:]
        assert await session.get_items(0) == []
        few = TacitSession("chat-1", amara, reveal=True, session_settings=SessionSettings(limit=1))
        assert await few.get_items() == await session.get_items(1)
        assert "Priya" not in str(await TacitSession("chat-1", amara).get_items())
        last = (await session.get_items())[-1]
        assert await session.pop_item() == last
        assert len(await session.get_items()) == 5
        await session.clear_session()
        assert await session.get_items() == []
        assert await session.pop_item() is None

    asyncio.run(talk())
    assert list(amara.memories()) == []


def test_an_agents_item_that_cannot_be_read_is_its_words(amara: Person) -> None:
    session = TacitSession("chat-1", amara)
    content: Any = [{"type": "input_text", "text": part} for part in KEY]

    async def talk() -> None:
        await session.add_items([{"role": "user", "content": content}])
        assert await session.get_items() == [{"role": "user", "content": "credential_1"}]
        with pytest.raises(Unreadable):
            await session.pop_item()
        assert len(await session.get_items()) == 1
        await session.clear_session()
        assert await session.get_items() == []

    asyncio.run(talk())
