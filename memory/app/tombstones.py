"""Tombstones: who was forgotten, so that a call still in flight cannot fill a cache again.

A recall that began before the fence may finish opening memories after the caches were dropped.
What it opened is for its own answer; a cache that finds a tombstone does not keep it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

MAX_TOMBSTONES: Final = 16_384
"""No call outlasts so many erasures after it; a subject never comes back."""


class Tombstones:
    """A set that lets the oldest go. The cache that owns it guards it with its own lock."""

    def __init__(self) -> None:
        self._subjects: OrderedDict[Hashable, None] = OrderedDict()

    def add(self, subject: Hashable) -> None:
        """From now on nothing of this subject is kept."""
        self._subjects[subject] = None
        if len(self._subjects) > MAX_TOMBSTONES:
            self._subjects.popitem(last=False)

    def __contains__(self, subject: object) -> bool:
        return subject in self._subjects
