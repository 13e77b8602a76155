"""The Merkle tree of the ledger: hashes, proofs and their verification (RFC 9162, section 2.1).

    leaf     SHA-256(0x00 ‖ leaf input)
    node     SHA-256(0x01 ‖ left ‖ right)
    subtree  of leaves [start, end): as many go left as the largest power of two below their number

A proof is a list of subtrees. Each is made of whole ones, `Node`s, whose hashes never change
again: where they lie is for `core.tiles`.

Rules:
- Nothing here asks where hashes come from: `Hashes` gives the hash of a node.
- A proof verifies only in its one form: as many hashes as the sizes ask for, no fewer, no more.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from memory.errors import ProofError

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()


class Node(NamedTuple):
    """A whole subtree: leaves [offset << level, (offset + 1) << level)."""

    level: int
    offset: int


Hashes = Callable[[Node], bytes]
"""The hash of a whole subtree, 32 bytes."""


def leaf_hash(leaf: bytes) -> bytes:
    """Of a leaf's input."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Of a node's children."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over these hashes; their number is a power of two."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return hashes[0]


def whole(start: int, end: int) -> Iterator[Node]:
    """The whole subtrees that the leaves [start, end) are made of, largest first.

    `start` is a multiple of the largest power of two that is at most end - start.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield Node(level, start >> level)
        start += 1 << level


def subtree(hashes: Hashes, start: int, end: int) -> bytes:
    """The hash of the subtree of leaves [start, end), as they stand in a tree."""
    parts = [hashes(node) for node in whole(start, end)]
    if not parts:
        return EMPTY_ROOT
    while len(parts) > 1:
        right = parts.pop()
        parts[-1] = node_hash(parts[-1], right)
    return parts[0]


def root(hashes: Hashes, size: int) -> bytes:
    """The root of the tree of the first `size` leaves."""
    return subtree(hashes, 0, size)


def inclusion_path(index: int, size: int) -> list[tuple[int, int]]:
    """The subtrees of an inclusion proof, from the leaf up, each as its leaves [start, end)."""
    assert 0 <= index < size
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_path(first: int, second: int) -> list[tuple[int, int]]:
    """The subtrees of a proof that the log of `second` leaves goes on that of `first`."""
    assert 0 < first <= second
    path, start, end, known = [], 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start, known = middle, False
    return [*([] if known else [(start, end)]), *path[::-1]]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root_hash: bytes
) -> None:
    """Checks that the leaf with this hash has this place (RFC 9162, 2.1.3.2), or `ProofError`."""
    if not 0 <= index < size:
        raise ProofError
    node, last, above = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError
        if node & 1 or node == last:
            above = node_hash(sibling, above)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            above = node_hash(above, sibling)
        node, last = node >> 1, last >> 1
    if last or not hmac.compare_digest(above, root_hash):
        raise ProofError


def verify_consistency(
    first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes
) -> None:
    """Checks that one tree is the beginning of another (RFC 9162, 2.1.4.2), or `ProofError`."""
    if not 0 < first <= second:
        raise ProofError
    if first == second:
        if proof or not hmac.compare_digest(first_root, second_root):
            raise ProofError
        return
    hashes = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    if not hashes:
        raise ProofError
    older = newer = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofError
        if node & 1 or node == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            newer = node_hash(newer, sibling)
        node, last = node >> 1, last >> 1
    good = hmac.compare_digest(older, first_root) and hmac.compare_digest(newer, second_root)
    if last or not good:
        raise ProofError


def _split(leaves: int) -> int:
    """The largest power of two below `leaves`."""
    return 1 << ((leaves - 1).bit_length() - 1)
