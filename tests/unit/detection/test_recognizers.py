"""Each recognizer: what it finds, and what only looks like it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Find = Callable[..., list[tuple[str, str]]]

FOUND = [
    # e-mail
    ("write to anna.k+x@mail.example.com today", "EMAIL_ADDRESS", "anna.k+x@mail.example.com"),
    ("it is jane at example dot com ok", "EMAIL_ADDRESS", "jane at example dot com"),
    ("jane dot doe [at] example [dot] co [dot] uk", "EMAIL_ADDRESS", None),
    ("mail joe at gmail.com", "EMAIL_ADDRESS", "joe at gmail.com"),
    ("my mail: joe_b (at) proton.me", "EMAIL_ADDRESS", "joe_b (at) proton.me"),
    # telephone
    ("call (212) 555-0123 now", "PHONE_NUMBER", "(212) 555-0123"),
    ("call 020 7946 0958", "PHONE_NUMBER", "020 7946 0958"),
    ("reach me on +49 30 901820.", "PHONE_NUMBER", "+49 30 901820"),
    ("+1 212-555-0123 ext. 44 works", "PHONE_NUMBER", "+1 212-555-0123 ext. 44"),
    ("dial five five five, one two one two", "PHONE_NUMBER", "five five five, one two one two"),
    ("it's 5 5 5 1 2 3 4 ok", "PHONE_NUMBER", "5 5 5 1 2 3 4"),
    ("call oh seven double nine, four two one six three eight", "PHONE_NUMBER", None),
    # cards, accounts, machines
    ("(370)555-0162x17612", "PHONE_NUMBER", "(370)555-0162x17612"),
    ("under 001-633-555-1586, thanks", "PHONE_NUMBER", "001-633-555-1586"),
    ("my card is 676165483600", "CREDIT_CARD", "676165483600"),
    ("sent 588614905630 yesterday", "CREDIT_CARD", "588614905630"),
    ("it's 4111 1111 1111 1111", "CREDIT_CARD", "4111 1111 1111 1111"),
    ("amex 3782 822463 10005", "CREDIT_CARD", "3782 822463 10005"),
    ("card 4000-0000-0000-0001", "CREDIT_CARD", "4000-0000-0000-0001"),
    ("to DE89 3704 0044 0532 0130 00 please", "IBAN_CODE", "DE89 3704 0044 0532 0130 00"),
    ("to gb29nwbk60161331926819 please", "IBAN_CODE", "gb29nwbk60161331926819"),
    ("IBAN transfer to GB16ABCD60304986", "IBAN_CODE", "GB16ABCD60304986"),
    ("host 192.168.1.17 is down", "IP_ADDRESS", "192.168.1.17"),
    ("host 2001:db8::8a2e:370:7334 too", "IP_ADDRESS", "2001:db8::8a2e:370:7334"),
    ("nic de:4d:2b:09:c5:a3 up", "MAC_ADDRESS", "de:4d:2b:09:c5:a3"),
    ("pay 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "CRYPTO", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"),
    ("eth 0x52908400098527886E0F7030069857D2E4169EE7 ok", "CRYPTO", None),
    # identifiers
    ("my ssn is 219-09-9999", "US_SSN", "219-09-9999"),
    ("my ssn is 219099999", "US_SSN", "219099999"),
    ("chart says MRN-1026861.", "MEDICAL_RECORD_NUMBER", "MRN-1026861"),
    ("medical record number is 00451223", "MEDICAL_RECORD_NUMBER", "00451223"),
    ("policy POL-7743231 lapsed", "ID_NUMBER", "POL-7743231"),
    ("passport number is X1234567", "ID_NUMBER", "X1234567"),
    ("driver's license: D123-4567-8901", "ID_NUMBER", "D123-4567-8901"),
    ("Account: 10371956", "ID_NUMBER", "10371956"),
    ("ein 41-6036769", "ID_NUMBER", "41-6036769"),
    ("nhs number 943 476 5919", "UK_NHS", "943 476 5919"),
    ("nino AB 12 34 56 C", "UK_NINO", "AB 12 34 56 C"),
    # dates
    ("dob: 04/12/1976", "DATE_OF_BIRTH", "04/12/1976"),
    ("I was born on May 3rd, 1988", "DATE_OF_BIRTH", "May 3rd, 1988"),
    ("born in 1988 in a small town", "DATE_OF_BIRTH", "1988"),
    ("my birthday is 3 june", "DATE_OF_BIRTH", "3 june"),
    ("we met on 2024-03-12T10:00:00Z", "DATE_TIME", "2024-03-12T10:00:00Z"),
    ("since the 3rd of March 2020", "DATE_TIME", "the 3rd of March 2020"),
    # credentials
    ("use AKIAIOSFODNN7EXAMPLE", "CREDENTIAL", "AKIAIOSFODNN7EXAMPLE"),
    ("ghp_" + "a1B2" * 9, "CREDENTIAL", None),
    ("key sk-proj-abcdEFGH1234ijkl5678", "CREDENTIAL", "sk-proj-abcdEFGH1234ijkl5678"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "CREDENTIAL", None),
    ("my password is hunter2", "CREDENTIAL", "hunter2"),
    ("the wifi password is correcthorse", "CREDENTIAL", "correcthorse"),
    ("password for my bank is Tr0ub4dor&3!", "CREDENTIAL", "Tr0ub4dor&3"),
    ("api_key=abc123def456ghi789", "CREDENTIAL", "abc123def456ghi789"),
    ("my pin is 4821", "CREDENTIAL", "4821"),
    ("clone https://bob:s3cret@git.example.com/x.git", "CREDENTIAL", None),
    ("-----BEGIN RSA PRIVATE KEY-----\n" + "QUJD\n" * 400 + "-----END RSA PRIVATE KEY-----",
     "CREDENTIAL", None),
    # handles
    ("ask @jane_doe99 about it", "USERNAME", "@jane_doe99"),
    ("my discord is jane.d", "USERNAME", "jane.d"),
    ("username: wolfgang77", "USERNAME", "wolfgang77"),
    ("I post as u/throwaway_22", "USERNAME", "u/throwaway_22"),
    ("see https://www.linkedin.com/in/jane-doe-123", "USERNAME", None),
    # addresses
    ("I live at 12 Oak Street, Springfield, IL 62701.", "STREET_ADDRESS",
     "12 Oak Street, Springfield, IL 62701"),
    ("i live at 12 oak street", "STREET_ADDRESS", "12 oak street"),
    ("ship to\n6891 Cherry Lane\nDover, TX 36591\nthanks", "STREET_ADDRESS",
     "6891 Cherry Lane\nDover, TX 36591"),
    ("flat 33, 510a oak boulevard", "STREET_ADDRESS", "flat 33, 510a oak boulevard"),
    ("10 Downing Street, London SW1A 2AA", "STREET_ADDRESS", None),
    ("wohne in der Hauptstraße 12, 10115 Berlin", "STREET_ADDRESS", "Hauptstraße 12, 10115 Berlin"),
    ("au 15 rue de la Paix", "STREET_ADDRESS", "15 rue de la Paix"),
    ("en la calle Mayor 3", "STREET_ADDRESS", "calle Mayor 3"),
    ("P.O. Box 1234", "STREET_ADDRESS", "P.O. Box 1234"),
    # groups
    ("she is indonesian", "NRP", "indonesian"),
    ("a Catholic school", "NRP", "Catholic"),
    # names by cue
    ("my sister Ana Lima called", "PERSON", "Ana Lima"),
    # names in another script
    ("yesterday 欧阳俊杰 and I went home", "PERSON", "欧阳俊杰"),
    ("I told Светлана Морозова about it", "PERSON", "Светлана Морозова"),
    ("the book of अनन्या शर्मा is here", "PERSON", "अनन्या शर्मा"),
    ("hi, I'm Wendell", "PERSON", "Wendell"),
    ("my name is wendell", "PERSON", "wendell"),
]  # fmt: skip

LEFT_ALONE = [
    "let us meet at noon dot the i's later",
    "look at me dot dot dot",
    "it cost 1,250.00 for 3 of them",
    "version 1.22.333 of the app",
    "std::vector is fast and 10:30 is late",
    "my sister called, and I am happy",
    "chapter 12, page 345, about 100000 people",
    "2 hours down the road there is a park",
    "we have 3 kids and a green lane to play",
    "I walked 10 miles that way",
    "my password is wrong again",
    "the password is not working",
    "that key is important to me",
    "the token is expired",
    "one two three go",
    "twenty five people and three dogs",
    "meet me @ 5pm",
    "polish the table",
    "it was may be a mistake",
    "covid-19 and ISO-27001",
    "my account is overdrawn",
    "born to run",
    "his login is broken",
    "the national park and the member states",
    "we won 3-2 and then 10-9",
    "I have 2 cats, 1 dog",
    "see section 3.2.1 of the report",
    "the angle α and its sum Σ are small",
    "昨天我们去了公园然后回家了",
    "he said これはとても長い日本語の文です to me and then we all went back to the old station",
    "add 250 g of flour at 180 degrees",
]


@pytest.mark.parametrize(("text", "entity_type", "surface"), FOUND)
def test_it_finds(find: Find, text: str, entity_type: str, surface: str | None) -> None:
    found = find(text)
    assert (entity_type, surface or text) in found or (
        surface is None and entity_type in [name for name, _ in found]
    )
    assert len(found) == 1


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_it_leaves_alone(find: Find, text: str) -> None:
    assert find(text) == []
