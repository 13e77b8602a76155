"""Names that a metric may show are those that we chose."""

from __future__ import annotations

from datetime import timedelta

from memory.adapters.detection.catalogue import Catalogue
from memory.adapters.detection.shipped import shipped_model
from server.instruments import ENTITY_TYPES, Instruments


def test_every_type_that_the_shipped_recognizers_find_has_a_name_of_its_own() -> None:
    catalogue = Catalogue(shipped_model())
    every = (*catalogue.whole_text, *catalogue.any_piece, *catalogue.pieces_with_digits)
    assert {kind for one in every for kind in one.supported_entities} == ENTITY_TYPES


def test_a_type_that_a_deployment_named_is_not_told() -> None:
    instruments = Instruments()
    instruments.found(["PERSON", "ACME_PATIENT", "PERSON", "ACME_PROJECT"])
    value = instruments.registry.get_sample_value
    assert value("tacit_detected_total", {"entity_type": "PERSON"}) == 2
    assert value("tacit_detected_total", {"entity_type": "OTHER"}) == 2
    assert value("tacit_detected_total", {"entity_type": "ACME_PATIENT"}) is None


def test_an_erasure_of_somebody_without_a_key_has_only_a_certificate() -> None:
    instruments = Instruments()
    instruments.erased(None, timedelta(seconds=3))
    value = instruments.registry.get_sample_value
    assert value("tacit_erasure_seconds_count", {"until": "key_destroyed"}) == 0
    assert value("tacit_erasure_seconds_sum", {"until": "certificate"}) == 3
