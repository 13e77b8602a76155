"""Every setting of a server, each with one name in the file, the environment and on the line.

    tacit.toml            worker_threads = 4
    environment           TACIT_WORKER_THREADS=4
    command line          tacit serve --worker-threads 4

Rules:
- The line is stronger than the environment, the environment than the file, the file than the
  default. `tacit serve` needs none of them.
- There is no setting that nothing reads.
- An unknown key in the file is an error that names it: a typing mistake must not leave a
  protection switched off. Unknown `TACIT_*` variables are left alone, because container
  platforms inject their own.
- A relative path in the file is relative to the file; elsewhere, to the working folder.
- A secret is never a setting, only the path of a file that holds it. The one exception is a
  password inside `database`; `Config` hides it when printed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from memory.errors import ConfigurationError

DEFAULT_FILE: Final = "tacit.toml"
"""Read from the working folder when no other file is named and it is there."""

ENV_PREFIX: Final = "TACIT_"

_HOST_PORT: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):(\d{1,5})")
_DATABASE: Final = re.compile(r"(sqlite|postgresql)(\+[a-z0-9_]+)?://.*")
_KEK: Final = re.compile(r"(file|pkcs11|aws-kms|vault):.+")
_COLLECTOR: Final = re.compile(rf"https?://{_HOST_PORT.pattern}")
_ORIGIN: Final = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]?#@]+)(:\d{1,5})?")
_PASSWORD: Final = re.compile(r"(://[^:/@]*):[^@]*@")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text that is not empty")
    return value


def _address(value: object) -> str:
    match = _HOST_PORT.fullmatch(_text(value))
    if not match or int(match[2]) > 65535:
        raise ValueError("must be HOST:PORT, for example 127.0.0.1:50051")
    return match[0]


def _path(value: object) -> Path:
    return (value if isinstance(value, Path) else Path(_text(value))).expanduser()


def _database(value: object) -> str:
    if not _DATABASE.fullmatch(_text(value)):
        raise ValueError("must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
    return str(value)


def _chroma(value: object) -> str:
    text = _text(value)
    if "://" in text and not text.startswith(("http://", "https://")):
        raise ValueError("must be a folder or an http(s) URL")
    return text


def _collector(value: object) -> str:
    if not _COLLECTOR.fullmatch(_text(value)):
        raise ValueError("must be http://HOST:PORT or https://HOST:PORT")
    return str(value)


def _web_url(value: object) -> str:
    if not _ORIGIN.fullmatch(_text(value)):
        raise ValueError("must be https://HOST or http://HOST, with a port or without, no path")
    return str(value)


def _kek(value: object) -> str:
    if not _KEK.fullmatch(_text(value)):
        raise ValueError("must be file:PATH, pkcs11:…, aws-kms:NAME or vault:NAME")
    return str(value)


def _signing_name(value: object) -> str:
    text = _text(value)
    if len(text) > 255 or "+" in text or any(c.isspace() for c in text):
        raise ValueError("must be a name like memory.example.org, without white space or '+'")
    return text


def _between(low: int, high: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        problem = f"must be a whole number from {low} to {high}"
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError(problem)
        try:
            number = int(value)
        except ValueError:
            raise ValueError(problem) from None
        if not low <= number <= high:
            raise ValueError(problem)
        return number

    return parse


def _setting(parse: Callable[[object], Any], help: str, default: Any = None) -> Any:
    return field(default=default, metadata={"parse": parse, "help": help})


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One server. Fields are the settings; what a `None` means is said in its help text."""

    data: Path = _setting(_path, "Folder of the database, index and keys.", Path("tacit-data"))
    listen: str = _setting(_address, "HOST:PORT to serve gRPC on.", "127.0.0.1:50051")
    web: str | None = _setting(
        _address, "HOST:PORT to serve the person's page on; none serves no page."
    )
    web_url: str | None = _setting(
        _web_url, "Where people reach the page, https://…; else where it listens."
    )
    openid: Path | None = _setting(
        _path, "OpenID provider to sign in with on the page (TOML); else one-time links alone."
    )
    tls_cert: Path | None = _setting(_path, "Certificate chain (PEM); none serves plain text.")
    tls_key: Path | None = _setting(_path, "Private key of the certificate (PEM).")
    tls_client_ca: Path | None = _setting(_path, "Demand client certificates of this CA (PEM).")

    database: str | None = _setting(_database, "SQLite or PostgreSQL URL; else DATA/tacit.db.")
    chroma: str | None = _setting(_chroma, "Folder or URL of the index; else DATA/chroma.")
    chroma_files: Path | None = _setting(
        _path, "Folder of that Chroma server, if this account can write it: erasures reach it then."
    )
    kek: str | None = _setting(
        _kek, "Who holds the key-encryption keys: file:PATH, pkcs11:…; else file:DATA/tacit.key."
    )
    key_cache_seconds: int = _setting(
        _between(1, 86_400), "How long an unwrapped key may be used without asking again.", 900
    )

    jwt_issuer: str = _setting(_text, "The `iss` that tokens must carry.", "tacit")
    jwt_audience: str = _setting(_text, "The `aud` that tokens must carry.", "tacit")
    jwt_key_set: Path | None = _setting(
        _path, "JWKS file of another issuer's keys; else DATA/jwt-signing.pem is made and used."
    )

    erasure_seconds: int = _setting(
        _between(0, 30 * 86_400),
        "Within this time after an erasure, the key epoch of what was erased is destroyed.",
        86_400,
    )

    signing_name: str = _setting(
        _signing_name, "What receipts, exports and the ledger are signed as.", "tacit.local"
    )

    purposes: Path | None = _setting(_path, "Registry of purposes (TOML); else a plain one.")
    detection: Path | None = _setting(_path, "What is hidden, per tenant (TOML); else `direct`.")
    protection: Path | None = _setting(
        _path, "Veiled or sealed vectors, per tenant (TOML); else veiled."
    )
    limits: Path | None = _setting(
        _path, "Calls and memories a tenant may have (TOML); else no bound."
    )
    sealed_megabytes: int = _setting(
        _between(1, 1024 * 1024), "Memory for the opened vectors of sealed tenants.", 512
    )
    idle_seconds: int = _setting(
        _between(1, 86_400), "How long what lies open of a person stays so, unused.", 300
    )
    encoder: Path | None = _setting(_path, "Folder of an ONNX sentence encoder; else MiniLM-L6.")

    max_message_bytes: int = _setting(
        _between(64 * 1024, 64 * 1024 * 1024), "Largest gRPC message.", 4 * 1024 * 1024
    )
    worker_threads: int = _setting(
        _between(1, 256), "Calls worked on at the same time, beside those that only read.", 4
    )
    recall_processes: int = _setting(
        _between(0, 16),
        "Processes beside the server that recall when there is much to do, over SQLite.",
        1,
    )
    metrics_listen: str | None = _setting(
        _address, "HOST:PORT to show Prometheus metrics on, over plain HTTP; none shows none."
    )
    traces: str | None = _setting(
        _collector, "OTLP collector to send traces to, http(s)://HOST:PORT; none sends none."
    )
    search_in_memory: int = _setting(
        _between(0, 20_000),
        "Up to so many memories, a person's are searched without index.",
        12_000,
    )

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ConfigurationError("tls_cert and tls_key go together: set both or neither")
        if self.chroma_files and "://" not in self.chroma_location:
            raise ConfigurationError(
                "chroma_files goes with a Chroma server: set chroma to its URL"
            )
        if self.web_url and not self.web:
            raise ConfigurationError("web_url goes with web: set where the page listens")
        if self.openid and not self.web:
            raise ConfigurationError("openid goes with web: set where the page listens")
        if self.tls_client_ca and not self.tls_cert:
            raise ConfigurationError("tls_client_ca needs tls_cert and tls_key")

    def __repr__(self) -> str:
        shown = (f"{f.name}={getattr(self, f.name)!r}" for f in fields(self))
        return _PASSWORD.sub(r"\1:…@", f"Config({', '.join(shown)})")

    @property
    def database_url(self) -> str:
        """Where the truth lies."""
        return self.database or f"sqlite:///{self.data / 'tacit.db'}"

    @property
    def chroma_location(self) -> str:
        """Folder or URL of the derived index."""
        return self.chroma or str(self.data / "chroma")

    @property
    def key_provider(self) -> str:
        """Who holds the key-encryption keys. Best kept apart from the data and its backups."""
        return self.kek or f"file:{self.data / 'tacit.key'}"

    @property
    def ledger_checkpoint(self) -> Path:
        """The newest checkpoint of the ledger, by which an older database is noticed."""
        return self.data / "ledger-checkpoint"

    @property
    def jwt_signing_key(self) -> Path:
        """Private key (PEM) of the embedded token issuer; unused with `jwt_key_set`."""
        return self.data / "jwt-signing.pem"


SETTINGS: Final[Mapping[str, Field[Any]]] = {f.name: f for f in fields(Config)}
"""By name, with `metadata["help"]`; the command line is made from these."""


def load_config(
    *,
    file: Path | None = None,
    environ: Mapping[str, str],
    flags: Mapping[str, object] | None = None,
    folder: Path | None = None,
) -> Config:
    """The settings of a server from all three sources; a flag that is `None` was not given.

    `file` must exist when named; without it, `tacit.toml` in `folder` is read if it is there.

    Raises:
        ConfigurationError: names the setting and where it came from.
    """
    values = _from_file(file, folder or Path())
    for name in SETTINGS:
        variable = ENV_PREFIX + name.upper()
        if variable in environ:
            values[name] = _parse(name, environ[variable], f"environment, {variable}")
        flag = (flags or {}).get(name)
        if flag is not None:
            values[name] = _parse(name, flag, f"--{name.replace('_', '-')}")
    return Config(**values)


def _from_file(named: Path | None, folder: Path) -> dict[str, Any]:
    path = named or folder / DEFAULT_FILE
    if named is None and not path.exists():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from None
    values = {}
    for name, value in table.items():
        if name not in SETTINGS:
            raise ConfigurationError(
                f"{path}: unknown setting {name!r}; `tacit serve --help` lists them"
            )
        values[name] = _anchor(name, _parse(name, value, str(path)), path.absolute().parent)
    return values


def _parse(name: str, value: object, origin: str) -> Any:
    try:
        return SETTINGS[name].metadata["parse"](value)
    except ValueError as error:
        raise ConfigurationError(f"{origin}: {name} {error}") from None


def _anchor(name: str, value: Any, folder: Path) -> Any:
    """Makes what is relative in a file relative to that file."""
    if isinstance(value, Path):
        return folder / value
    if name == "chroma" and "://" not in value:
        return str(folder / value)
    if name == "kek" and value.startswith("file:"):
        return f"file:{folder / Path(value.removeprefix('file:')).expanduser()}"
    return value
