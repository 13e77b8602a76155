"""The JSON values of one session of one person, in order: a history to a framework.

Rules:
- The session is the caller's own id, so that whatever else narrows by session (recall, a brief, an
  erasure by choice) means the same conversation.
- What others stored in the session is neither read nor erased here.
- What is added in one call is there whole or not at all, up to 64 memories; more takes
  several calls.
- A value that pseudonyms made unreadable is told by its words, in its place; it breaks no history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from memory.client import NotFound, Person
from memory.client.values import NewMemory
from memory.integrations.items import MOST_MEMORIES, Item, Unreadable, pack, unpack

_SPEAKERS: Final = {
    "human": "user",
    "ai": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "developer": "system",
    "function": "tool",
    "": "assistant",
}
"""Roles by the name that the server knows: what it takes for a name would be hidden as one."""


def speaker(role: str) -> str:
    """Who speaks, by a framework's word for a role."""
    return _SPEAKERS.get(role.lower(), role)


def store(person: Person, batches: Iterable[list[NewMemory]]) -> None:
    """Stores memories in as few calls as there can be; what is in one list, in one call."""
    waiting: list[NewMemory] = []
    for batch in batches:
        if len(waiting) + len(batch) > MOST_MEMORIES:
            person.store_many(waiting)
            waiting = []
        waiting += batch
    if waiting:
        person.store_many(waiting)


def erase(person: Person, items: Iterable[Item]) -> None:
    """Erases values; one that is gone already is as good."""
    for item in items:
        for memory in item.memories:
            try:
                person.delete(memory.name)
            except NotFound:
                continue


@dataclass(frozen=True, slots=True)
class Conversation:
    """The values of one session. `reveal` reads them as they were said."""

    person: Person
    session: str
    reveal: bool = False

    def add(self, said: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Adds values, each with the role of who said it."""
        store(
            self.person,
            [
                pack(value, {"text": "", "speaker": speaker(role), "session": self.session})
                for role, value in said
            ],
        )

    def values(self, unread: Callable[[str, str], Any]) -> list[Any]:
        """All of them, oldest first; of one that cannot be read, what `unread` makes of it.

        `unread` is given who spoke and the words, with pseudonyms.
        """
        told = []
        for item in self._items():
            try:
                told.append(item.value)
            except Unreadable:
                told.append(unread(item.first.speaker, item.words))
        return told

    def pop(self) -> Any | None:
        """Erases the newest one and gives it; None where there is none.

        Raises:
            Unreadable: pseudonyms hide where a string of it ends; nothing is erased.
        """
        for item in self._items()[-1:]:
            value = item.value
            erase(self.person, [item])
            return value
        return None

    def clear(self) -> None:
        """Erases them all."""
        erase(self.person, self._items())

    def _items(self) -> list[Item]:
        return list(unpack(self.person.memories(reveal=self.reveal, sessions=[self.session])))
