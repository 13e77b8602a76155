"""Made identifiers are valid ones, labelled where they stand."""

import ipaddress
from collections import defaultdict

import phonenumbers
import pytest

from benchmarks.identifiers import PER_TYPE, texts
from memory.adapters.detection.countries import DEFAULT_COUNTRIES
from memory.adapters.detection.recognizers_numbers import iban_checks, luhn


@pytest.fixture(scope="module")
def made() -> dict[str, list[str]]:
    values = defaultdict(list)
    for row in texts(seed=3):
        (span,) = row.gold
        values[span.entity_type].append(row.text[span.start : span.end])
    return values


def test_there_are_as_many_of_each_type(made: dict[str, list[str]]):
    assert {len(values) for values in made.values()} == {PER_TYPE}


def test_cards_and_ibans_have_right_check_digits(made: dict[str, list[str]]):
    assert all(luhn("".join(filter(str.isdigit, card))) for card in made["CREDIT_CARD"])
    assert all(iban_checks(iban.replace(" ", "")) for iban in made["IBAN_CODE"])


def test_telephone_numbers_are_those_of_a_configured_country(made: dict[str, list[str]]):
    def valid(number: str, region: str) -> bool:
        try:
            return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
        except phonenumbers.NumberParseException:
            return False

    for number in made["PHONE_NUMBER"]:
        assert any(valid(number, region) for region in DEFAULT_COUNTRIES)


def test_addresses_of_machines_and_people_are_well_formed(made: dict[str, list[str]]):
    assert all(ipaddress.ip_address(address) for address in made["IP_ADDRESS"])
    assert all(address.count("@") == 1 for address in made["EMAIL_ADDRESS"])


def test_social_security_numbers_are_of_the_ranges_given_out(made: dict[str, list[str]]):
    for number in made["US_SSN"]:
        area, group, serial = (int(part) for part in number.replace("-", " ").split())
        assert 0 < area < 900
        assert area != 666
        assert group > 0
        assert serial > 0


def test_the_same_seed_makes_the_same_texts():
    assert texts(5) == texts(5) != texts(6)
