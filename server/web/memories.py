"""What is remembered: find it, see why and until when, correct it, delete it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from memory.app.narrow import Which
from memory.app.sealing import Remembered
from memory.core.draft import Draft
from memory.core.values import MemoryKind, RawText, RecordId
from memory.errors import ConsentError, InvalidArgumentError, NotFoundError
from server.web.desk import Desk, Visit
from server.web.forms import Fields, number, text, which

PAGE_SIZE: Final = 20
FOUND: Final = 30
"""Memories that a search shows."""

SHOWN_BEFORE_ERASING: Final = 50

FILTERS: Final = ("assistant", "purpose", "kind", "since", "until")
DONE: Final = frozenset({"changed", "deleted", "erased", "paused", "resumed", "rated", "reset"})
"""What a page may say was just done."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What the form above a list holds, and what it offers."""

    fields: Fields
    purposes: dict[str, str]
    kinds: tuple[str, ...] = tuple(kind.value for kind in MemoryKind)

    def __getitem__(self, name: str) -> str:
        return text(self.fields, name)

    @property
    def query(self) -> str:
        """As a query of an address, without what is empty."""
        return urlencode({name: self[name] for name in FILTERS if self[name]})


def filter_of(desk: Desk, visit: Visit, fields: Fields) -> Filter:
    """The filter of a page, with the purposes that can be chosen."""
    return Filter(fields, {purpose.value: t for purpose, t in desk.titles(visit).items()})


def done(visit: Visit) -> str:
    """What was just done, by the address that it led to."""
    said = visit.request.query_params.get("done", "")
    return said if said in DONE else ""


async def _list(desk: Desk, visit: Visit) -> Response:
    return await _listed(desk, visit, visit.request.query_params)


async def _search(desk: Desk, visit: Visit) -> Response:
    """By a form: what is sought must not stand in an address, which proxies write down."""
    return await _listed(desk, visit, await desk.form(visit))


async def _listed(desk: Desk, visit: Visit, query: Fields) -> Response:
    wanted, sought, before = which(query), text(query, "q"), number(query, "before")
    more: int | None = None
    memories: Sequence[Remembered] = ()
    try:
        if sought:
            memories = await _found(desk, visit, sought, wanted)
        else:
            memories, more = await desk.call(
                visit,
                "MemoryService/ListMemories",
                desk.tacit.rectify.latest,
                visit.access,
                wanted,
                before,
                PAGE_SIZE,
            )
        if text(query, "names") and memories:
            memories = await _with_names(desk, visit, memories)
    except ConsentError:  # nothing is kept of someone unknown
        memories = ()
    return desk.show(
        visit,
        "memories.html",
        memories=memories,
        more=more,
        sought=sought,
        names=bool(text(query, "names")),
        filter=filter_of(desk, visit, query),
        done=done(visit),
    )


async def _found(desk: Desk, visit: Visit, sought: str, wanted: Which) -> Sequence[Remembered]:
    """The best of what a search finds; recall knows nothing of who stored what for what."""
    hits = await desk.call(
        visit,
        "MemoryService/RecallMemories",
        desk.tacit.recall,
        visit.access,
        RawText(sought),
        FOUND,
        wanted.narrow,
    )
    return [
        hit.memory
        for hit in hits
        if wanted.source in (None, hit.memory.assistant)
        and (not wanted.purposes or hit.memory.purpose in wanted.purposes)
    ]


async def _with_names(
    desk: Desk, visit: Visit, memories: Sequence[Remembered]
) -> Sequence[Remembered]:
    return await desk.call(
        visit, "MemoryService/ListMemories", desk.tacit.reveal, visit.access, memories
    )


async def _one(desk: Desk, visit: Visit) -> Response:
    record = record_of(visit)
    memory = await desk.call(
        visit, "MemoryService/GetMemory", desk.tacit.rectify.get, visit.access, record
    )
    shown = await _with_names(desk, visit, [memory])
    if not shown:
        raise NotFoundError("no such memory of this person", resource="memory")
    purpose = desk.purposes(visit).by_id.get(memory.purpose)
    words = purpose.in_language(desk.language(visit)) if purpose else None
    return desk.show(visit, "memory.html", memory=shown[0], why=words, done=done(visit))


async def _change(desk: Desk, visit: Visit) -> Response:
    form = await desk.form(visit)
    record, version, said = record_of(visit), number(form, "version"), text(form, "text")

    def change(draft: Draft) -> Draft:
        return replace(draft, text=RawText(said))

    await desk.call(
        visit,
        "MemoryService/UpdateMemory",
        desk.tacit.rectify.update,
        visit.access,
        record,
        change,
        version,
    )
    return RedirectResponse(f"/memories/{record}?done=changed", 303)


async def _delete(desk: Desk, visit: Visit) -> Response:
    await desk.form(visit)
    await desk.call(
        visit,
        "MemoryService/DeleteMemory",
        desk.tacit.erase_memories.one,
        visit.session.caller,
        visit.session.person,
        record_of(visit),
    )
    return RedirectResponse("/memories?done=deleted", 303)


async def _choose(desk: Desk, visit: Visit) -> Response:
    """Shows what a choice would erase."""
    query = visit.request.query_params
    wanted = which(query)
    memories: Sequence[Remembered] = ()
    more: int | None = None
    if wanted != Which():
        try:
            memories, more = await desk.call(
                visit,
                "MemoryService/ListMemories",
                desk.tacit.rectify.latest,
                visit.access,
                wanted,
                None,
                SHOWN_BEFORE_ERASING,
            )
        except ConsentError:
            memories = ()
    return desk.show(
        visit,
        "erase.html",
        memories=memories,
        more=more,
        chosen=wanted != Which(),
        filter=filter_of(desk, visit, query),
    )


async def _erase(desk: Desk, visit: Visit) -> Response:
    form = await desk.form(visit)
    await desk.call(
        visit,
        "SubjectRightsService/EraseMemories",
        desk.tacit.erase_memories,
        visit.session.caller,
        visit.session.person,
        which(form),
    )
    return RedirectResponse("/memories?done=erased", 303)


def record_of(visit: Visit) -> RecordId:
    """The memory that an address names; raises `NotFoundError` for what is no id."""
    try:
        return RecordId.parse(visit.request.path_params["id"])
    except InvalidArgumentError:
        raise NotFoundError("no such memory of this person", resource="memory") from None


def routes(desk: Desk) -> Sequence[Route]:
    """The pages of this module."""
    return (
        Route("/memories", desk.page(_list)),
        Route("/memories", desk.page(_search), methods=["POST"]),
        Route("/memories/erase", desk.page(_choose)),
        Route("/memories/erase", desk.page(_erase), methods=["POST"]),
        Route("/memories/{id}", desk.page(_one)),
        Route("/memories/{id}", desk.page(_change), methods=["POST"]),
        Route("/memories/{id}/delete", desk.page(_delete), methods=["POST"]),
    )
