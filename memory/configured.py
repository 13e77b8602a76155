"""What the settings name: files read, shipped defaults taken, and the facts that reports tell.

Rules:
- A mistake in a file is told with the file; a missing or unreadable one, too.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from memory.adapters.chroma_index import ChromaIndex
from memory.adapters.detection.analyzer import PresidioDetector
from memory.adapters.detection.catalogue import Catalogue
from memory.adapters.detection.plugins import load_plugins
from memory.adapters.detection.shipped import shipped_model
from memory.adapters.key_opening import describe
from memory.adapters.residue_scan import Place
from memory.adapters.sql.engine import SQLITE_ENDINGS
from memory.app.prepare import Detection
from memory.app.veiling import Veils
from memory.config import Config
from memory.core.certificate import Custody
from memory.core.policy import load_policies
from memory.core.protection import Protection, load_protections
from memory.core.purposes import Registry, parse_registry
from memory.core.quotas import Quotas, load_quotas
from memory.core.report import Facts
from memory.core.residue import StoreName
from memory.core.tenants import PerTenant
from memory.core.values import TenantId
from memory.errors import ConfigurationError
from memory.ports import Clock


def read_registry(config: Config) -> Registry:
    """The purposes of every tenant. Raises `ConfigurationError`, which names the line."""
    text = _preset("general") if config.purposes is None else _toml(config.purposes)
    assert text is not None
    return parse_registry(text, str(config.purposes or "purposes"), _preset)


def _preset(name: str) -> str | None:
    """The registry that is shipped under this name."""
    shipped = {file.name: file for file in (files("memory") / "purposes").iterdir()}
    file = shipped.get(f"{name}.toml")
    return None if file is None else file.read_text("utf-8")


def read_protections(file: Path | None) -> PerTenant[Protection]:
    """How vectors are protected, per tenant. Raises `ConfigurationError`."""
    return load_protections(toml_table(file), str(file))


def read_quotas(file: Path | None) -> Quotas:
    """How much may be kept, per tenant. Raises `ConfigurationError`."""
    return load_quotas(toml_table(file), str(file))


def read_detection(file: Path | None) -> Callable[[TenantId], Detection]:
    """What is found and hidden, per tenant. Raises `ConfigurationError`."""
    table = toml_table(file)
    plugins = load_plugins(table.pop("plugins", []))
    policies = load_policies(table, str(file))
    detector = PresidioDetector(Catalogue(shipped_model(), plugins=plugins))
    default = Detection(detector.under(policies.default), policies.default)
    own = {
        tenant: Detection(detector.under(policy), policy)
        for tenant, policy in policies.by_tenant.items()
    }
    return lambda tenant: own.get(tenant, default)


def toml_table(file: Path | None) -> dict[str, Any]:
    """What a TOML file says; nothing where there is none. Raises `ConfigurationError`."""
    if file is None:
        return {}
    try:
        return tomllib.loads(_toml(file))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: {error}") from None


def _toml(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {getattr(error, 'strerror', 'not UTF-8')}") from None


def open_index(config: Config) -> ChromaIndex:
    """Chroma in a folder, or at a URL."""
    location = config.chroma_location
    if location.startswith(("http://", "https://")):
        return ChromaIndex.remote(location, config.chroma_files)
    return ChromaIndex(Path(location))


def custody(config: Config) -> Custody:
    """What certificates say of who holds the keys and the index."""
    provider, days = describe(config.key_provider)
    return Custody(
        provider=provider,
        destroy_days=days,
        remote_index="://" in config.chroma_location and config.chroma_files is None,
        epoch_bound=timedelta(seconds=config.erasure_seconds),
    )


def facts(
    config: Config,
    registry: Registry,
    detection: Callable[[TenantId], Detection],
    veils: Veils,
    encoder: str,
    clock: Clock,
) -> Callable[[TenantId, int, int], Facts]:
    """What reports tell of a tenant with so many people and memories."""
    tls = "none: for this machine only, or behind something that encrypts"
    if config.tls_cert is not None:
        tls = "TLS, with client certificates" if config.tls_client_ca else "TLS"
    remote = config.chroma_location.startswith(("http://", "https://"))
    return lambda tenant, people, memories: Facts(
        tenant=tenant.value,
        deployment=config.signing_name,
        at=clock(),
        purposes=registry.of(tenant),
        policy=detection(tenant).policy,
        mode=veils.mode(tenant),
        encoder=encoder,
        key_provider=config.key_provider.partition(":")[0],
        database=config.database_url.partition(":")[0],
        index="Chroma, on a server" if remote else "Chroma, in this process",
        tls=tls,
        key_cache_seconds=config.key_cache_seconds,
        people=people,
        memories=memories,
    )


def places(config: Config) -> list[Place]:
    """Where this server writes: what a residue scan reads. A database or index server's own files
    are not among them.
    """
    found = [Place(StoreName.OTHER, config.data)]
    if config.database_url.startswith("sqlite:///"):
        database = config.database_url.removeprefix("sqlite:///")
        found += [Place(StoreName.SQL, Path(database + end)) for end in SQLITE_ENDINGS]
    if "://" not in config.chroma_location:
        found.append(Place(StoreName.CHROMA, Path(config.chroma_location)))
    elif config.chroma_files:
        found.append(Place(StoreName.CHROMA, config.chroma_files))
    if config.key_provider.startswith("file:"):
        found.append(Place(StoreName.KEYS, Path(config.key_provider.removeprefix("file:"))))
    return found
