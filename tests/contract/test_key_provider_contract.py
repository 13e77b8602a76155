"""Every `KeyProvider` keeps the port's promises, on the real thing.

A new provider adds itself to `PROVIDERS`.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from memory.adapters.key_opening import open_keys
from memory.core.values import Secret
from memory.errors import ConfigurationError, KeyFileError, KeyUnavailableError, SealError
from memory.ports import KeyProvider, WrappedKey
from tests.contract import key_servers
from tests.contract.deployment import OPERATOR, Deployment

KEY = Secret(bytes(range(32)))
AAD = b"tenant and person"

Make = Callable[[], str]
"""A `kek` that nothing was kept under yet."""


def _file(folder: Path, _: ExitStack, __: pytest.FixtureRequest) -> Make:
    names = iter(range(1000))
    return lambda: f"file:{folder / str(next(names))}"


def _pkcs11(_: Path, __: ExitStack, request: pytest.FixtureRequest) -> Make:
    make: Make = request.getfixturevalue("new_token")
    return make


def _aws_kms(_: Path, stack: ExitStack, __: pytest.FixtureRequest) -> Make:
    patch = stack.enter_context(pytest.MonkeyPatch.context())
    patch.setenv("AWS_ACCESS_KEY_ID", "testing")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    server = stack.enter_context(key_servers.moto())
    return lambda: key_servers.new_kms(server.port)


def _vault(folder: Path, stack: ExitStack, _: pytest.FixtureRequest) -> Make:
    server = stack.enter_context(key_servers.openbao())
    return lambda: key_servers.new_transit(server.port, folder)


PROVIDERS: dict[str, Callable[[Path, ExitStack, pytest.FixtureRequest], Make]] = {
    "key file": _file,
    "PKCS#11 on SoftHSM2": _pkcs11,
    "AWS KMS on moto": _aws_kms,
    "transit on OpenBao": _vault,
}
LOCAL = ("key file", "PKCS#11 on SoftHSM2")


@pytest.fixture(params=PROVIDERS, scope="module")
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def make(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Make]:
    with ExitStack() as stack:
        try:
            yield PROVIDERS[kind](tmp_path_factory.mktemp("keys"), stack, request)
        except key_servers.Unavailable as missing:
            pytest.skip(str(missing))


@pytest.fixture(scope="module")
def provider(make: Make) -> Iterator[KeyProvider]:
    """One that tests share; it has one epoch."""
    keys = open_keys(make(), None)
    yield keys
    keys.close()


@pytest.fixture
def fresh(make: Make) -> Iterator[KeyProvider]:
    """One of a test's own."""
    keys = open_keys(make(), None)
    yield keys
    keys.close()


@pytest.mark.parametrize("length", [1, 16, 32, 64])
@pytest.mark.parametrize("aad", [b"", AAD, b"\0" * 1_000])
def test_a_wrapped_key_comes_back(provider: KeyProvider, length: int, aad: bytes) -> None:
    key = Secret(random.Random(length).randbytes(length))
    wrapped = provider.wrap(key, aad, 1)
    assert wrapped.epoch == 1
    assert provider.unwrap(wrapped, aad) == key


def test_a_wrapped_key_does_not_show_the_key(provider: KeyProvider) -> None:
    assert KEY.reveal() not in provider.wrap(KEY, AAD, 1).value


def test_no_two_wraps_are_alike(provider: KeyProvider) -> None:
    assert len({provider.wrap(KEY, AAD, 1).value for _ in range(200)}) == 200


def test_what_is_no_key_is_not_wrapped(provider: KeyProvider) -> None:
    for value in (b"", bytes(2000)):
        with pytest.raises(ValueError, match="a key has"):
            provider.wrap(Secret(value), AAD, 1)


@pytest.mark.parametrize("aad", [b"", b"tenant and perso", b"tenant and person ", b"other"])
def test_a_key_moved_elsewhere_does_not_unwrap(provider: KeyProvider, aad: bytes) -> None:
    with pytest.raises(SealError):
        provider.unwrap(provider.wrap(KEY, AAD, 1), aad)


def test_every_flipped_bit_is_refused(provider: KeyProvider) -> None:
    wrapped = provider.wrap(KEY, AAD, 1)
    for position in range(8 * len(wrapped.value)):
        value = bytearray(wrapped.value)
        value[position // 8] ^= 1 << position % 8
        with pytest.raises(SealError):
            provider.unwrap(replace(wrapped, value=bytes(value)), AAD)


def test_every_other_length_is_refused(provider: KeyProvider) -> None:
    wrapped = provider.wrap(KEY, AAD, 1)
    for length in range(len(wrapped.value)):
        with pytest.raises(SealError):
            provider.unwrap(replace(wrapped, value=wrapped.value[:length]), AAD)
    for more in (b"\0", bytes(10_000_000)):
        with pytest.raises(SealError):
            provider.unwrap(replace(wrapped, value=wrapped.value + more), AAD)


def test_an_unknown_epoch_is_unavailable(provider: KeyProvider) -> None:
    wrapped = provider.wrap(KEY, AAD, 1)
    for epoch in (2, 0, -1, 2**31, 2**64):
        with pytest.raises(KeyUnavailableError):
            provider.unwrap(replace(wrapped, epoch=epoch), AAD)
    with pytest.raises(KeyUnavailableError):
        provider.wrap(KEY, AAD, 7)


def test_random_inputs_never_crash(provider: KeyProvider, kind: str) -> None:
    source = random.Random(1)
    good = provider.wrap(KEY, AAD, 1).value
    for _ in range(10_000 if kind in LOCAL else 300):
        cut = source.randrange(len(good))
        value = source.choice([b"", good[:1], good[:cut]]) + source.randbytes(source.randrange(100))
        with pytest.raises((SealError, KeyUnavailableError)):
            provider.unwrap(WrappedKey(source.randrange(3), value), AAD)


def test_errors_show_no_key(provider: KeyProvider) -> None:
    with pytest.raises(SealError) as caught:
        provider.unwrap(provider.wrap(KEY, AAD, 1), b"other")
    assert repr(KEY.reveal()) not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_eight_threads_share_a_provider(provider: KeyProvider, kind: str) -> None:
    wrong: list[Secret] = []
    rounds = 100 if kind in LOCAL else 10

    def work(seed: int) -> None:
        key = Secret(random.Random(seed).randbytes(32))
        again = [provider.unwrap(provider.wrap(key, AAD, 1), AAD) for _ in range(rounds)]
        wrong.extend(each for each in again if each != key)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_old_and_new_epoch_are_read_at_once_until_the_old_one_is_destroyed(make: Make) -> None:
    kek = make()
    keys, other = open_keys(kek, None), open_keys(kek, None)
    old = keys.wrap(KEY, AAD, 1)
    assert other.unwrap(old, AAD) == KEY
    assert keys.new_epoch() == 2
    new = keys.wrap(KEY, AAD, 2)
    for provider in (keys, other):
        assert list(provider.epochs()) == [1, 2]
        assert provider.unwrap(old, AAD) == provider.unwrap(new, AAD) == KEY
        with pytest.raises(SealError):
            provider.unwrap(replace(old, epoch=2), AAD)
    keys.destroy_epoch(1)
    keys.destroy_epoch(1)
    for provider in (keys, other):
        # Asked first, for moto alone goes on decrypting under a key that awaits its deletion.
        assert list(provider.epochs()) == [2]
        with pytest.raises(KeyUnavailableError):
            provider.unwrap(old, AAD)
        assert provider.unwrap(new, AAD) == KEY
    with pytest.raises(KeyUnavailableError):
        keys.wrap(KEY, AAD, 1)
    assert keys.new_epoch() == 3
    keys.close()
    other.close()


def test_the_newest_epoch_cannot_be_destroyed(fresh: KeyProvider) -> None:
    for number in (1, 7):
        with pytest.raises(ConfigurationError, match="in use"):
            fresh.destroy_epoch(number)
    assert fresh.unwrap(fresh.wrap(KEY, AAD, 1), AAD) == KEY


def test_a_provider_opened_again_has_its_epochs(make: Make) -> None:
    kek = make()
    first = open_keys(kek, None)
    wrapped = first.wrap(KEY, AAD, 1)
    first.close()
    again = open_keys(kek, wrapped)
    assert list(again.epochs()) == [1]
    assert again.unwrap(wrapped, AAD) == KEY
    again.close()


def test_no_key_is_made_over_existing_data(make: Make) -> None:
    kek = make()
    root = WrappedKey(1, b"what a store holds")
    for _ in range(2):
        with pytest.raises(KeyFileError, match="a new"):
            open_keys(kek, root)
    keys = open_keys(kek, None)  # for nothing was made
    assert list(keys.epochs()) == [1]
    keys.close()


def test_keys_are_rotated_from_one_epoch_to_the_next(fresh: KeyProvider, tmp_path: Path) -> None:
    at = Deployment(f"sqlite:///{tmp_path / 'tacit.db'}", fresh)
    at.add(3)
    before = at.keys()
    rotate = at.rotator()
    rotate(OPERATOR, "a request")
    assert rotate.work()
    assert at.epochs() == ([2], {2: 4})
    assert at.keys() == before
    at.store.close()
