"""Key-encryption keys inside a PKCS#11 token: a hardware module, a cloud HSM, SoftHSM2.

    kek = "pkcs11:token=tacit;object=tacit?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/etc/tacit/pin"

(An RFC 7512 URI; `object` defaults to "tacit".) Each epoch is one AES-256 key object, labelled
`OBJECT/NUMBER`, that the token makes itself, marked sensitive and not extractable: no key-encryption
key is ever in this process. Keys are wrapped with CKM_AES_GCM inside the token.

Rules:
- A wrapped key names its key object by CKA_ID too, so that two objects of one label, made by
  servers that knew nothing of each other, cannot be taken for one another.
- Destroying is C_DestroyObject. What that means for the medium, the token's maker says.
- One session, used by one thread at a time; a session that was lost is opened again, once.
"""  # noqa: E501 (a URI cannot be broken)

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from memory.adapters.key_wrapping import (
    MAX_EPOCH,
    PKCS11,
    bound,
    damaged,
    key_bytes,
    pack,
    unpack,
)
from memory.core.values import Secret
from memory.errors import ConfigurationError, KeyUnavailableError, SealError
from memory.ports import WrappedKey

T = TypeVar("T")

_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_SEALED_AT: Final = _ID_BYTES + _NONCE_BYTES


class Pkcs11Keys:
    """A `KeyProvider` over one token. Safe to share between threads."""

    def __init__(self, module: Path, token: str, label: str, pin: Secret) -> None:
        """Raises `ConfigurationError`: no such module or token, or a wrong PIN."""
        self._pkcs11 = _library()
        self._lock = threading.RLock()
        self._label = label
        self._pin = pin
        self._session: Any = None
        try:
            self._token = self._pkcs11.lib(str(module)).get_token(token_label=token)
            self._open()
        except (self._pkcs11.exceptions.PKCS11Error, RuntimeError) as error:
            raise ConfigurationError(
                f"kek: token {token!r} of {module} cannot be used ({type(error).__name__}); "
                "check module-path, token and the PIN in pin-source"
            ) from None

    def epochs(self) -> list[int]:
        with self._talking():
            return sorted({number for number, _ in self._again(self._objects)})

    def wrap(self, key: Secret, aad: bytes, epoch: int) -> WrappedKey:
        value = key_bytes(key)

        def seal() -> bytes:
            kek = self._key(epoch)
            nonce = os.urandom(_NONCE_BYTES)
            sealed = kek.encrypt(value, **self._gcm(nonce, bound(epoch, aad)))
            return bytes(kek[self._pkcs11.Attribute.ID]) + nonce + bytes(sealed)

        with self._talking():
            body = self._again(seal)
        return WrappedKey(epoch, pack(PKCS11, bound(epoch, aad), body))

    def unwrap(self, wrapped: WrappedKey, aad: bytes) -> Secret:
        epoch = wrapped.epoch
        if not 0 < epoch <= MAX_EPOCH:
            raise _no_epoch(epoch)
        associated = bound(epoch, aad)
        with self._talking():
            try:
                body = unpack(PKCS11, associated, wrapped.value)
            except SealError:
                self._again(lambda: self._key(epoch))  # no such epoch goes before no such key
                raise
            if len(body) <= _SEALED_AT + _TAG_BYTES:
                raise damaged()
            return Secret(self._again(lambda: self._unseal(epoch, body, associated)))

    def new_epoch(self) -> int:
        p = self._pkcs11
        attribute = p.Attribute
        with self._talking():
            number = max((n for n, _ in self._again(self._objects)), default=0) + 1
            template = {attribute.TOKEN: True, attribute.PRIVATE: True, attribute.SENSITIVE: True}
            template |= {attribute.EXTRACTABLE: False, attribute.ENCRYPT: True}
            template |= {attribute.DECRYPT: True, attribute.WRAP: False, attribute.UNWRAP: False}
            template |= {attribute.SIGN: False, attribute.VERIFY: False}
            self._session.generate_key(
                p.KeyType.AES,
                256,
                label=f"{self._label}/{number}",
                id=os.urandom(_ID_BYTES),
                store=True,
                template=template,
            )
            return number

    def destroy_epoch(self, number: int) -> None:
        with self._talking():
            objects = self._again(self._objects)
            if objects and number >= max(n for n, _ in objects):
                raise ConfigurationError("the current key epoch is in use; start a new one first")
            for of, key in objects:
                if of == number:
                    key.destroy()

    def close(self) -> None:
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None

    def _unseal(self, epoch: int, body: bytes, associated: bytes) -> bytes:
        kek = self._key(epoch, body[:_ID_BYTES])
        nonce, sealed = body[_ID_BYTES:_SEALED_AT], body[_SEALED_AT:]
        errors = self._pkcs11.exceptions
        try:
            return bytes(kek.decrypt(sealed, **self._gcm(nonce, associated)))
        except (errors.EncryptedDataInvalid, errors.EncryptedDataLenRange):
            raise damaged() from None
        except errors.GeneralError:
            # SoftHSM says no more than this of a wrong tag: if the key still works, it was one.
            kek.encrypt(b"works", **self._gcm(os.urandom(_NONCE_BYTES), b"works"))
            raise damaged() from None

    def _gcm(self, nonce: bytes, aad: bytes) -> dict[str, Any]:
        return {
            "mechanism": self._pkcs11.Mechanism.AES_GCM,
            "mechanism_param": self._pkcs11.GCMParams(nonce, aad),
        }

    def _key(self, epoch: int, id_: bytes | None = None) -> Any:
        """The key object; by its id, if that is known."""
        attribute = self._pkcs11.Attribute
        wanted = {
            attribute.CLASS: self._pkcs11.ObjectClass.SECRET_KEY,
            attribute.LABEL: f"{self._label}/{epoch}",
        }
        if id_ is not None:
            wanted[attribute.ID] = id_
        for key in list(self._session.get_objects(wanted)):
            return key
        if id_ is None:
            raise _no_epoch(epoch)
        raise KeyUnavailableError(
            f"the token holds no key of epoch {epoch} that belongs to this data; "
            "point `kek` at the token it was made with"
        )

    def _objects(self) -> list[tuple[int, Any]]:
        """Number and key object of every epoch."""
        attribute = self._pkcs11.Attribute
        wanted = {attribute.CLASS: self._pkcs11.ObjectClass.SECRET_KEY}
        found = []
        for key in list(self._session.get_objects(wanted)):
            label, _, number = str(key[attribute.LABEL]).rpartition("/")
            if label == self._label and number.isdecimal():
                found.append((int(number), key))
        return found

    def _open(self) -> None:
        try:
            self._session = self._token.open(rw=True, user_pin=self._pin.reveal().decode())
        except self._pkcs11.exceptions.UserAlreadyLoggedIn:  # by another provider of this process
            self._session = self._token.open(rw=True)

    def _again(self, call: Callable[[], T]) -> T:
        """The call; once more in a new session, if the one at hand was lost."""
        errors = self._pkcs11.exceptions
        lost = (
            errors.SessionClosed,
            errors.SessionHandleInvalid,
            errors.UserNotLoggedIn,
            errors.KeyHandleInvalid,
            errors.ObjectHandleInvalid,
            errors.DeviceRemoved,
        )
        try:
            if self._session is None:
                self._open()
            return call()
        except lost:
            self._open()
            return call()

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """The token for this thread alone; what it says, in our words."""
        with self._lock:
            try:
                yield
            except self._pkcs11.exceptions.PKCS11Error as error:
                raise KeyUnavailableError(
                    f"the PKCS#11 token does not answer ({type(error).__name__}); repeat the call"
                ) from None


def _no_epoch(epoch: int) -> KeyUnavailableError:
    return KeyUnavailableError(f"key epoch {epoch} is unknown or destroyed")


def _library() -> Any:
    try:
        import pkcs11
        import pkcs11.exceptions
    except ImportError:
        raise ConfigurationError(
            "kek: PKCS#11 needs an extra package; run: pip install 'tacit-memory[pkcs11]'"
        ) from None
    return pkcs11
