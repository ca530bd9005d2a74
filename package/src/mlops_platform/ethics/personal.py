"""Personal data in text: what has a shape that people's addresses and numbers have.

Check digits keep the alarms few: ISO 13616 (mod 97) for IBANs, ISO/IEC 7812 (Luhn) for cards.
Names of people have no shape; columns that hold them are found by the column's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

EMAIL = re.compile(r"(?<![\w.+-])([\w.+-]+)@((?:[\w-]+\.)+[a-z]{2,})(?![\w@])", re.IGNORECASE)
# RFC 2606: domains that belong to nobody.
NOBODYS = re.compile(r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|invalid|test)$", re.IGNORECASE)
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
IDENTITY = re.compile(
    r"^name$|(?:^|_)(?:(?:first|last|full|middle|maiden|given|family|user|sur|fore)_?names?"
    r"|e?_?mail(?:_address)?|(?:tele)?phone(?:_(?:no|number))?|mobile(?:_(?:no|number))?|fax"
    r"|street|(?:home_|postal_|ip_)?address|iban|bic|ssn|social_security(?:_(?:no|number))?"
    r"|passport(?:_(?:no|number))?|birth_?(?:day|date)|date_of_birth|dob|tax_(?:id|number)|login)$"
)


def found(text: str, contact: str = "") -> Iterator[str]:
    """What a piece of text holds, by kind; never the data itself. `contact` is the team's own."""
    for name, pattern, sound in SHAPES:
        for match in pattern.finditer(text):
            if match[0] != contact and sound(match):
                yield name


def suggests_identity(column: str) -> bool:
    """Whether a column's name says that people can be told by it."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|\W+", "_", column.strip())
    return IDENTITY.search(words.lower()) is not None


def _is_somebodys(match: re.Match[str]) -> bool:
    return match[1] != "git" and NOBODYS.search(match[2]) is None


def _is_long(match: re.Match[str]) -> bool:
    """E.164 allows 15 digits; below 8 it is no number that can be called from afar."""
    return 8 <= sum(letter.isdigit() for letter in match[0]) <= 15


def _is_iban(match: re.Match[str]) -> bool:
    compact = match[0].replace(" ", "")
    digits = "".join(str(int(letter, 36)) for letter in compact[4:] + compact[:4])
    return 15 <= len(compact) <= 34 and int(digits) % 97 == 1


def _is_card(match: re.Match[str]) -> bool:
    digits = [int(letter) for letter in match[0] if letter.isdigit()][::-1]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


SHAPES: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], bool]], ...] = (
    ("an e-mail address", EMAIL, _is_somebodys),
    ("a phone number", PHONE, _is_long),
    ("an IBAN", IBAN, _is_iban),
    ("a card number", CARD, _is_card),
)
