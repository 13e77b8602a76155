"""Detection and replacement of personal data, on Presidio's framework.

    analyzer            the `Detector` port: Presidio's AnalyzerEngine, offline, bounded
    nlp_engine          a slim NlpEngine: words, no model
    context             which words near a find make it more likely
    recognizers_*       what Presidio lacks, or does too slowly
    anonymizer          the `Anonymizer` port: presidio-anonymizer, exact

Presidio's loggers are silenced here, on import: at DEBUG they print the text, and its IBAN
recognizer prints what it could not validate even at ERROR.
"""

from __future__ import annotations

import logging
from typing import Final

QUIET_LOGGERS: Final = ("presidio-analyzer", "presidio_analyzer", "presidio-anonymizer")

for _name in QUIET_LOGGERS:
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
    logging.getLogger(_name).propagate = False
