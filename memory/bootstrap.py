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
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from memory.adapters.affect_vader import VaderAffect
from memory.adapters.checkpoint_file import CheckpointFile
from memory.adapters.chroma_index import ChromaIndex
from memory.adapters.data_folder import DataFolder
from memory.adapters.detection.analyzer import PresidioDetector
from memory.adapters.detection.anonymizer import PresidioAnonymizer
from memory.adapters.detection.catalogue import Catalogue
from memory.adapters.detection.plugins import load_plugins
from memory.adapters.detection.shipped import shipped_model
from memory.adapters.intent_folder import IntentFolder
from memory.adapters.key_opening import describe, open_keys
from memory.adapters.onnx_encoder import OnnxEncoder
from memory.adapters.sql.store import open_store
from memory.adapters.veil_basis import load_basis
from memory.app.access_log import AccessLog
from memory.app.caches import Caches
from memory.app.candidates import Candidates
from memory.app.certify import Certify
from memory.app.consents import Consents
from memory.app.context import BuildContext
from memory.app.erase import Eraser
from memory.app.erase_memories import EraseMemories
from memory.app.erasing import Erasing
from memory.app.erasure_steps import ErasureSteps
from memory.app.expire import Expire
from memory.app.export import Export
from memory.app.forget import Forget
from memory.app.index import Indexer
from memory.app.intake import Intake
from memory.app.keyring import Keyring
from memory.app.ledger import Ledger
from memory.app.ledger_check import Report, check_at_start, check_in_full
from memory.app.matrices import Matrices
from memory.app.nearest import Nearest
from memory.app.opened import OpenedFeatures
from memory.app.prepare import Detection, Preparer
from memory.app.proofs import Proofs
from memory.app.recall import Recall
from memory.app.recorder import Recorder
from memory.app.rectify import Rectify
from memory.app.refusals import Refusals
from memory.app.rekey import Rekey
from memory.app.remember import Remember
from memory.app.restrict import Restrict
from memory.app.reveal import Reveal
from memory.app.rotate import Rotate
from memory.app.sequencer import Sequencer
from memory.app.status import Status
from memory.app.veiling import Veils
from memory.config import Config
from memory.core.certificate import Custody
from memory.core.policy import load_policies
from memory.core.protection import Protections, load_protections
from memory.core.purposes import Registry, parse_registry
from memory.core.signing import Signer
from memory.core.values import Secret, TenantId
from memory.errors import ConfigurationError
from memory.ports import Clock, Store

SHIPPED_ENCODER = Path(str(files("memory") / "models" / "minilm-l6-v2"))


@dataclass(frozen=True, slots=True)
class Tacit:
    """Every use case, wired; close it when done."""

    registry: Registry
    remember: Remember
    recall: Recall
    build_context: BuildContext
    rectify: Rectify
    reveal: Reveal
    consents: Consents
    restrict: Restrict
    export: Export
    forget: Forget
    erase_memories: EraseMemories
    eraser: Eraser
    status: Status
    expire: Expire
    rotate: Rotate
    rekey: Rekey
    indexer: Indexer
    page_token_key: Secret
    signer: Signer
    access_log: AccessLog
    proofs: Proofs
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
    """Opens the data folder and starts the workers: index, rotation, erasure.

    `clock` tells when consents, retention and certificates are; leases run on the system's.

    Raises:
        ConfigurationError, DataFolderInUseError, KeyFileError, KeyUnavailableError,
            StorageUnavailableError: the message names the setting or file; nothing was changed.
    """
    with ExitStack() as stack:
        registry = _registry(config)
        folder = DataFolder(config.data)
        stack.callback(folder.close)
        store = open_store(config.database_url)
        stack.callback(store.close)
        provider = open_keys(config.key_provider, store.root_key())
        stack.callback(provider.close)
        keyring = Keyring(
            store, provider, os.urandom, time.monotonic, max_age=config.key_cache_seconds
        )
        signer = Signer(config.signing_name, keyring.deployment.signing)
        file = CheckpointFile(config.ledger_checkpoint)
        check_at_start(store, signer.verifier, file)
        sequencer = Sequencer(store, signer, file, clock)
        ledger = _ledger(stack, store, keyring, sequencer, clock)
        index = _index(config.chroma_location)
        stack.callback(index.close)
        encoder_folder = config.encoder or SHIPPED_ENCODER
        encoder = OnnxEncoder(encoder_folder)
        stack.callback(encoder.close)
        basis = load_basis(encoder_folder, encoder.dimensions)
        veils = Veils(basis, _protections(config.protection))
        matrices = Matrices(
            time.monotonic, config.sealed_megabytes * 1024 * 1024, config.idle_seconds
        )

        preparer = Preparer(
            _detection(config.detection), PresidioAnonymizer(), encoder, VaderAffect().estimate
        )
        opened = OpenedFeatures(time.monotonic, config.idle_seconds)
        indexer = Indexer(store, keyring, index, veils, matrices, opened, os.urandom)
        rotate = Rotate(store, provider, indexer.sweep, clock, os.urandom, ledger)
        rekey = Rekey(
            store,
            keyring,
            veils,
            clock,
            os.urandom,
            retired=indexer.sweep,
            stored=indexer.wake,
            ledger=ledger,
        )
        certify = Certify(keyring, signer, _custody(config), clock)
        intents = IntentFolder(config.data / "erasures.pending")
        intake = Intake(store, keyring, certify, intents, clock, ledger)
        intake.replay()
        eraser = Eraser(
            store,
            intake,
            ErasureSteps(store, Caches(keyring, opened, veils, matrices), indexer, rekey, clock),
            rotate,
            certify,
            clock,
            os.urandom,
            timedelta(seconds=config.erasure_seconds),
        )
        erasing = Erasing(certify, clock, os.urandom, eraser.follow)
        stack.callback(indexer.stop)
        indexer.start()
        stack.callback(rotate.stop)
        rotate.start()
        stack.callback(eraser.stop)
        eraser.start()
        consents = Consents(
            store, keyring, veils, registry, signer, erasing, clock, os.urandom, ledger
        )
        expire = Expire(store, registry.of, erasing.expired, erasing.follow, clock)
        expire.apply()
        stack.callback(expire.stop)
        expire.start()
        recall = Recall(
            store,
            keyring,
            registry,
            encoder,
            Candidates(
                Nearest(index, veils, matrices), opened, indexer.check, config.search_in_memory
            ),
            clock,
            ledger,
        )
        reveal = Reveal(store, keyring, registry, clock, ledger)
        return Tacit(
            registry=registry,
            remember=Remember(
                store, keyring, registry, preparer, clock, os.urandom, indexer.wake, ledger
            ),
            recall=recall,
            build_context=BuildContext(recall, reveal),
            rectify=Rectify(
                store, keyring, registry, preparer, clock, os.urandom, indexer.wake, ledger
            ),
            reveal=reveal,
            consents=consents,
            restrict=Restrict(consents),
            export=Export(store, keyring, clock, ledger),
            forget=Forget(store, intake, eraser, os.urandom),
            erase_memories=EraseMemories(store, keyring, eraser, erasing, ledger),
            eraser=eraser,
            status=Status(store, clock),
            expire=expire,
            rotate=rotate,
            rekey=rekey,
            indexer=indexer,
            signer=signer,
            access_log=AccessLog(store, keyring),
            proofs=Proofs(store, sequencer, signer.verifier),
            page_token_key=keyring.deployment.page_tokens,
            _resources=stack.pop_all(),
        )


def _custody(config: Config) -> Custody:
    provider, days = describe(config.key_provider)
    return Custody(
        provider=provider,
        destroy_days=days,
        remote_index=config.chroma_location.startswith(("http://", "https://")),
        epoch_bound=timedelta(seconds=config.erasure_seconds),
    )


def _registry(config: Config) -> Registry:
    text = _preset("general") if config.purposes is None else _toml(config.purposes)
    assert text is not None
    return parse_registry(text, str(config.purposes or "purposes"), _preset)


def check_ledger(config: Config) -> Report | None:
    """Compares the whole ledger with what was signed; no server may hold the data folder.

    Raises what `open_tacit` raises, and `SealError` for a key that does not open.
    """
    with ExitStack() as stack:
        stack.callback(DataFolder(config.data).close)
        store = open_store(config.database_url)
        stack.callback(store.close)
        provider = open_keys(config.key_provider, store.root_key())
        stack.callback(provider.close)
        keyring = Keyring(
            store, provider, os.urandom, time.monotonic, max_age=config.key_cache_seconds
        )
        verifier = Signer(config.signing_name, keyring.deployment.signing).verifier
        return check_in_full(store, keyring, verifier, CheckpointFile(config.ledger_checkpoint))


def _ledger(
    stack: ExitStack, store: Store, keyring: Keyring, sequencer: Sequencer, clock: Clock
) -> Ledger:
    """With its workers, which `stack` stops."""
    recorder = Recorder(store, sequencer.wake)
    refusals = Refusals(store, keyring, recorder, os.urandom)
    for worker in (sequencer, recorder, refusals):
        worker.start()
        stack.callback(worker.stop)
    return Ledger(keyring, recorder, refusals, clock, os.urandom, sequencer.wake)


def _preset(name: str) -> str | None:
    """The registry that is shipped under this name."""
    shipped = {file.name: file for file in (files("memory") / "purposes").iterdir()}
    file = shipped.get(f"{name}.toml")
    return None if file is None else file.read_text("utf-8")


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


def _index(location: str) -> ChromaIndex:
    if location.startswith(("http://", "https://")):
        return ChromaIndex.remote(location)
    return ChromaIndex(Path(location))
