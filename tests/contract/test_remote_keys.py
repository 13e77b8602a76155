"""What only a provider on another machine can get wrong: slowness, absence, refusal, forgery."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from memory.adapters.key_opening import open_keys
from memory.adapters.key_silence import SECONDS
from memory.adapters.key_wrapping import AWS_KMS, PKCS11, VAULT, bound, pack, unpack
from memory.core.values import Secret
from memory.errors import ConfigurationError, KeyUnavailableError, SealError
from tests.contract import key_servers
from tests.contract.key_servers import Process
from tests.contract.slow_proxy import SlowProxy

KEY = Secret(bytes(range(32)))
AAD = b"tenant and person"
TIMEOUT = 0.3
LONGEST = 6.0
"""Three attempts of at most connect and read timeout, the pauses between, and a busy machine."""

Make = Callable[[int], str]


@pytest.fixture(params=["AWS KMS", "Vault"], scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Process, Make, bytes]]:
    """The server, how to name a new provider behind a port, and the version its keys carry."""
    folder = tmp_path_factory.mktemp("remote")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        if request.param == "AWS KMS":
            process = stack.enter_context(key_servers.moto())
            yield process, lambda port: key_servers.new_kms(port, TIMEOUT), AWS_KMS
            return
        try:
            process = stack.enter_context(key_servers.openbao())
        except key_servers.Unavailable as missing:
            pytest.skip(str(missing))
        yield process, lambda port: key_servers.new_transit(port, folder, TIMEOUT), VAULT


def test_a_provider_that_does_not_answer_is_given_up_in_bounded_time_and_works_again_after(
    server: tuple[Process, Make, bytes],
) -> None:
    process, make, _ = server
    with SlowProxy(process.port) as proxy:
        keys = open_keys(make(proxy.port), None)
        wrapped = keys.wrap(KEY, AAD, 1)
        proxy.mute()
        for call in (lambda: keys.unwrap(wrapped, AAD), keys.new_epoch):
            began = time.monotonic()
            with pytest.raises(KeyUnavailableError, match="does not answer"):
                call()
            assert time.monotonic() - began < LONGEST
            began = time.monotonic()
            with pytest.raises(KeyUnavailableError, match="a moment ago"):
                call()
            assert time.monotonic() - began < SECONDS
            time.sleep(SECONDS)
        proxy.unmute()
        assert keys.unwrap(wrapped, AAD) == KEY
        assert list(keys.epochs()) == [1]
        keys.close()


def test_a_provider_that_is_not_there_is_unavailable(server: tuple[Process, Make, bytes]) -> None:
    process, make, _ = server
    proxy = SlowProxy(process.port)
    with proxy:
        kek = make(proxy.port)
        keys = open_keys(kek, None)
        wrapped = keys.wrap(KEY, AAD, 1)
    keys.close()
    elsewhere = kek.replace(str(proxy.port), str(key_servers.free_port()))
    with pytest.raises(KeyUnavailableError, match="does not answer"):
        open_keys(elsewhere, wrapped)


def test_a_forged_check_does_not_help(server: tuple[Process, Make, bytes]) -> None:
    """The check is no secret: who changes a key can make it fit; the provider still refuses."""
    process, make, version = server
    keys = open_keys(make(process.port), None)
    wrapped = keys.wrap(KEY, AAD, 1)
    body = unpack(version, bound(1, AAD), wrapped.value)
    for place in (0, len(body) // 2, len(body) - 1):
        changed = bytearray(body)
        changed[place] ^= 1
        forged = replace(wrapped, value=pack(version, bound(1, AAD), bytes(changed)))
        with pytest.raises((SealError, KeyUnavailableError)):
            keys.unwrap(forged, AAD)
    moved = replace(wrapped, value=pack(version, bound(1, b"other"), body))
    with pytest.raises(SealError):
        keys.unwrap(moved, b"other")
    keys.close()


def test_a_refused_vault_token_is_unavailable_and_says_so(tmp_path: Path) -> None:
    try:
        process = key_servers.openbao()
    except key_servers.Unavailable as missing:
        pytest.skip(str(missing))
    with process:
        kek = key_servers.new_transit(process.port, tmp_path)
        open_keys(kek, None).close()
        (tmp_path / "vault-token").write_text("revoked")
        with pytest.raises(KeyUnavailableError, match="refuses the token"):
            open_keys(kek, None)


@pytest.fixture
def token(new_token: Callable[[], str]) -> str:
    return new_token()


def test_a_token_refuses_a_forged_key_and_a_wrong_pin(token: str, tmp_path: Path) -> None:
    keys = open_keys(token, None)
    wrapped = keys.wrap(KEY, AAD, 1)
    body = bytearray(unpack(PKCS11, bound(1, AAD), wrapped.value))
    body[-1] ^= 1
    with pytest.raises(SealError):
        keys.unwrap(replace(wrapped, value=pack(PKCS11, bound(1, AAD), bytes(body))), AAD)
    body[0] ^= 1  # another key's id
    with pytest.raises(KeyUnavailableError, match="belongs to this data"):
        keys.unwrap(replace(wrapped, value=pack(PKCS11, bound(1, AAD), bytes(body))), AAD)
    assert keys.unwrap(wrapped, AAD) == KEY
    keys.close()
    wrong = tmp_path / "pin"
    wrong.write_text("0000")
    with pytest.raises(ConfigurationError, match="PinIncorrect"):
        open_keys(f"{token.partition('&pin-source=')[0]}&pin-source={wrong}", None)


def test_a_token_key_never_leaves_the_token(token: str) -> None:
    keys = open_keys(token, None)
    pkcs11 = keys._pkcs11  # type: ignore[attr-defined]
    _, key = keys._objects()[0]  # type: ignore[attr-defined]
    with pytest.raises(pkcs11.exceptions.AttributeSensitive):
        _ = key[pkcs11.Attribute.VALUE]
    keys.close()


# The library's search, cut off in its beginning, remarks on it when it is collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_session_that_was_lost_is_opened_again(token: str) -> None:
    keys = open_keys(token, None)
    wrapped = keys.wrap(KEY, AAD, 1)
    keys._session.close()  # type: ignore[attr-defined]
    assert keys.unwrap(wrapped, AAD) == KEY
    keys._session.close()  # type: ignore[attr-defined]
    assert list(keys.epochs()) == [1]
    keys.close()
