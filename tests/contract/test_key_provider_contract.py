"""Every `KeyProvider` keeps the port's promises. A new provider adds itself to `provider`."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.adapters.key_file import KeyFile
from memory.core.values import Secret
from memory.errors import KeyUnavailableError, SealError
from memory.ports import KeyProvider, WrappedKey

KEY = Secret(bytes(range(32)))
AAD = b"tenant and person"


def _key_file(folder: Path) -> KeyProvider:
    return KeyFile.create(folder / "tacit.key")


PROVIDERS: dict[str, Callable[[Path], KeyProvider]] = {"key file": _key_file}


@pytest.fixture(params=PROVIDERS, scope="module")
def provider(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> KeyProvider:
    return PROVIDERS[request.param](tmp_path_factory.mktemp("keys"))


@pytest.mark.parametrize("length", [1, 16, 32, 64])
@pytest.mark.parametrize("aad", [b"", AAD, b"\0" * 1_000])
def test_a_wrapped_key_comes_back(provider: KeyProvider, length: int, aad: bytes) -> None:
    key = Secret(random.Random(length).randbytes(length))
    wrapped = provider.wrap(key, aad)
    assert wrapped.epoch == provider.current_epoch()
    assert provider.unwrap(wrapped, aad) == key


def test_a_wrapped_key_does_not_show_the_key(provider: KeyProvider) -> None:
    assert KEY.reveal() not in provider.wrap(KEY, AAD).value


def test_no_two_wraps_are_alike(provider: KeyProvider) -> None:
    assert len({provider.wrap(KEY, AAD).value for _ in range(200)}) == 200


@pytest.mark.parametrize("aad", [b"", b"tenant and perso", b"tenant and person ", b"other"])
def test_a_key_moved_elsewhere_does_not_unwrap(provider: KeyProvider, aad: bytes) -> None:
    with pytest.raises(SealError):
        provider.unwrap(provider.wrap(KEY, AAD), aad)


def test_every_flipped_bit_is_refused(provider: KeyProvider) -> None:
    wrapped = provider.wrap(KEY, AAD)
    for position in range(8 * len(wrapped.value)):
        value = bytearray(wrapped.value)
        value[position // 8] ^= 1 << position % 8
        with pytest.raises(SealError):
            provider.unwrap(replace(wrapped, value=bytes(value)), AAD)


def test_every_other_length_is_refused(provider: KeyProvider) -> None:
    wrapped = provider.wrap(KEY, AAD)
    for length in range(len(wrapped.value)):
        with pytest.raises(SealError):
            provider.unwrap(replace(wrapped, value=wrapped.value[:length]), AAD)
    for more in (b"\0", bytes(10_000_000)):
        with pytest.raises(SealError):
            provider.unwrap(replace(wrapped, value=wrapped.value + more), AAD)


def test_an_unknown_epoch_is_unavailable(provider: KeyProvider) -> None:
    wrapped = provider.wrap(KEY, AAD)
    for epoch in (wrapped.epoch + 1, 0, -1, 2**31, 2**64):
        with pytest.raises(KeyUnavailableError):
            provider.unwrap(replace(wrapped, epoch=epoch), AAD)


@given(value=st.binary(max_size=200), aad=st.binary(max_size=50))
def test_any_bytes_are_refused(provider: KeyProvider, value: bytes, aad: bytes) -> None:
    with pytest.raises(SealError):
        provider.unwrap(WrappedKey(provider.current_epoch(), value), aad)


def test_ten_thousand_random_inputs_never_crash(provider: KeyProvider) -> None:
    source = random.Random(1)
    good = provider.wrap(KEY, AAD).value
    for _ in range(10_000):
        cut = source.randrange(len(good))
        value = source.choice([b"", good[:cut]]) + source.randbytes(source.randrange(100))
        with pytest.raises((SealError, KeyUnavailableError)):
            provider.unwrap(WrappedKey(source.randrange(3), value), AAD)


def test_errors_show_no_key(provider: KeyProvider) -> None:
    with pytest.raises(SealError) as caught:
        provider.unwrap(provider.wrap(KEY, AAD), b"other")
    assert repr(KEY.reveal()) not in str(caught.value)
    assert caught.value.__suppress_context__


def test_eight_threads_share_a_provider(provider: KeyProvider) -> None:
    wrong: list[Secret] = []

    def work(seed: int) -> None:
        key = Secret(random.Random(seed).randbytes(32))
        again = [provider.unwrap(provider.wrap(key, AAD), AAD) for _ in range(100)]
        wrong.extend(each for each in again if each != key)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
