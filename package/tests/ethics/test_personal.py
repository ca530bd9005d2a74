"""Personal data: what is detected, and similar text that is not."""

import pytest
from mlops_platform.ethics import personal

PERSONAL = {
    "mail ada.lovelace@engines.co.uk now": "an e-mail address",
    "ADA@ENGINES.DE": "an e-mail address",
    "call +49 151 23456789": "a phone number",
    "call +1 (212) 555-0187": "a phone number",
    "(212) 555-0187": "a phone number",
    "0151 23456789": "a phone number",
    "DE89 3704 0044 0532 0130 00": "an IBAN",
    "GB29NWBK60161331926819": "an IBAN",
    "4111 1111 1111 1111": "a card number",
    "5500-0000-0000-0004": "a card number",
    "378282246310005": "a card number",
}
NOT_PERSONAL = [
    "team@example.com, x@mail.example.org",
    "the team's own: lending@contoso.com",
    "git@github.com:contoso/credit-risk.git",
    "2026-11-23T10:00:00+01:00",
    "0.4111111111111111",
    "1.5e+1234567890",
    "gain +0.1234567 +123 -45",
    "DE89 3704 0044 0532 0130 01",
    "4111 1111 1111 1112",
    "4111111111111111a0ff",
    "1700000000000000",
    "3d0f5f7e4111111111111111",
    "512, 0.489 2026-03 000123-456789",
]


@pytest.mark.parametrize("text", PERSONAL)
def test_shapes_of_personal_data_are_found(text):
    assert list(personal.find_personal_data(text, "lending@contoso.com")) == [PERSONAL[text]]


@pytest.mark.parametrize("text", NOT_PERSONAL)
def test_what_only_looks_like_it_is_no_alarm(text):
    assert list(personal.find_personal_data(text, "lending@contoso.com")) == []


@pytest.mark.parametrize(
    "name",
    [
        "name",
        "first_name",
        "LastName",
        "Email",
        "e-mail",
        "phoneNumber",
        "date of birth",
        "IBAN",
        "customer_email",
        "home_address",
        "ssn",
        "dob",
        "birthday",
        "user_name",
        "surname",
    ],
)
def test_columns_that_say_who_somebody_is(name):
    assert personal.suggests_identity(name)


@pytest.mark.parametrize(
    "name",
    [
        "product_name",
        "income",
        "sex",
        "age",
        "late_payments",
        "mobile_visits",
        "emails_sent",
        "loan_id",
        "housing",
        "temperature",
        "birth_rate",
        "address_changes",
    ],
)
def test_columns_that_say_something_else(name):
    assert not personal.suggests_identity(name)
