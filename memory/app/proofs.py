"""What anyone may ask of the ledger: its newest checkpoint, and proofs.

Rules:
- A leaf that waits to be taken in is taken in when its proof is asked for: who was acknowledged an
  event gets its proof at once.
- A proof is checked against the signed root before it leaves: damaged tiles prove nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memory.app.sequencer import Sequencer
from memory.core.ledger import Checkpoint, Leaf, own_checkpoint
from memory.core.ledger_proof import Inclusion
from memory.core.merkle import (
    HASH_BYTES,
    consistency_path,
    inclusion_path,
    root,
    subtree,
    verify_inclusion,
)
from memory.core.signing import Verifier
from memory.core.tiles import WIDTH, Tile, hash_in, split, tiles_for
from memory.errors import InvalidArgumentError, NotFoundError, ProofError, SealError
from memory.ports import Store, UnitOfWork


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint, and the note that says it."""

    checkpoint: Checkpoint
    note: str


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Where a leaf is in the tree of `size` leaves, and the hashes that prove it."""

    index: int
    size: int
    hashes: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """The hashes that prove one tree to be the beginning of another."""

    first: int
    second: int
    hashes: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Proofs:
    """The use cases behind LedgerService."""

    store: Store
    sequencer: Sequencer
    verifier: Verifier

    def checkpoint(self) -> Signed:
        """The newest one."""
        with self.store.read() as uow:
            return self._checkpoint(uow)

    def inclusion(self, leaf: bytes, size: int = 0) -> InclusionProof:
        """Proves that the leaf with this hash is in the log; in that of `size` leaves if given.

        Raises:
            InvalidArgumentError: no hash, or a size that the log does not have or that does not
                hold the leaf.
            NotFoundError: no event has that leaf.
        """
        if len(leaf) != HASH_BYTES:
            raise InvalidArgumentError("leaf_hash", f"must be {HASH_BYTES} bytes")
        proof = self._inclusion(leaf, size)
        if proof is None:
            self.sequencer.work()  # or another took it in meanwhile
            proof = self._inclusion(leaf, size)
        if proof is None:
            raise NotFoundError("no event of the ledger has that leaf", resource="leaf")
        return proof

    def of(self, leaf: Leaf) -> Inclusion:
        """The same as a proof that stands alone: with the newest checkpoint. Raises as above."""
        self.inclusion(leaf.hash)
        signed = self.checkpoint()
        proof = self.inclusion(leaf.hash, signed.checkpoint.size)
        return Inclusion(leaf, proof.index, tuple(proof.hashes), signed.note)

    def consistency(self, first: int, second: int = 0) -> ConsistencyProof:
        """Proves that the log of `second` leaves goes on that of `first`.

        Raises:
            InvalidArgumentError: sizes out of order, or that the log does not have.
        """
        with self.store.read() as uow:
            newest = self._checkpoint(uow).checkpoint
            second = second or newest.size
            if not 0 < second <= newest.size:
                raise InvalidArgumentError("second_tree_size", "the log is not that long")
            if not 0 < first <= second:
                raise InvalidArgumentError(
                    "first_tree_size", "must be at least 1 and at most the other"
                )
            path = consistency_path(first, second)
            return ConsistencyProof(first, second, _hashes(uow, path, newest)[0])

    def _inclusion(self, leaf: bytes, size: int) -> InclusionProof | None:
        with self.store.read() as uow:
            newest = self._checkpoint(uow).checkpoint
            if not 0 <= size <= newest.size:
                raise InvalidArgumentError("tree_size", "the log is not that long")
            size = size or newest.size
            place = _place(uow, leaf)
            if place is None:
                return None
            if place >= size:
                raise InvalidArgumentError("tree_size", "the log of that size ends before the leaf")
            path = inclusion_path(place, size)
            hashes, top = _hashes(uow, path, newest, size)
        try:
            verify_inclusion(leaf, place, size, hashes, top)
        except ProofError:
            raise _damaged() from None
        return InclusionProof(place, size, hashes)

    def _checkpoint(self, uow: UnitOfWork) -> Signed:
        note = uow.ledger_note()
        assert note is not None
        return Signed(own_checkpoint(note, self.verifier), note)


def _place(uow: UnitOfWork, leaf: bytes) -> int | None:
    """Where the leaf is."""
    for place in uow.places([leaf])[leaf]:
        tile = Tile(0, place // WIDTH)
        hashes = split(uow.tiles([tile]).get(tile, b""))
        if hashes[place % WIDTH : place % WIDTH + 1] == [leaf]:
            return place
    return None


def _hashes(
    uow: UnitOfWork, path: Sequence[tuple[int, int]], newest: Checkpoint, size: int = 0
) -> tuple[list[bytes], bytes]:
    """The hashes of these subtrees, and the root of the tree of `size` leaves."""
    needed = tiles_for([*path, (0, newest.size), (0, size)])
    tiles = uow.tiles(needed)
    try:
        if root(lambda node: hash_in(tiles, node), newest.size) != newest.root:
            raise _damaged()
        hashes = [subtree(lambda node: hash_in(tiles, node), *part) for part in path]
        return hashes, root(lambda node: hash_in(tiles, node), size)
    except ProofError:
        raise _damaged() from None


def _damaged() -> SealError:
    return SealError("the ledger's tree is damaged: run `tacit ledger verify`")
