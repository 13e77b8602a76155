"""From settings to a working memory: the only place that names adapters.

Rules:
- Nothing is made over existing data: a key is made only for a database that never had one;
  otherwise a missing one refuses the start.
- What opened is closed again when a later step fails.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Self

from memory.adapters.affect_vader import VaderAffect
from memory.adapters.checkpoint_file import CheckpointFile
from memory.adapters.data_folder import DataFolder
from memory.adapters.detection.anonymizer import PresidioAnonymizer
from memory.adapters.intent_folder import IntentFolder
from memory.adapters.key_opening import open_keys
from memory.adapters.onnx_encoder import OnnxEncoder
from memory.adapters.residue_scan import ResidueScan
from memory.adapters.spool import SealedSpool
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
from memory.app.handover import BuildHandover
from memory.app.index import Indexer
from memory.app.intake import Intake
from memory.app.keyring import Keyring
from memory.app.lay_out import LayOut
from memory.app.ledger import Ledger
from memory.app.ledger_check import Report as LedgerReport
from memory.app.ledger_check import check_at_start, check_in_full
from memory.app.matrices import Matrices
from memory.app.nearest import Nearest
from memory.app.newcomers import Newcomers
from memory.app.opened import OpenedFeatures
from memory.app.personalize import Personalize
from memory.app.prepare import Preparer
from memory.app.profile import Profile
from memory.app.proofs import Proofs
from memory.app.recall import Recall
from memory.app.recorder import Recorder
from memory.app.rectify import Rectify
from memory.app.refusals import Refusals
from memory.app.register import Register
from memory.app.reindex import Reindex
from memory.app.rekey import Rekey
from memory.app.remember import Remember
from memory.app.report import Report
from memory.app.residue import Residue
from memory.app.restrict import Restrict
from memory.app.reveal import Reveal
from memory.app.room import Room
from memory.app.rotate import Rotate
from memory.app.sequencer import Sequencer
from memory.app.status import Status
from memory.app.take_in import TakeIn
from memory.app.tenants import Tenants
from memory.app.veiling import Veils
from memory.config import Config
from memory.configured import (
    custody,
    facts,
    open_index,
    places,
    read_detection,
    read_protections,
    read_quotas,
    read_registry,
)
from memory.core.notes import notes
from memory.core.purposes import Registry
from memory.core.signing import Signer
from memory.core.values import Secret
from memory.ports import NOBODY, Clock, ModelUse, Observer, Store

SHIPPED_ENCODER = Path(str(files("memory") / "models" / "minilm-l6-v2"))


@dataclass(frozen=True, slots=True)
class Tacit:
    """Every use case, wired; close it when done."""

    registry: Registry
    remember: Remember
    recall: Recall
    build_context: BuildContext
    profile: Profile
    build_handover: BuildHandover
    personalize: Personalize
    rectify: Rectify
    reveal: Reveal
    consents: Consents
    restrict: Restrict
    export: Export
    take_in: TakeIn
    register: Register
    report: Report
    forget: Forget
    erase_memories: EraseMemories
    eraser: Eraser
    status: Status
    tenants: Tenants
    expire: Expire
    rotate: Rotate
    rekey: Rekey
    residue: Residue
    indexer: Indexer
    reindex: Reindex
    page_token_key: Secret
    signer: Signer
    access_log: AccessLog
    proofs: Proofs
    caches: Caches
    models: Callable[[], Mapping[str, ModelUse]]
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


def open_tacit(config: Config, *, clock: Clock = utc_now, observer: Observer = NOBODY) -> Tacit:
    """Opens the data folder and starts the workers: index, rotation, erasure.

    `clock` tells when consents, retention and certificates are; leases run on the system's.

    Raises:
        ConfigurationError, DataFolderInUseError, KeyFileError, KeyUnavailableError,
            StorageUnavailableError: the message names the setting or file; nothing was changed.
    """
    with ExitStack() as stack:
        registry = read_registry(config)
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
        index = open_index(config)
        stack.callback(index.close)
        encoder_folder = config.encoder or SHIPPED_ENCODER
        encoder = OnnxEncoder(encoder_folder)
        stack.callback(encoder.close)
        basis = load_basis(encoder_folder, encoder.dimensions)
        veils = Veils(basis, read_protections(config.protection))
        matrices = Matrices(
            time.monotonic, config.sealed_megabytes * 1024 * 1024, config.idle_seconds
        )

        detection = read_detection(config.detection)
        preparer = Preparer(
            detection, PresidioAnonymizer(), encoder, VaderAffect().estimate, observer
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
        residue = Residue(store, keyring, veils, index, ResidueScan(places(config)))
        proofs = Proofs(store, sequencer, signer.verifier)
        certify = Certify(keyring, signer, custody(config), proofs, clock)
        intents = IntentFolder(config.data / "erasures.pending")
        intake = Intake(store, keyring, certify, intents, clock, ledger)
        intake.replay()
        caches = Caches(keyring, opened, veils, matrices)
        eraser = Eraser(
            store,
            intake,
            ErasureSteps(store, caches, indexer, rekey, ledger, clock),
            rotate,
            certify,
            clock,
            os.urandom,
            timedelta(seconds=config.erasure_seconds),
            residue.scanner,
            observer,
        )
        register = Register(store, keyring, clock, os.urandom)
        erasing = Erasing(keyring, certify, clock, os.urandom, ledger, eraser.follow)
        stack.callback(indexer.stop)
        indexer.start()
        stack.callback(rotate.stop)
        rotate.start()
        stack.callback(eraser.stop)
        eraser.start()
        newcomers = Newcomers(store, keyring, veils, clock)
        consents = Consents(
            store,
            keyring,
            newcomers,
            registry,
            signer,
            register,
            erasing,
            clock,
            os.urandom,
            ledger,
        )
        expire = Expire(store, registry.of, erasing.expired, erasing.follow, clock)
        expire.apply()
        stack.callback(expire.stop)
        expire.start()
        layout = LayOut(store, opened)
        stack.callback(layout.stop)
        layout.start()
        recall = Recall(
            store,
            keyring,
            registry,
            encoder,
            Candidates(
                Nearest(index, veils, matrices),
                opened,
                indexer.check,
                layout.ask,
                config.search_in_memory,
                observer,
            ),
            clock,
            ledger,
            observer,
            os.urandom,
        )
        reveal = Reveal(store, keyring, registry, clock, ledger)
        room = Room(read_quotas(config.limits))
        return Tacit(
            registry=registry,
            remember=Remember(
                store,
                keyring,
                registry,
                preparer,
                room,
                clock,
                os.urandom,
                indexer.wake,
                ledger,
                observer,
            ),
            recall=recall,
            build_context=BuildContext(recall, reveal),
            profile=Profile(store, keyring, registry, opened, clock, ledger),
            build_handover=BuildHandover(
                store, keyring, registry, opened, encoder, reveal, clock, ledger
            ),
            personalize=Personalize(store, keyring, registry, clock, os.urandom, ledger),
            rectify=Rectify(
                store,
                keyring,
                registry,
                preparer,
                register,
                clock,
                os.urandom,
                indexer.wake,
                ledger,
            ),
            reveal=reveal,
            consents=consents,
            restrict=Restrict(store, keyring, newcomers, register, clock, ledger),
            export=Export(
                store,
                keyring,
                register,
                lambda caller: notes(
                    registry.of(caller.tenant), encoder.name, veils.mode(caller.tenant)
                ),
                consents.signed,
                signer,
                clock,
                ledger,
            ),
            take_in=TakeIn(
                store,
                keyring,
                registry,
                preparer,
                room,
                SealedSpool,
                clock,
                os.urandom,
                indexer.wake,
                ledger,
            ),
            register=register,
            report=Report(store, facts(config, registry, detection, veils, encoder.name, clock)),
            forget=Forget(store, intake, eraser, os.urandom, residue),
            erase_memories=EraseMemories(store, keyring, eraser, erasing, register),
            eraser=eraser,
            status=Status(store, clock, signer.verifier, indexer.seconds_behind),
            tenants=Tenants(store, registry, clock),
            expire=expire,
            rotate=rotate,
            rekey=rekey,
            residue=residue,
            indexer=indexer,
            reindex=Reindex(store, keyring, indexer, ledger),
            signer=signer,
            access_log=AccessLog(store, keyring),
            proofs=proofs,
            caches=caches,
            models=encoder.use,
            page_token_key=keyring.deployment.page_tokens,
            _resources=stack.pop_all(),
        )


def check_ledger(config: Config) -> LedgerReport | None:
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
