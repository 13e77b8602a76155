"""Key-encryption keys in the transit engine of HashiCorp Vault or OpenBao.

    kek = "vault:tacit?address=https://vault:8200&mount=transit&token_file=/etc/tacit/vault-token"

Each epoch is one transit key, `NAME-NUMBER`, of type aes256-gcm96, not exportable. Without
`address` and `token_file`, VAULT_ADDR, VAULT_TOKEN and VAULT_CACERT count. The token needs update
on `transit/encrypt/NAME-*` and `transit/decrypt/NAME-*` and list on `transit/keys`; for rotation
also create, update and delete on `transit/keys/NAME-*`.

Rules:
- What a key is bound to is the AEAD's associated data, inside the engine.
- Destroying sets `deletion_allowed` and deletes the transit key with every version of it.
  Vault's own storage and its backups are Vault's matter.
- Encrypting under a key that does not exist would make it; where the token may say so, the
  engine is told not to (`disable_upsert`), and an epoch is looked up before it is first used.
- A call that is not answered is tried three times, each for `timeout` seconds at most; then the
  server is left alone for a moment.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from memory.adapters.key_silence import Silence
from memory.adapters.key_wrapping import (
    MAX_EPOCH,
    VAULT,
    bound,
    damaged,
    key_bytes,
    pack,
    unpack,
)
from memory.core.values import Secret
from memory.errors import ConfigurationError, KeyUnavailableError
from memory.ports import WrappedKey

ATTEMPTS: Final = 3
DEFAULT_TIMEOUT: Final = 3.0
_PAUSE_SECONDS: Final = 0.1

_VERSION_BYTES: Final = 4
_CIPHERTEXT: Final = re.compile(r"vault:v([1-9]\d{0,8}):([A-Za-z0-9+/]+=*)")


class VaultKeys:
    """A `KeyProvider` over a transit engine. Safe to share between threads."""

    def __init__(
        self,
        name: str,
        *,
        address: str | None = None,
        mount: str = "transit",
        token_file: Path | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        self._hvac, self._requests = _library()
        self._name = name
        self._mount = mount
        self._known: frozenset[int] = frozenset()
        self._silence = Silence()
        self._client = self._hvac.Client(url=address, token=_token(token_file), timeout=timeout)
        self._transit = self._client.secrets.transit

    def epochs(self) -> list[int]:
        self._known = frozenset(self._listed())
        return sorted(self._known)

    def wrap(self, key: Secret, aad: bytes, epoch: int) -> WrappedKey:
        self._look_up(epoch)
        associated = bound(epoch, aad)
        plaintext = _base64(key_bytes(key))
        try:
            answer = self._ask(
                lambda: self._transit.encrypt_data(
                    self._key(epoch),
                    plaintext=plaintext,
                    associated_data=_base64(associated),
                    mount_point=self._mount,
                )
            )
        except self._hvac.exceptions.InvalidRequest:  # destroyed since it was looked up
            raise _no_epoch(epoch) from None
        match = _CIPHERTEXT.fullmatch(answer["data"]["ciphertext"])
        if match is None:
            raise KeyUnavailableError("Vault answered with a ciphertext of an unknown form")
        body = int(match[1]).to_bytes(_VERSION_BYTES, "big") + base64.b64decode(match[2])
        return WrappedKey(epoch, pack(VAULT, associated, body))

    def unwrap(self, wrapped: WrappedKey, aad: bytes) -> Secret:
        self._look_up(wrapped.epoch)
        associated = bound(wrapped.epoch, aad)
        body = unpack(VAULT, associated, wrapped.value)
        version = int.from_bytes(body[:_VERSION_BYTES], "big")
        ciphertext = f"vault:v{version}:{_base64(body[_VERSION_BYTES:])}"
        try:
            answer = self._ask(
                lambda: self._transit.decrypt_data(
                    self._key(wrapped.epoch),
                    ciphertext,
                    associated_data=_base64(associated),
                    mount_point=self._mount,
                )
            )
        except self._hvac.exceptions.InvalidRequest:
            if wrapped.epoch not in self.epochs():  # destroyed since it was looked up
                raise _no_epoch(wrapped.epoch) from None
            raise damaged() from None
        return Secret(base64.b64decode(answer["data"]["plaintext"]))

    def new_epoch(self) -> int:
        number = max(self.epochs(), default=0) + 1
        self._ask(
            lambda: self._transit.create_key(
                self._key(number),
                key_type="aes256-gcm96",
                exportable=False,
                mount_point=self._mount,
            )
        )
        with suppress(KeyUnavailableError, self._hvac.exceptions.VaultError):
            # The token need not be good for it.
            self._ask(
                lambda: self._client.write_data(
                    f"{self._mount}/config/keys", data={"disable_upsert": True}
                )
            )
        return number

    def destroy_epoch(self, number: int) -> None:
        alive = self.epochs()
        if alive and number >= alive[-1]:
            raise ConfigurationError("the current key epoch is in use; start a new one first")
        if number not in alive:
            return
        self._ask(
            lambda: self._transit.update_key_configuration(
                self._key(number), deletion_allowed=True, mount_point=self._mount
            )
        )
        self._ask(lambda: self._transit.delete_key(self._key(number), mount_point=self._mount))
        self._known -= {number}

    def close(self) -> None:
        self._client.adapter.close()

    def _key(self, epoch: int) -> str:
        return f"{self._name}-{epoch}"

    def _look_up(self, epoch: int) -> None:
        if epoch not in self._known and (not 0 < epoch <= MAX_EPOCH or epoch not in self.epochs()):
            raise _no_epoch(epoch)

    def _listed(self) -> list[int]:
        try:
            answer = self._ask(lambda: self._transit.list_keys(mount_point=self._mount))
        except self._hvac.exceptions.InvalidPath:  # no key at all
            return []
        pattern = re.compile(re.escape(self._name) + r"-([1-9]\d{0,9})")
        return [int(m[1]) for key in answer["data"]["keys"] if (m := pattern.fullmatch(key))]

    def _ask(self, call: Callable[[], Any]) -> Any:
        """The answer; asked again while the server cannot give one.

        Raises:
            KeyUnavailableError: no answer, or the token is not good for it.
            hvac's InvalidRequest, InvalidPath: what was asked for is wrong.
        """
        self._silence.check()
        errors = self._hvac.exceptions
        problem = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(_PAUSE_SECONDS * 2**attempt)
            try:
                return call()
            except (errors.InvalidRequest, errors.InvalidPath):
                raise
            except (errors.Forbidden, errors.Unauthorized):
                raise KeyUnavailableError(
                    "Vault refuses the token; renew it, or give it the rights that "
                    "docs/operations.md names"
                ) from None
            except (errors.VaultError, self._requests.exceptions.RequestException) as error:
                problem = type(error).__name__
        self._silence.begin()
        raise KeyUnavailableError(f"Vault does not answer ({problem}); repeat the call")


def _no_epoch(epoch: int) -> KeyUnavailableError:
    return KeyUnavailableError(f"key epoch {epoch} is unknown or destroyed")


def _token(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"kek: the token file {file} cannot be read") from None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _library() -> tuple[Any, Any]:
    try:
        import hvac
        import requests
    except ImportError:
        raise ConfigurationError(
            "kek: Vault needs an extra package; run: pip install 'tacit-memory[vault]'"
        ) from None
    return hvac, requests
