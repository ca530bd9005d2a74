"""Finds personal data in text by patterns: e-mail addresses, phone, IBAN and card numbers.

Check digits avoid false alarms: ISO 13616 (mod 97) for IBANs, ISO/IEC 7812 (Luhn) for cards.
Names of people have no pattern; columns that hold them are found by the column's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

EMAIL = re.compile(r"(?<![\w.+-])([\w.+-]+)@((?:[\w-]+\.)+[a-z]{2,})(?![\w@])", re.IGNORECASE)
# RFC 2606: domains reserved for examples and tests.
RESERVED_DOMAIN = re.compile(
    r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|invalid|test)$", re.IGNORECASE
)
PHONE = re.compile(
    r"(?<![\w.+])\+[1-9]\d{0,2}(?:[ -]?\(?\d{1,5}\)?){2,5}(?![\w.])"  # +49 151 12345678
    r"|(?<![\w.])(?:\(\d{3}\) ?|\d{3}-)\d{3}-\d{4}(?![\w-])"  # (212) 555-1234
    r"|(?<![\w.])0\d{2,4}[ /]\d{6,8}(?![\w.])"  # 0151 12345678
)
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
CARD = re.compile(
    r"(?<![\w.-])(?:(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6011|65\d\d)([ -]?)\d{4}\1\d{4}\1\d{4}"
    r"|3[47]\d\d([ -]?)\d{6}\2\d{5})(?![\w.-])"
)
IDENTITY_COLUMN = re.compile(
    r"^name$|(?:^|_)(?:(?:first|last|full|middle|maiden|given|family|user|sur|fore)_?names?"
    r"|e?_?mail(?:_address)?|(?:tele)?phone(?:_(?:no|number))?|mobile(?:_(?:no|number))?|fax"
    r"|street|(?:home_|postal_|ip_)?address|iban|bic|ssn|social_security(?:_(?:no|number))?"
    r"|passport(?:_(?:no|number))?|birth_?(?:day|date)|date_of_birth|dob|tax_(?:id|number)|login)$"
)


def find_personal_data(text: str, contact: str = "") -> Iterator[str]:
    """The kind of each match, never the data itself; `contact` is the team's own address."""
    for kind, pattern, is_valid in PATTERNS:
        for match in pattern.finditer(text):
            if match[0] != contact and is_valid(match):
                yield kind


def suggests_identity(column: str) -> bool:
    """Whether a column's name suggests that it identifies people."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\W+", "_", column.strip())
    return IDENTITY_COLUMN.search(words.lower()) is not None


def _is_real_email(match: re.Match[str]) -> bool:
    return match[1] != "git" and RESERVED_DOMAIN.search(match[2]) is None


def _is_phone(match: re.Match[str]) -> bool:
    """E.164 allows 15 digits; numbers with fewer than 8 digits are not phone numbers here."""
    return 8 <= sum(letter.isdigit() for letter in match[0]) <= 15


def _is_iban(match: re.Match[str]) -> bool:
    compact = match[0].replace(" ", "")
    digits = "".join(str(int(letter, 36)) for letter in compact[4:] + compact[:4])
    return 15 <= len(compact) <= 34 and int(digits) % 97 == 1


def _is_card(match: re.Match[str]) -> bool:
    digits = [int(letter) for letter in match[0] if letter.isdigit()][::-1]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


PATTERNS: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], bool]], ...] = (
    ("an e-mail address", EMAIL, _is_real_email),
    ("a phone number", PHONE, _is_phone),
    ("an IBAN", IBAN, _is_iban),
    ("a card number", CARD, _is_card),
)
