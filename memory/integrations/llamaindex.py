"""LlamaIndex's memory in Tacit: a conversation, and a block of what matters for it.

    TacitMemory(person=client.person("amara"), session_id="chat-1", reveal=True)
    Memory.from_defaults(memory_blocks=[TacitMemoryBlock(person=client.person("amara"))])

Rules:
- `TacitMemory` is the whole of one conversation; with `reveal`, messages come back equal. Without,
  one that pseudonyms made unreadable is its words, and its `additional_kwargs` say so. It keeps no
  window of its own: `Memory` with the block does, and keeps what leaves the window in Tacit.
- The block stores what people and assistants said in words, and gives a text of what matters for
  the latest words, from every session.
- `reset` and `set` erase.
- The async methods are the others in a thread.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import ConfigDict, Field
from llama_index.core.memory import BaseMemory, BaseMemoryBlock

from memory.client import Person
from memory.client.values import NewMemory
from memory.integrations.conversation import Conversation, speaker, store
from memory.integrations.items import TEXT_CHARS, pieces

_ASKED_MESSAGES: Final = 3
"""The latest, which say what it is about."""


class TacitMemory(BaseMemory):
    """The messages of one session."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    person: Person = Field(exclude=True, description="Whose session, and for which purpose.")
    session_id: str = Field(description="The session, by an id of the caller's own.")
    reveal: bool = Field(default=False, description="Whether to read real names.")

    @classmethod
    def class_name(cls) -> str:
        """The name of the class."""
        return "TacitMemory"

    @classmethod
    def from_defaults(cls, **kwargs: Any) -> TacitMemory:
        """The same as the constructor."""
        return cls(**kwargs)

    def get(self, input: str | None = None, **kwargs: Any) -> list[ChatMessage]:
        """All messages, oldest first; `input` chooses nothing here."""
        return self.get_all()

    def get_all(self) -> list[ChatMessage]:
        """All messages, oldest first."""
        return [ChatMessage.model_validate(each) for each in self._conversation.values(_unread)]

    def put(self, message: ChatMessage) -> None:
        """Adds a message."""
        self.put_messages([message])

    def put_messages(self, messages: list[ChatMessage]) -> None:
        """Adds messages, in one call up to 64."""
        self._conversation.add((each.role.value, each.model_dump(mode="json")) for each in messages)

    def set(self, messages: list[ChatMessage]) -> None:
        """Erases what there is, and adds messages."""
        self.reset()
        self.put_messages(messages)

    def reset(self) -> None:
        """Erases the session's messages."""
        self._conversation.clear()

    @property
    def _conversation(self) -> Conversation:
        return Conversation(self.person, self.session_id, self.reveal)


def _unread(speaker: str, words: str) -> dict[str, Any]:
    told = ChatMessage(words, role=speaker, additional_kwargs={"unreadable": True})
    return told.model_dump(mode="json")


class TacitMemoryBlock(BaseMemoryBlock[str]):
    """What a person said that matters now, as a text for the prompt."""

    person: Person = Field(exclude=True, description="Whose memories, and for which purpose.")
    name: str = Field(default="tacit", description="The name of the memory block.")
    max_tokens: int = Field(default=1_000, description="How long the text may be.")
    reveal: bool = Field(default=False, description="Whether to read real names.")

    async def _aget(self, messages: list[ChatMessage] | None = None, **_block_kwargs: Any) -> str:
        said = [each.content for each in (messages or [])[-_ASKED_MESSAGES:] if each.content]
        asked = "\n".join(said)[-TEXT_CHARS:]
        if not asked.strip():
            return ""
        context = await asyncio.to_thread(
            self.person.build_context, asked, max_tokens=self.max_tokens, reveal=self.reveal
        )
        return context.text

    async def _aput(self, messages: list[ChatMessage]) -> None:
        batches: list[list[NewMemory]] = []
        for each in messages:
            session = str(each.additional_kwargs.get("session_id", ""))
            batches.append(
                [
                    {"text": text, "speaker": speaker(each.role.value), "session": session}
                    for text in pieces(each.content or "")
                    if text.strip()
                ]
            )
        await asyncio.to_thread(store, self.person, batches)
