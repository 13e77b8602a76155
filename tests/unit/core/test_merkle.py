"""The tree against a naive one, and against the vectors of Certificate Transparency."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.core.merkle import (
    EMPTY_ROOT,
    Node,
    consistency_path,
    inclusion_path,
    leaf_hash,
    node_hash,
    root,
    subtree,
    verify_consistency,
    verify_inclusion,
)
from memory.core.tiles import WIDTH, Tile, append, edge, hash_in, root_of, tile_of, tiles_for
from memory.errors import ProofError

# github.com/google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc
INPUTS = "|00|10|2021|3031|40414243|5051525354555657|606162636465666768696a6b6c6d6e6f".split("|")
ROOTS = """
6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
""".split()
INCLUSION = {
    (0, 1): "",
    (0, 8): """
        96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7
        5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e
        6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4""",
    (5, 8): """
        bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b
        ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0
        d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7""",
    (2, 3): "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
}
CONSISTENCY = {
    (1, 1): "",
    (6, 8): """
        0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a
        ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0
        d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7""",
    (2, 5): """
        5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e
        bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b""",
}


class Tree:
    """Leaves in a list; everything is computed from all of them."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves

    def __call__(self, node: Node) -> bytes:
        start, end = node.offset << node.level, (node.offset + 1) << node.level
        assert end <= len(self.leaves)
        return naive(self.leaves[start:end])

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return [subtree(self, *part) for part in inclusion_path(index, size)]

    def consistency(self, first: int, second: int) -> list[bytes]:
        return [subtree(self, *part) for part in consistency_path(first, second)]


def naive(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(naive(leaves[:k]), naive(leaves[k:]))


def numbered(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


PUBLISHED = Tree([leaf_hash(bytes.fromhex(text)) for text in INPUTS])


def test_roots_and_proofs_are_the_published_ones() -> None:
    for size, expected in enumerate(ROOTS, 1):
        assert root(PUBLISHED, size).hex() == expected
    for (index, size), proof in INCLUSION.items():
        assert [part.hex() for part in PUBLISHED.inclusion(index, size)] == proof.split()
    for (first, second), proof in CONSISTENCY.items():
        assert [part.hex() for part in PUBLISHED.consistency(first, second)] == proof.split()


@given(st.integers(0, 600))
def test_the_root_is_that_of_the_naive_tree(size: int) -> None:
    leaves = numbered(size)
    assert root(Tree(leaves), size) == naive(leaves)


@given(st.data(), st.integers(1, 600))
def test_a_leaf_verifies_in_its_place_and_in_no_other(data: st.DataObject, size: int) -> None:
    tree = Tree(numbered(size))
    index = data.draw(st.integers(0, size - 1))
    proof, top = tree.inclusion(index, size), root(tree, size)
    verify_inclusion(tree.leaves[index], index, size, proof, top)
    other = data.draw(st.integers(-1, size + 1).filter(lambda n: n != index))
    with pytest.raises(ProofError):
        verify_inclusion(tree.leaves[index], other, size, proof, top)
    for wrong in (proof[:-1] if proof else [top], [*proof, top], [top, *proof]):
        with pytest.raises(ProofError):
            verify_inclusion(tree.leaves[index], index, size, wrong, top)
    with pytest.raises(ProofError):
        verify_inclusion(leaf_hash(b"another"), index, size, proof, top)


@given(st.data(), st.integers(1, 600))
def test_a_log_that_only_grew_verifies_and_no_other(data: st.DataObject, second: int) -> None:
    tree = Tree(numbered(second))
    first = data.draw(st.integers(1, second))
    proof = tree.consistency(first, second)
    old, new = root(tree, first), root(tree, second)
    verify_consistency(first, second, proof, old, new)
    forked = naive([leaf_hash(b"forged"), *tree.leaves[1:first]])
    for wrong in (
        (first, second, proof, forked, new),
        (first, second, proof, old, forked),
        (first, second, [*proof, old], old, new),
        (second + 1, second, proof, old, new),
        (0, second, proof, old, new),
        *([(first, second, proof[:-1], old, new)] if proof else []),
    ):
        with pytest.raises(ProofError):
            verify_consistency(*wrong)


@given(st.lists(st.integers(1, 700), min_size=1, max_size=5))
def test_tiles_that_grew_in_batches_hold_the_naive_tree(batches: list[int]) -> None:
    leaves = numbered(sum(batches))
    tiles: dict[Tile, bytes] = {}
    size = 0
    for count in batches:
        held = {tile: tiles[tile] for tile in edge(size)}
        tiles |= append(held, size, leaves[size : size + count])
        size += count
    assert root_of({tile: tiles[tile] for tile in edge(size)} | tiles, size) == naive(leaves)
    assert all(0 < len(tile) <= WIDTH * 32 for tile in tiles.values())
    for index in (0, size // 2, size - 1):
        path = inclusion_path(index, size)
        held = {tile: tiles[tile] for tile in tiles_for(path)}
        proof = [subtree(lambda node, held=held: hash_in(held, node), *part) for part in path]
        verify_inclusion(leaves[index], index, size, proof, naive(leaves))


def test_only_the_edge_is_needed_to_grow_and_to_sign() -> None:
    for size in (255, 256, 257, 65_535, 65_536, 65_537, 66_000):
        needed = {tile_of(node) for node in _whole_of(size)}
        assert needed <= set(edge(size))


def _whole_of(size: int) -> list[Node]:
    return [Node(bit, (size >> bit) - 1) for bit in range(size.bit_length()) if size >> bit & 1]


def test_a_tile_that_is_missing_or_too_short_proves_nothing() -> None:
    for tiles in ({}, {Tile(0, 0): bytes(32)}):
        with pytest.raises(ProofError):
            hash_in(tiles, Node(1, 0))
    with pytest.raises(ProofError):
        append({}, 3, [bytes(32)])
