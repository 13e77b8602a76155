"""The ledger's tree: leaves that wait, tiles, where a leaf is found, and the signed checkpoint.

Rules:
- Servers take turns at taking leaves in: on SQLite because they write, on PostgreSQL by an advisory
  lock that the transaction holds. Tiles, places and checkpoint change in that same transaction.
- A leaf is found by the first 8 bytes of its hash; the tile says whether it is the one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, insert, select, text, update

from memory.adapters.sql.tables import (
    ledger_head,
    ledger_places,
    ledger_tiles,
    ledger_waiting,
)
from memory.adapters.sql.transaction import Transaction, batches
from memory.core.tiles import Tile, Tiles

_TAKE_TURNS: Final = text("SELECT pg_advisory_xact_lock(hashtext('tacit ledger'))")

_WAITING: Final = select(func.count()).select_from(ledger_waiting)
_IS_WAITING: Final = _WAITING.where(ledger_waiting.c.leaf == bindparam("this"))
_TAKE: Final = (
    delete(ledger_waiting)
    .where(
        ledger_waiting.c.id.in_(
            select(ledger_waiting.c.id).order_by(ledger_waiting.c.id).limit(bindparam("most"))
        )
    )
    .returning(ledger_waiting.c.id, ledger_waiting.c.leaf)
)
_NOTE: Final = select(ledger_head.c.note)
_PUT_NOTE: Final = update(ledger_head).values(note=bindparam("newest"))
_ADD_NOTE: Final = insert(ledger_head)
_TILES: Final = select(*ledger_tiles.c).where(
    ledger_tiles.c.level == bindparam("at_level"),
    ledger_tiles.c.place.in_(bindparam("at_places", expanding=True)),
)
_PUT_TILE: Final = (
    update(ledger_tiles)
    .where(ledger_tiles.c.level == bindparam("of"), ledger_tiles.c.place == bindparam("at"))
    .values(hashes=bindparam("now"))
)
_ADD_TILE: Final = insert(ledger_tiles)
_PLACES: Final = select(*ledger_places.c).where(
    ledger_places.c.prefix.in_(bindparam("prefixes", expanding=True))
)
_ADD_PLACES: Final = insert(ledger_places)


class Ledger(Transaction):
    """The part of a unit of work that keeps the tree."""

    def waiting_leaves(self) -> int:
        return int(self._rows(_WAITING)[0][0])

    def is_waiting(self, leaf: bytes) -> bool:
        return bool(self._rows(_IS_WAITING, {"this": leaf})[0][0])

    def take_waiting_leaves(self, limit: int) -> list[bytes]:
        if self._connection.dialect.name == "postgresql":
            self._rows(_TAKE_TURNS)
        return [leaf for _, leaf in sorted(tuple(r) for r in self._rows(_TAKE, {"most": limit}))]

    def ledger_note(self) -> str | None:
        rows = self._rows(_NOTE)
        return str(rows[0][0]) if rows else None

    def put_ledger_note(self, note: str) -> None:
        if self._change(_PUT_NOTE, {"newest": note}) == 0:
            self._change(_ADD_NOTE, {"id": 1, "note": note})

    def tiles(self, tiles: Iterable[Tile]) -> dict[Tile, bytes]:
        levels: dict[int, list[int]] = defaultdict(list)
        for level, place in tiles:
            levels[level].append(place)
        return {
            Tile(level, place): hashes
            for wanted, places in levels.items()
            for batch in batches(places)
            for level, place, hashes in self._rows(_TILES, {"at_level": wanted, "at_places": batch})
        }

    def put_tiles(self, tiles: Tiles) -> None:
        for (level, place), hashes in tiles.items():
            if self._change(_PUT_TILE, {"of": level, "at": place, "now": hashes}) == 0:
                self._change(_ADD_TILE, {"level": level, "place": place, "hashes": hashes})

    def add_places(self, first: int, leaves: Sequence[bytes]) -> None:
        rows = [
            {"prefix": _prefix(leaf), "place": place} for place, leaf in enumerate(leaves, first)
        ]
        self._change(_ADD_PLACES, rows)

    def places(self, leaves: Iterable[bytes]) -> Mapping[bytes, Sequence[int]]:
        wanted = list(leaves)
        found: dict[int, list[int]] = defaultdict(list)
        for batch in batches(_prefix(leaf) for leaf in wanted):
            named: dict[str, Any] = {"prefixes": batch}
            for prefix, place in self._rows(_PLACES, named):
                found[prefix].append(place)
        return {leaf: found[_prefix(leaf)] for leaf in wanted}


def _prefix(leaf: bytes) -> int:
    """As SQL's signed integers take it."""
    return int.from_bytes(leaf[:8], "big", signed=True)
