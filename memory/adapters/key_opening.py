"""From the setting `kek` to a key provider, in the state that the data at hand needs.

    file:PATH                                          a key file
    pkcs11:token=T;object=O?module-path=M&pin-source=F a PKCS#11 token (RFC 7512)
    aws-kms:NAME?region=R&endpoint=U&pending_days=D    AWS KMS
    vault:NAME?address=U&mount=M&token_file=F          Vault or OpenBao, transit engine

Rules:
- **No key is made over existing data**: over a store that ever had a root, a provider without the
  epoch of that root refuses the start. Only a store that was never used gets a first epoch.
- An option that is not known, or a secret in place of the file that holds it, refuses the start.
- Libraries of providers that are not used are not imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote

from memory.adapters.key_file import KeyFile
from memory.core.values import Secret
from memory.errors import ConfigurationError, KeyFileError
from memory.ports import KeyProvider, WrappedKey

_TIMEOUTS: Final = (0.1, 60.0)


def open_keys(kek: str, root: WrappedKey | None) -> KeyProvider:
    """The provider that `kek` names, with an epoch to wrap under; `root` is what the store holds.

    Raises:
        ConfigurationError: `kek` is malformed, or its extra package is not installed.
        KeyFileError: the provider does not hold the key of this data.
        KeyUnavailableError: the provider does not answer.
    """
    scheme, _, rest = kek.partition(":")
    if scheme == "file":
        return _file(Path(rest).expanduser(), root)
    provider = _remote(scheme, rest)
    try:
        epochs = provider.epochs()
        if root is not None and root.epoch not in epochs:
            raise KeyFileError(
                f"`kek` names a provider without key epoch {root.epoch}, which this data was "
                "sealed with; point it at the one that has it, a new key could not open anything"
            )
        if not epochs:
            provider.new_epoch()
    except BaseException:
        provider.close()
        raise
    return provider


def open_surviving_keys(kek: str) -> KeyProvider:
    """The provider as it is, with whatever epochs are alive; nothing is made.

    Raises `ConfigurationError`, `KeyFileError` and `KeyUnavailableError` as above.
    """
    scheme, _, rest = kek.partition(":")
    return KeyFile.open(Path(rest).expanduser()) if scheme == "file" else _remote(scheme, rest)


def describe(kek: str) -> tuple[str, int]:
    """The kind of provider, and the days until it has destroyed what it was told to destroy; an
    epoch opens nothing from the first moment on.
    """
    scheme, _, rest = kek.partition(":")
    days = dict(parse_qsl(rest.partition("?")[2])).get("pending_days", "7")
    return scheme, int(days) if scheme == "aws-kms" else 0


def _file(path: Path, root: WrappedKey | None) -> KeyFile:
    if path.exists():
        return KeyFile.open(path)
    if root is not None:
        raise KeyFileError(
            f"the key file {path} is missing, and the database holds data sealed with it; "
            "bring it back from where it is kept, a new one could not open anything"
        )
    return KeyFile.create(path)


def _remote(scheme: str, rest: str) -> KeyProvider:
    name, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if scheme == "pkcs11":
        return _pkcs11(name, options)
    if not name:
        raise ConfigurationError(f"kek: say {scheme}:NAME, for example {scheme}:tacit")
    timeout = float(_number(options.pop("timeout", "3"), "timeout", *_TIMEOUTS))
    if scheme == "aws-kms":
        from memory.adapters.key_aws_kms import MAX_PENDING_DAYS, MIN_PENDING_DAYS, AwsKmsKeys

        days = options.pop("pending_days", str(MIN_PENDING_DAYS))
        window = int(_number(days, "pending_days", MIN_PENDING_DAYS, MAX_PENDING_DAYS))
        region, endpoint = options.pop("region", None), options.pop("endpoint", None)
        _refuse(options)
        return AwsKmsKeys(
            name, region=region, endpoint=endpoint, pending_days=window, timeout=timeout
        )
    if scheme == "vault":
        from memory.adapters.key_vault import VaultKeys

        address, mount = options.pop("address", None), options.pop("mount", "transit")
        token_file = options.pop("token_file", None)
        _refuse(options)
        file = Path(token_file) if token_file else None
        return VaultKeys(name, address=address, mount=mount, token_file=file, timeout=timeout)
    raise ConfigurationError(f"kek: {scheme!r} is no key provider; see docs/operations.md")


def _pkcs11(path: str, options: dict[str, str]) -> KeyProvider:
    from memory.adapters.key_pkcs11 import Pkcs11Keys

    parts = dict(part.partition("=")[::2] for part in path.split(";") if part)
    token, label = parts.pop("token", ""), parts.pop("object", "tacit")
    module, source = options.pop("module-path", ""), options.pop("pin-source", "")
    if "pin-value" in options:
        raise ConfigurationError("kek: no PIN in a setting; name its file with pin-source")
    _refuse({**parts, **options})
    if not token or not module or not source:
        raise ConfigurationError("kek: pkcs11 needs token=, module-path= and pin-source=")
    file = Path(source.removeprefix("file:"))
    try:
        pin = Secret(file.read_bytes().strip())
    except OSError as error:
        raise ConfigurationError(f"kek: the PIN file {file}: {error.strerror}") from None
    return Pkcs11Keys(Path(module), unquote(token), unquote(label), pin)


def _number(text: str, option: str, low: float, high: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not low <= number <= high:
        raise ConfigurationError(f"kek: {option} must be a number from {low:g} to {high:g}")
    return number


def _refuse(options: Mapping[str, str]) -> None:
    if options:
        raise ConfigurationError(f"kek: unknown option {next(iter(options))!r}")
