"""Labels, and what is known of them.

A token's label may be known fully ("this is a PERSON"), partly ("not a PERSON; whether it is a
LOCATION nobody annotated") or not at all. A set of allowed labels, one bit each, says all three;
the loss is minus the log of the probability that the model gives to the whole set.
"""

from __future__ import annotations

LABELS = ("O", "PERSON", "LOCATION", "ORGANIZATION")

OUTSIDE, PERSON, LOCATION, ORGANIZATION = (1 << index for index in range(len(LABELS)))
ANYTHING = OUTSIDE | PERSON | LOCATION | ORGANIZATION
NOT_PERSON = OUTSIDE | LOCATION | ORGANIZATION

ALLOWED_BY_TYPE = {
    "PERSON": PERSON,
    "LOCATION": LOCATION,
    "STREET_ADDRESS": LOCATION,
    "ORGANIZATION": ORGANIZATION,
    "EMAIL_ADDRESS": ANYTHING,
    "USERNAME": ANYTHING,
    "URL": ANYTHING,
}
"""Other types (numbers, dates, identifiers) are none of the labels: ``OUTSIDE``."""
