"""From settings to a working memory: the only place that names adapters.

Rules:
- Nothing is made over existing data: a key is made only for a database that never had one;
  otherwise a missing one refuses the start.
- What opened is closed again when a later step fails.
"""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from memory.adapters.chroma_index import ChromaIndex
from memory.adapters.data_folder import DataFolder
from memory.adapters.detection.analyzer import PresidioDetector
from memory.adapters.detection.anonymizer import PresidioAnonymizer
from memory.adapters.detection.catalogue import Catalogue
from memory.adapters.detection.plugins import load_plugins
from memory.adapters.detection.shipped import shipped_model
from memory.adapters.key_opening import open_keys
from memory.adapters.onnx_encoder import OnnxEncoder
from memory.adapters.residue_scan import Place, ResidueScan
from memory.adapters.sql.engine import SQLITE_ENDINGS
from memory.adapters.sql.store import open_store
from memory.adapters.veil_basis import load_basis
from memory.app.candidates import Candidates
from memory.app.consents import Consents
from memory.app.export import Export
from memory.app.forget import Forget
from memory.app.index import Indexer
from memory.app.keyring import Keyring
from memory.app.matrices import Matrices
from memory.app.nearest import Nearest
from memory.app.opened import OpenedFeatures
from memory.app.prepare import Detection, Preparer
from memory.app.recall import Recall
from memory.app.rectify import Rectify
from memory.app.rekey import Rekey
from memory.app.remember import Remember
from memory.app.residue import Residue
from memory.app.reveal import Reveal
from memory.app.rotate import Rotate
from memory.app.status import Status
from memory.app.veiling import Veils
from memory.config import Config
from memory.core.policy import load_policies
from memory.core.protection import Protections, load_protections
from memory.core.purposes import Purposes, parse_purposes
from memory.core.residue import StoreName
from memory.core.signing import Signer
from memory.core.values import Secret, TenantId
from memory.errors import ConfigurationError
from memory.ports import Clock

SHIPPED_ENCODER = Path(str(files("memory") / "models" / "minilm-l6-v2"))


@dataclass(frozen=True, slots=True)
class Tacit:
    """Every use case, wired; close it when done."""

    purposes: Purposes
    remember: Remember
    recall: Recall
    rectify: Rectify
    reveal: Reveal
    consents: Consents
    export: Export
    forget: Forget
    status: Status
    rotate: Rotate
    rekey: Rekey
    residue: Residue
    indexer: Indexer
    page_token_key: Secret
    signer: Signer
    _resources: ExitStack

    def close(self) -> None:
        """Finishes what is in hand and lets go of the data folder."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def utc_now() -> datetime:
    """The time of day, as the system tells it."""
    return datetime.now(UTC)


def open_tacit(config: Config, *, clock: Clock = utc_now) -> Tacit:
    """Opens the data folder, finishes interrupted erasures, and starts the indexer.

    `clock` tells when consents, retention and certificates are; leases run on the system's.

    Raises:
        ConfigurationError, DataFolderInUseError, KeyFileError, KeyUnavailableError,
            StorageUnavailableError: the message names the setting or file; nothing was changed.
    """
    with ExitStack() as stack:
        purposes = _purposes(config.purposes)
        folder = DataFolder(config.data)
        stack.callback(folder.close)
        store = open_store(config.database_url)
        stack.callback(store.close)
        provider = open_keys(config.key_provider, store.root_key())
        stack.callback(provider.close)
        keyring = Keyring(
            store, provider, os.urandom, time.monotonic, max_age=config.key_cache_seconds
        )
        index = _index(config)
        stack.callback(index.close)
        encoder_folder = config.encoder or SHIPPED_ENCODER
        encoder = OnnxEncoder(encoder_folder)
        stack.callback(encoder.close)
        basis = load_basis(encoder_folder, encoder.dimensions)
        veils = Veils(basis, _protections(config.protection))
        matrices = Matrices(
            time.monotonic, config.sealed_megabytes * 1024 * 1024, config.idle_seconds
        )

        preparer = Preparer(_detection(config.detection), PresidioAnonymizer(), encoder)
        opened = OpenedFeatures(time.monotonic, config.idle_seconds)
        indexer = Indexer(
            store,
            keyring,
            index,
            veils,
            matrices,
            opened,
            os.urandom,
            clock,
            config.purge_seconds,
        )
        forget = Forget(store, keyring, opened, veils, matrices, indexer.sweep, clock, os.urandom)
        forget.resume()
        rotate = Rotate(store, provider, indexer.sweep, clock, os.urandom)
        rekey = Rekey(
            store, keyring, veils, clock, os.urandom, retired=indexer.sweep, stored=indexer.wake
        )
        stack.callback(indexer.stop)
        indexer.start()
        stack.callback(rotate.stop)
        rotate.start()
        return Tacit(
            purposes=purposes,
            remember=Remember(
                store, keyring, purposes, preparer, clock, os.urandom, stored=indexer.wake
            ),
            recall=Recall(
                store,
                keyring,
                purposes,
                encoder,
                Candidates(
                    Nearest(index, veils, matrices), opened, indexer.check, config.search_in_memory
                ),
                clock,
            ),
            rectify=Rectify(
                store, keyring, purposes, preparer, clock, os.urandom, stored=indexer.wake
            ),
            reveal=Reveal(store, keyring, clock, os.urandom),
            consents=Consents(store, keyring, veils, purposes, clock, os.urandom),
            export=Export(store, keyring, clock),
            forget=forget,
            status=Status(store),
            rotate=rotate,
            rekey=rekey,
            residue=Residue(store, keyring, veils, index, ResidueScan(places(config))),
            indexer=indexer,
            signer=Signer(config.signing_name, keyring.deployment.signing),
            page_token_key=keyring.deployment.page_tokens,
            _resources=stack.pop_all(),
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


def _purposes(file: Path | None) -> Purposes:
    if file is None:
        return parse_purposes((files("memory") / "purposes.toml").read_text("utf-8"), "purposes")
    return parse_purposes(_toml(file), str(file))


def _protections(file: Path | None) -> Protections:
    return load_protections(_table(file), str(file))


def _detection(file: Path | None) -> Callable[[TenantId], Detection]:
    table = _table(file)
    plugins = load_plugins(table.pop("plugins", []))
    policies = load_policies(table, str(file))
    detector = PresidioDetector(Catalogue(shipped_model(), plugins=plugins))
    default = Detection(detector.under(policies.default), policies.default)
    own = {
        tenant: Detection(detector.under(policy), policy)
        for tenant, policy in policies.by_tenant.items()
    }
    return lambda tenant: own.get(tenant, default)


def _table(file: Path | None) -> dict[str, Any]:
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


def _index(config: Config) -> ChromaIndex:
    location = config.chroma_location
    if location.startswith(("http://", "https://")):
        return ChromaIndex.remote(location, config.chroma_files)
    return ChromaIndex(Path(location))
