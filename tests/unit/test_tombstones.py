"""What was forgotten is not kept again, by a cache of any kind."""

from __future__ import annotations

from memory.app.lru import Lru
from memory.app.tombstones import MAX_TOMBSTONES, Tombstones


def test_a_cache_keeps_nothing_of_what_was_forgotten() -> None:
    cache = Lru[str, int](4)
    cache.put("one", 1)
    cache.forget("one")
    cache.put("one", 1)
    assert cache.get("one") is None
    cache.drop("two")
    cache.put("two", 2)
    assert (cache.get("two"), cache.keys()) == (2, {"two"})


def test_a_cache_counts_what_it_lets_go_for_want_of_room() -> None:
    cache = Lru[str, int](2)
    for number, key in enumerate("abca"):
        cache.put(key, number)
    assert (cache.use().entries, cache.use().evicted) == (2, 2)
    cache.drop("a")
    assert (cache.use().entries, cache.use().evicted) == (1, 2)


def test_the_oldest_tombstones_go() -> None:
    stones = Tombstones()
    for number in range(MAX_TOMBSTONES + 1):
        stones.add(number)
    assert 0 not in stones
    assert MAX_TOMBSTONES in stones
