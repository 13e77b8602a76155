"""Whether the ledger is still what was signed: at every start, and in full when asked.

    start   the checkpoint is signed by this deployment ▶ the tiles make its root ▶ the file beside
            the database holds no newer checkpoint, and an older one is a beginning of this log
    full    the same over all tiles, and every event that SQL holds has its leaf in the tree

Rules:
- What does not fit refuses the start: a ledger that was changed must not go on as if it were not.
- At the start every hash above the leaves is computed again from the leaves, for the newest
  `QUICK_TILES` tiles; older tiles of a longer log are compared in full only.
- Nobody can tell from the tree that events were deleted with their person, rightly or not: the leaf
  stays and names no one. Who kept an event can.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from memory.app.keyring import Keyring
from memory.app.leaves import operator_leaf, person_leaf
from memory.core.ledger import Checkpoint, Leaf, own_checkpoint
from memory.core.merkle import HASH_BYTES, fold, root, whole
from memory.core.signing import Verifier
from memory.core.tiles import WIDTH, Tile, hash_in, lengths, split, tile_of
from memory.core.values import RecordId, SubjectId
from memory.errors import ConfigurationError, SignatureError
from memory.ports import AccessFilter, CheckpointFile, Store, UnitOfWork

QUICK_TILES: Final = 8192
"""Two million leaves, some two seconds."""

_RUN: Final = 128
"""Tiles read at once: 1 MiB."""

_PAGE: Final = 500
_PEOPLE: Final = 64


def check_at_start(
    store: Store, verifier: Verifier, file: CheckpointFile, tiles: int | None = QUICK_TILES
) -> Checkpoint | None:
    """Compares tree, checkpoint and file; `tiles` None compares all. None before the first event.

    Raises:
        ConfigurationError: something was changed, or the database is older than the file.
    """
    kept = file.read()
    with store.read() as uow:
        note = uow.ledger_note()
        if note is None:
            if kept is not None:
                raise _rolled_back(file, "it holds no ledger at all")
            return None
        newest = _read(note, verifier, "the database's ledger")
        _check_tiles(uow, newest.size, tiles)
        if _root(uow, newest.size) != newest.root:
            raise _changed("its tree does not make the root that was signed")
        if kept is not None:
            _check_kept(uow, _read(kept, verifier, file.name), newest, file)
    return newest


def _check_kept(
    uow: UnitOfWork, kept: Checkpoint, newest: Checkpoint, file: CheckpointFile
) -> None:
    if kept.size > newest.size:
        raise _rolled_back(
            file,
            f"it ends after {newest.size} events, on {newest.at:%Y-%m-%d %H:%M} UTC; {kept.size} "
            f"were signed by {kept.at:%Y-%m-%d %H:%M} UTC",
        )
    if _root(uow, kept.size) != kept.root:
        raise _changed(
            f"its first {kept.size} events are not those signed in {file.name}; if it was restored "
            "and used without that file, move the file away"
        )


def _check_tiles(uow: UnitOfWork, size: int, newest: int | None) -> None:
    """Each tile is as long as `size` says, and whole ones have their root in the tile above."""
    for level, count in lengths(size).items():
        end = -(-count // WIDTH)
        first = 0 if newest is None or level else max(0, end - newest)
        for start in range(first, end, _RUN):
            indices = range(start, min(start + _RUN, end))
            above = {Tile(level + 1, index // WIDTH) for index in indices}
            tiles = uow.tiles([*(Tile(level, index) for index in indices), *above])
            for index in indices:
                hashes = split(tiles.get(Tile(level, index), b""))
                if len(hashes) != min(WIDTH, count - index * WIDTH):
                    raise _changed(f"tile {level}/{index} is missing or has another length")
                parents = tiles.get(Tile(level + 1, index // WIDTH), b"")
                at = index % WIDTH * HASH_BYTES
                if len(hashes) == WIDTH and parents[at : at + HASH_BYTES] != fold(hashes):
                    raise _changed(f"tile {level}/{index} is not what was signed")


def _root(uow: UnitOfWork, size: int) -> bytes | None:
    """The root of the first `size` leaves; None where tiles are missing."""
    tiles = uow.tiles({tile_of(node) for node in whole(0, size)})
    try:
        return root(lambda node: hash_in(tiles, node), size)
    except SignatureError:
        return None


@dataclass(frozen=True, slots=True)
class Report:
    """What a full check saw: events in SQL, and leaves in the tree; the rest had people who are
    gone.
    """

    checkpoint: Checkpoint
    events: int


def check_in_full(
    store: Store, keyring: Keyring, verifier: Verifier, file: CheckpointFile
) -> Report | None:
    """All tiles, and every event against its leaf. None before the first event.

    Raises:
        ConfigurationError: as above; or an event was changed, or moved to another person.
        KeyUnavailableError, SealError: a person's key does not open, so their events cannot be
            checked.
    """
    newest = check_at_start(store, verifier, file, tiles=None)
    if newest is None:
        return None
    events = 0
    with store.read() as uow:
        for leaves in _leaves(uow, keyring):
            events += len(leaves)
            _check_leaves(uow, [leaf.hash for leaf in leaves])
    return Report(newest, events)


def _leaves(uow: UnitOfWork, keyring: Keyring) -> Iterator[list[Leaf]]:
    """Of all events that SQL holds, in pages."""
    before: tuple[datetime, RecordId] | None = None
    while done := uow.operator_events(_PAGE, before):
        yield [operator_leaf(keyring, event) for event in done]
        before = (done[-1].at, done[-1].id)
    after: SubjectId | None = None
    while people := uow.people_after(after, _PEOPLE):
        for person in people:
            keys = keyring.keys(person)
            before = None
            while page := uow.access_events(person.subject, AccessFilter(), _PAGE, before):
                yield [person_leaf(keys, event) for event in page]
                before = (page[-1].at, page[-1].id)
        after = people[-1].subject


def _check_leaves(uow: UnitOfWork, leaves: Iterable[bytes]) -> None:
    """Each of these leaf hashes is in the tree, or waits to be taken in."""
    places = uow.places(leaves)
    tiles = uow.tiles({Tile(0, at // WIDTH) for found in places.values() for at in found})
    for leaf, found in places.items():
        held = [tiles.get(Tile(0, at // WIDTH), b"")[at % WIDTH * HASH_BYTES :] for at in found]
        if not any(hashes.startswith(leaf) for hashes in held) and not uow.is_waiting(leaf):
            raise _changed("an event in the database is not the one whose leaf was signed")


def _read(note: str, verifier: Verifier, where: str) -> Checkpoint:
    try:
        return own_checkpoint(note, verifier)
    except SignatureError:
        raise ConfigurationError(
            f"the checkpoint in {where} was changed, or another deployment's key signed it: bring "
            "back the one that belongs to this data"
        ) from None


def _changed(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"the ledger was changed behind Tacit's back: {what}. Restore the database from a backup, "
        "and find out who can write to it"
    )


def _rolled_back(file: CheckpointFile, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"the database is older than the ledger's last checkpoint in {file.name}: {what}. Bring "
        "the newer database back; if you restored a backup on purpose, move that file away and "
        "start again (docs/operations.md)"
    )
