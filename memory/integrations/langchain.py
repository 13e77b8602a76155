"""LangChain's retriever and message history in Tacit.

    TacitRetriever(person=client.person("amara"), k=4).invoke("what should I cook?")
    TacitChatMessageHistory(client.person("amara"), "chat-1").add_user_message("I like figs.")

Rules:
- A document is a memory: its text, its name as `id`, and why it was found in `metadata`.
- A message is one memory, or several where it is long, in the session that is named; what it says
  is anonymized and found like anything said. `messages` gives equal messages with `reveal`;
  without, one that pseudonyms made unreadable is its words, and its `response_metadata` says so.
- `clear` erases.
- The async methods are the others in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    message_to_dict,
    messages_from_dict,
)
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from memory.client import Person, RecallHit
from memory.integrations.conversation import Conversation


class TacitRetriever(BaseRetriever):
    """What a person said that matters for a query, best first.

    Args:
        person: Whose memories, and for which purpose.
        k: How many documents at most, to 100.
        reveal: Whether to read real names in place of pseudonyms; needs the scope and the consent.
        only: Which memories: `{"kinds": [...], "sessions": [...], ...}`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    person: Person
    k: int = 10
    reveal: bool = False
    only: dict[str, Any] = Field(default_factory=dict)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        return self._found(query, k)

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        return await asyncio.to_thread(self._found, query, k)

    def _found(self, query: str, k: int | None) -> list[Document]:
        found = self.person.recall(
            query, limit=self.k if k is None else k, reveal=self.reveal, **self.only
        )
        return [_document(hit, found.recall_token) for hit in found]


def _document(hit: RecallHit, recall_token: str) -> Document:
    memory = hit.memory
    return Document(
        id=memory.name,
        page_content=memory.text,
        metadata={
            "memory": memory.name,
            "score": hit.score,
            "parts": {part.name: part.points for part in hit.parts},
            "kind": memory.kind,
            "speaker": memory.speaker,
            "session": memory.session,
            "event_time": memory.event_time,
            "purpose": memory.purpose,
            "superseded_by": memory.superseded_by,
            "recall_token": recall_token,
        },
    )


class TacitChatMessageHistory(BaseChatMessageHistory):
    """The messages of one session.

    Args:
        person: Whose session, and for which purpose.
        session_id: The session, by an id of the caller's own.
        reveal: Whether to read real names in place of pseudonyms; needs the scope and the consent.
    """

    def __init__(self, person: Person, session_id: str, *, reveal: bool = False) -> None:
        super().__init__()
        self._conversation = Conversation(person, session_id, reveal)

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]
        """All of them, oldest first."""
        return messages_from_dict(self._conversation.values(_unread))

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Adds messages, in one call up to 64."""
        self._conversation.add((_role(message), message_to_dict(message)) for message in messages)

    def clear(self) -> None:
        """Erases the session's messages."""
        self._conversation.clear()


def _role(message: BaseMessage) -> str:
    role: Any = getattr(message, "role", None)
    return role if isinstance(role, str) else message.type.removesuffix("MessageChunk")


def _unread(speaker: str, words: str) -> dict[str, Any]:
    kind = {"user": HumanMessage, "system": SystemMessage}.get(speaker, AIMessage)
    return message_to_dict(kind(words, response_metadata={"unreadable": True}))
