"""Key-encryption keys in AWS KMS.

    kek = "aws-kms:tacit?region=eu-central-1&pending_days=7"

Each epoch is one symmetric KMS key behind the alias `alias/NAME-NUMBER`. Credentials, region and
endpoint come from where boto3 takes them; `region` and `endpoint` may be said here. What is called:
Encrypt, Decrypt, ListAliases, DescribeKey; and CreateKey, CreateAlias, ScheduleKeyDeletion for
rotation.

Rules:
- What a key is bound to goes into the EncryptionContext as a digest, since CloudTrail shows it.
- **Destroying takes time**: KMS deletes a key 7 to 30 days after it was asked to
  (`pending_days`). From that moment on it opens nothing, but until the window ends whoever
  may call CancelKeyDeletion can bring it back.
- A call that is not answered is tried three times, each for `timeout` seconds at most; then KMS is
  left alone for a moment.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Final

from memory.adapters.key_silence import Silence
from memory.adapters.key_wrapping import (
    AWS_KMS,
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
MIN_PENDING_DAYS: Final = 7
MAX_PENDING_DAYS: Final = 30

_WRONG: Final = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_GONE: Final = frozenset({"NotFoundException", "KMSInvalidStateException", "DisabledException"})


class AwsKmsKeys:
    """A `KeyProvider` over AWS KMS. Safe to share between threads."""

    def __init__(
        self,
        name: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        pending_days: int = MIN_PENDING_DAYS,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        boto3, config, self._errors = _library()
        self._alias = f"alias/{name}-"
        self._pending_days = pending_days
        self._known: frozenset[int] = frozenset()
        self._silence = Silence()
        try:
            self._kms = boto3.session.Session().client(
                "kms",
                region_name=region,
                endpoint_url=endpoint,
                config=config(
                    connect_timeout=timeout,
                    read_timeout=timeout,
                    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                ),
            )
        except (self._errors.BotoCoreError, ValueError) as error:
            raise ConfigurationError(
                f"kek: AWS KMS is not set up ({type(error).__name__}); name a region, "
                "in `kek` or where boto3 looks for it"
            ) from None

    def epochs(self) -> list[int]:
        with self._talking():
            alive = {n for n, key in self._aliases().items() if self._enabled(key)}
        self._known = frozenset(alive)
        return sorted(alive)

    def wrap(self, key: Secret, aad: bytes, epoch: int) -> WrappedKey:
        self._look_up(epoch)
        associated = bound(epoch, aad)
        with self._talking(epoch):
            answer = self._kms.encrypt(
                KeyId=f"{self._alias}{epoch}",
                Plaintext=key_bytes(key),
                EncryptionContext=_context(associated),
            )
        return WrappedKey(epoch, pack(AWS_KMS, associated, answer["CiphertextBlob"]))

    def unwrap(self, wrapped: WrappedKey, aad: bytes) -> Secret:
        epoch = wrapped.epoch
        self._look_up(epoch)
        associated = bound(epoch, aad)
        blob = unpack(AWS_KMS, associated, wrapped.value)
        with self._talking(epoch):
            answer = self._kms.decrypt(
                KeyId=f"{self._alias}{epoch}",
                CiphertextBlob=blob,
                EncryptionContext=_context(associated),
            )
        return Secret(answer["Plaintext"])

    def new_epoch(self) -> int:
        with self._talking():
            number = max(self._aliases(), default=0) + 1
            made = self._kms.create_key(
                Description=f"Tacit: key-encryption key, epoch {number}",
                KeySpec="SYMMETRIC_DEFAULT",
                KeyUsage="ENCRYPT_DECRYPT",
            )["KeyMetadata"]["KeyId"]
            try:
                self._kms.create_alias(AliasName=f"{self._alias}{number}", TargetKeyId=made)
            except self._kms.exceptions.AlreadyExistsException:  # another server was faster
                self._kms.schedule_key_deletion(KeyId=made, PendingWindowInDays=self._pending_days)
            return number

    def destroy_epoch(self, number: int) -> None:
        with self._talking():
            aliases = self._aliases()
            if aliases and number >= max(aliases):
                raise ConfigurationError("the current key epoch is in use; start a new one first")
            if number in aliases and self._enabled(aliases[number]):
                self._kms.schedule_key_deletion(
                    KeyId=aliases[number], PendingWindowInDays=self._pending_days
                )
        self._known -= {number}

    def close(self) -> None:
        self._kms.close()

    def _look_up(self, epoch: int) -> None:
        if epoch not in self._known and epoch not in self.epochs():
            raise _no_epoch(epoch)

    def _aliases(self) -> dict[int, str]:
        """Key id of every epoch by number, those on their way out included."""
        pattern = re.compile(re.escape(self._alias) + r"([1-9]\d{0,9})")
        return {
            int(match[1]): alias["TargetKeyId"]
            for page in self._kms.get_paginator("list_aliases").paginate()
            for alias in page["Aliases"]
            if "TargetKeyId" in alias and (match := pattern.fullmatch(alias["AliasName"]))
        }

    def _enabled(self, key: str) -> bool:
        return bool(self._kms.describe_key(KeyId=key)["KeyMetadata"]["Enabled"])

    @contextmanager
    def _talking(self, epoch: int = 0) -> Iterator[None]:
        """What KMS says, in our words; `epoch` is the one asked for."""
        self._silence.check()
        try:
            yield
        except self._errors.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _WRONG:
                raise damaged() from None
            if code in _GONE and epoch:
                raise _no_epoch(epoch) from None
            raise KeyUnavailableError(f"AWS KMS refuses ({_word(code)}); repeat the call") from None
        except self._errors.BotoCoreError as error:
            self._silence.begin()
            raise KeyUnavailableError(
                f"AWS KMS does not answer ({type(error).__name__}); repeat the call"
            ) from None


def _no_epoch(epoch: int) -> KeyUnavailableError:
    return KeyUnavailableError(f"key epoch {epoch} is unknown, disabled or destroyed")


def _word(code: str) -> str:
    """An error code, if it is one: it may reach a log."""
    return code if re.fullmatch(r"\w{1,64}", code) else "unknown"


def _context(associated: bytes) -> dict[str, str]:
    return {"tacit-place": base64.b64encode(sha256(associated).digest()).decode()}


def _library() -> tuple[Any, Any, Any]:
    try:
        import boto3.session
        import botocore.config
        import botocore.exceptions
    except ImportError:
        raise ConfigurationError(
            "kek: AWS KMS needs an extra package; run: pip install 'tacit-memory[kms]'"
        ) from None
    return boto3, botocore.config.Config, botocore.exceptions
