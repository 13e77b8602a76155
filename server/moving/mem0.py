"""mem0: what `get_all()`, the API and a memory export give.

    [{"id": …, "memory": …, "created_at": …, "updated_at": …, "user_id": …, "agent_id": …,
      "run_id": …, "categories": […], "metadata": {…}, "expiration_date": …}, …]
or {"results": [the same]}, with "next" and "count", or {"memories": [the same]}, as examples of
export schemas have it.

    memory         a fact; with the category "user_preferences" a preference
    updated_at     else created_at: when it began to hold
    run_id         the session
    user_id        whose it is; with an agent_id alone it is about the assistant
    expiration_date
                   until when it holds

Source: https://docs.mem0.ai/api-reference/memory/v1-get-memories,
https://docs.mem0.ai/cookbooks/essentials/exporting-memories,
https://mem0.ai/blog/understanding-custom-categories-in-mem0 (the categories)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from server.moving.entries import By, Entry, Found
from server.moving.nodes import Node

FILES: Final = re.compile(r".*\.json")
_LISTS: Final = ("results", "memories")
_UNTAKEN: Final = ("metadata", "categories", "structured_attributes", "relations", "input")


def read(elements: Iterator[Node], found: Found) -> Iterator[Entry]:
    """The memories, in the order of the file."""
    for node in elements:
        if node.has("memory"):
            yield from _memory(node, found)
        elif any(node.has(name) for name in _LISTS):
            for name in _LISTS:
                for each in node.list(name):
                    yield from _memory(each, found)
            found.pass_over("relation", node.count("relations"))
        else:
            found.miss("not a memory of mem0's")


def _memory(node: Node, found: Found) -> Iterator[Entry]:
    if not node.has("memory"):
        found.miss("not a memory of mem0's")
        return
    for name in _UNTAKEN:
        found.pass_over(name, bool(node.of(name).value))
    categories = {each.value for each in node.list("categories") if isinstance(each.value, str)}
    owner = node.text("user_id")
    yield Entry(
        text=node.text("memory"),
        by=By.ASSISTANT if node.text("agent_id") and not owner else By.PRODUCT,
        kind="preference" if "user_preferences" in categories else "fact",
        id=node.text("id"),
        session=node.text("run_id"),
        owner=owner,
        time=node.time(found, "updated_at", "created_at"),
        until=node.time(found, "expiration_date"),
    )
