"""How the tree is kept: tiles of up to 256 hashes (as in C2SP tlog-tiles, height 8).

    tile (0, n)   the leaf hashes 256 n … 256 n + 255
    tile (1, n)   the roots of the tiles (0, 256 n) … (0, 256 n + 255), and so on upwards

Only whole tiles have their root in the level above. The last tile of a level grows; the others
never change. A proof reads at most two tiles a level: six among a million leaves.

Rules:
- Tiles are bytes, 32 a hash, without a head; a level that holds no hash has no tile.
- What a tile says is a claim: the root over all tiles is compared with the signed one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from memory.core.merkle import HASH_BYTES, Node, fold, root, whole
from memory.errors import ProofError

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
TILE_BYTES: Final = WIDTH * HASH_BYTES


class Tile(NamedTuple):
    """Which tile."""

    level: int
    offset: int


Tiles = Mapping[Tile, bytes]


def tile_of(node: Node) -> Tile:
    """The tile from whose hashes the node's is made."""
    return Tile(node.level // HEIGHT, (node.offset << node.level % HEIGHT) // WIDTH)


def tiles_for(ranges: Iterable[tuple[int, int]]) -> set[Tile]:
    """The tiles that the hashes of these subtrees, leaves [start, end), are made of."""
    return {tile_of(node) for start, end in ranges for node in whole(start, end)}


def hash_in(tiles: Tiles, node: Node) -> bytes:
    """The hash of a node. Raises `ProofError` where its tile is missing or too short."""
    count = 1 << node.level % HEIGHT
    first = node.offset * count % WIDTH
    tile = tiles.get(tile_of(node), b"")
    hashes = split(tile[first * HASH_BYTES : (first + count) * HASH_BYTES])
    if len(hashes) != count:
        raise ProofError
    return fold(hashes)


def split(tile: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def lengths(size: int) -> dict[int, int]:
    """How many hashes each level holds in a tree of `size` leaves."""
    counts, level = {}, 0
    while size:
        counts[level] = size
        size, level = size // WIDTH, level + 1
    return counts


def edge(size: int) -> list[Tile]:
    """The tiles that grow next: those whose level ends within them."""
    return [Tile(level, n // WIDTH) for level, n in lengths(size).items() if n % WIDTH]


def append(tiles: Tiles, size: int, leaves: Sequence[bytes]) -> dict[Tile, bytes]:
    """What changes when these leaf hashes follow the first `size`; `tiles` holds the edge."""
    changed: dict[Tile, bytes] = {}
    level, count, added = 0, size, list(leaves)
    while added:
        index, held = divmod(count, WIDTH)
        hashes = split(tiles.get(Tile(level, index), b""))
        if len(hashes) != held:
            raise ProofError
        hashes += added
        added = []
        for start in range(0, len(hashes), WIDTH):
            part = hashes[start : start + WIDTH]
            changed[Tile(level, index + start // WIDTH)] = b"".join(part)
            if len(part) == WIDTH:
                added.append(fold(part))
        level, count = level + 1, index
    return changed


def root_of(tiles: Tiles, size: int) -> bytes:
    """The root of the tree of `size` leaves; `tiles` holds its edge."""
    return root(lambda node: hash_in(tiles, node), size)
