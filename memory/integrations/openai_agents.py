"""The OpenAI Agents SDK's session in Tacit: `TacitSession`, a `Session`.

    session = TacitSession("chat-1", client.person("amara"), reveal=True)
    await Runner.run(agent, "I like figs.", session=session)

Rules:
- An item is one memory, or several where it is long. With `reveal` it comes back equal, tool calls
  and all; without, a model that is given the history sees pseudonyms, and of an item that they
  made unreadable its words, as a message.
- `pop_item` and `clear_session` erase. What `pop_item` cannot read it leaves, and raises.
- `limit` reads the session and gives its end: the wire lists from the beginning alone.
- Everything runs in a thread, in the order it is awaited.
"""

from __future__ import annotations

import asyncio
from typing import Any

from agents import SessionSettings, TResponseInputItem

from memory.client import Person
from memory.integrations.conversation import Conversation


class TacitSession:
    """The items of one session.

    Args:
        session_id: The session, by an id of the caller's own.
        person: Whose session, and for which purpose.
        reveal: Whether to read real names in place of pseudonyms; needs the scope and the consent.
        session_settings: The SDK's own: how many items are given where a call does not say.
    """

    def __init__(
        self,
        session_id: str,
        person: Person,
        *,
        reveal: bool = False,
        session_settings: SessionSettings | None = None,
    ) -> None:
        self.session_id = session_id
        self.session_settings = session_settings
        self._conversation = Conversation(person, session_id, reveal)

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """The latest `limit` items, or all, oldest first."""
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        items = await asyncio.to_thread(self._conversation.values, _unread)
        return items if limit is None else items[max(0, len(items) - limit) :]

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Adds items, in one call up to 64."""
        told: list[Any] = list(items)
        await asyncio.to_thread(self._conversation.add, [(_role(each), each) for each in told])

    async def pop_item(self) -> TResponseInputItem | None:
        """Erases the newest item and gives it; None where there is none."""
        return await asyncio.to_thread(self._conversation.pop)

    async def clear_session(self) -> None:
        """Erases the session's items."""
        await asyncio.to_thread(self._conversation.clear)


def _role(item: dict[str, Any]) -> str:
    """Who speaks: what a tool answered is its own, what calls it the assistant's."""
    answers = str(item.get("type", "")).endswith("_output")
    return str(item.get("role", "tool" if answers else "assistant"))


def _unread(speaker: str, words: str) -> dict[str, Any]:
    return {"role": "assistant" if speaker == "tool" else speaker, "content": words}
