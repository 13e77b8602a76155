"""A bounded cache: the least recently used goes first; what was forgotten does not come back."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from memory.app.tombstones import Tombstones
from memory.ports import CacheUse

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Lru(Generic[K, V]):
    """Safe to use from several threads. Two may make the same value; one of them stays."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._items: OrderedDict[K, V] = OrderedDict()
        self._gone = Tombstones()
        self._evicted = 0

    def get(self, key: K) -> V | None:
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
            return self._items.get(key)

    def put(self, key: K, value: V) -> None:
        with self._lock:
            if key in self._gone:
                return
            self._items[key] = value
            self._items.move_to_end(key)
            if len(self._items) > self._limit:
                self._items.popitem(last=False)
                self._evicted += 1

    def drop(self, key: K) -> None:
        with self._lock:
            self._items.pop(key, None)

    def forget(self, key: K) -> None:
        """Drops it, and keeps nothing under this key again."""
        with self._lock:
            self._gone.add(key)
            self._items.pop(key, None)

    def keys(self) -> set[K]:
        with self._lock:
            return set(self._items)

    def use(self) -> CacheUse:
        with self._lock:
            return CacheUse(len(self._items), self._evicted)
