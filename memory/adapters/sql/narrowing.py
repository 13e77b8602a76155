"""Which memories a statement is about: the conditions of a filter, and their values."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import Select, bindparam, or_

from memory.adapters.sql.tables import memories, to_micros
from memory.ports import MemoryFilter

_Query: TypeAlias = Select[*tuple[Any, ...]]


def narrowed(statement: _Query, filter: MemoryFilter) -> _Query:
    """The statement with the conditions of the filter; the values come from `narrowing`."""
    return _with_conditions(
        statement,
        bool(filter.purposes),
        filter.assistant is not None,
        bool(filter.kinds),
        bool(filter.session_tags),
        filter.alive_at is not None,
    )


def narrowing(filter: MemoryFilter) -> dict[str, Any]:
    """The values of those conditions."""
    values: dict[str, Any] = {}
    if filter.purposes:
        values["purposes"] = [purpose.value for purpose in filter.purposes]
    if filter.assistant is not None:
        values["by"] = filter.assistant.value
    if filter.kinds:
        values["kinds"] = [kind.value for kind in filter.kinds]
    if filter.session_tags:
        values["tags"] = list(filter.session_tags)
    if filter.alive_at is not None:
        values["alive"] = to_micros(filter.alive_at)
    return values


@lru_cache(maxsize=128)
def _with_conditions(
    statement: _Query,
    purposes: bool,
    assistant: bool,
    kinds: bool,
    session_tags: bool,
    alive: bool,
) -> _Query:
    c = memories.c
    if alive:
        statement = statement.where(or_(c.expires_at.is_(None), c.expires_at > bindparam("alive")))
    if purposes:
        statement = statement.where(c.purpose.in_(bindparam("purposes", expanding=True)))
    if assistant:
        statement = statement.where(c.assistant == bindparam("by"))
    if kinds:
        statement = statement.where(c.kind.in_(bindparam("kinds", expanding=True)))
    if session_tags:
        statement = statement.where(c.session_tag.in_(bindparam("tags", expanding=True)))
    return statement
