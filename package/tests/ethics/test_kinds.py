"""Tests, documents and signatures: skipped, deleted, empty or outdated ones fail."""

import shutil
from datetime import date, timedelta

import pytest
from mlops_platform.core.errors import UsageError
from mlops_platform.ethics.config import DocumentCheck, ManualCheck, PytestCheck
from mlops_platform.ethics.kinds import document_check, pytest_check, signature_check

from package.tests.workspaces import CREDIT

TODAY = date(2026, 11, 20)
SOUND = """# Impact

## Purpose

Clerks see which loans may default, and talk to those people first.

## Redress

### Where

Write to the ombudswoman; she answers within ten days.

Reviewed: 2026-10-01 by Ada Lovelace
"""
SUITE = """
import pytest

def test_good():
    assert True

def test_bad():
    assert False

@pytest.mark.skip(reason="later")
def test_skipped():
    assert True

@pytest.mark.xfail
def test_expected_to_fail():
    assert False

@pytest.mark.parametrize("number", [1, 2])
def test_each(number):
    assert number == 1

@pytest.fixture
def broken():
    yield
    raise RuntimeError("teardown")

def test_breaks_after(broken):
    assert True

class TestClass:
    def test_inside(self):
        assert True
"""


def document(**changed):
    fields = {
        "id": "impact",
        "asks": "Is it written down?",
        "category": "oversight",
        "kind": "document",
        "path": "impact.md",
        "sections": ["Purpose", "Redress"],
        "reviewed_within_days": 90,
    }
    return DocumentCheck(**{**fields, **changed})


def read(tmp_path, text, **changed):
    (tmp_path / "impact.md").write_text(text)
    return document_check.check_document(tmp_path, document(**changed), TODAY)


def test_a_page_that_is_filled_in_and_reviewed_passes(tmp_path):
    outcome = read(tmp_path, SOUND)
    assert (outcome.verdict, outcome.next_step) == ("passed", "")
    assert "Ada Lovelace" in outcome.message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Clerks see", "TODO: clerks see", "`Purpose` still has the placeholder `TODO`"),
        ("Clerks see", "<who> see", "`Purpose` still has the placeholder `<who>`"),
        ("the ombudswoman", "tbd", "`Redress` still has the placeholder `tbd`"),
        ("## Redress", "## Complaints", "the section `Redress` is missing"),
        ("Clerks see which loans may default, and talk to those people first.", "", "is empty"),
        ("Clerks see which", "<!-- Clerks see which loans may default, and talk", "the section"),
        ("Reviewed:", "Read:", "has no review"),
        ("2026-10-01", "2026-08-01", "reviewed 111 days ago, allowed are 90"),
        ("2026-10-01", "2027-10-01", "in the future"),
        ("2026-10-01", "2026-13-01", "2026-13-01 is not a date"),
    ],
)
def test_a_page_that_is_not_is_refused_with_the_next_step(tmp_path, old, new, message):
    assert old in SOUND
    text = SOUND.replace(old, new) + ("-->" if new.startswith("<!--") else "")
    outcome = read(tmp_path, text)
    assert outcome.verdict == "failed"
    assert message in outcome.message
    assert f"Reviewed: {TODAY} by YOUR NAME" in outcome.next_step


def test_a_page_that_is_not_there_is_refused(tmp_path):
    outcome = document_check.check_document(tmp_path, document(), TODAY)
    assert (outcome.verdict, outcome.next_step) == ("failed", "Write impact.md.")


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_own.py").write_text(SUITE)
    shutil.copytree(CREDIT / "conf", tmp_path / "conf")
    return tmp_path


def node(name, file="tests/test_own.py"):
    return PytestCheck(
        id=name.replace("_", "-").replace("::", "-").lower(),
        asks="Does it work?",
        category="fairness",
        kind="test",
        node=f"{file}::{name}",
    )


def test_a_test_must_have_run_and_passed(suite):
    expected = {
        "test_good": "passed",
        "TestClass::test_inside": "passed",
        "test_bad": "test_bad failed",
        "test_skipped": "test_skipped was skipped",
        "test_expected_to_fail": "test_expected_to_fail was skipped",
        "test_each": "test_each failed",
        "test_breaks_after": "test_breaks_after failed",
        "test_deleted": "test_deleted did not run",
    }
    checks = [node(name) for name in expected] + [node("test_gone", "tests/test_gone.py")]
    found = pytest_check.run_tests(suite, checks, suite / "out")
    for name, words in expected.items():
        each = found[node(name).id]
        assert each.verdict == ("passed" if words == "passed" else "failed"), each
        assert words in each.message
        assert bool(each.next_step) == (each.verdict == "failed")
    assert found["test-gone"].message == "tests/test_gone.py does not exist"
    assert "Restore tests/test_gone.py from git" in found["test-gone"].next_step
    assert "test_bad" in (suite / "out" / "pytest.log").read_text()


def test_a_test_that_is_deselected_is_refused(suite):
    (suite / "pytest.ini").write_text("[pytest]\naddopts = -k 'not good'\n")
    assert (
        pytest_check.run_tests(suite, [node("test_good")], suite / "out")["test-good"].verdict
        == "failed"
    )


def test_a_suite_that_cannot_be_imported_fails(suite):
    (suite / "tests" / "test_own.py").write_text("import nowhere\n")
    assert (
        pytest_check.run_tests(suite, [node("test_good")], suite / "out")["test-good"].verdict
        == "failed"
    )


def test_pytest_that_does_not_start_is_an_error(suite):
    (suite / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    with pytest.raises(UsageError, match="before it ran a test"):
        pytest_check.run_tests(suite, [node("test_good")], suite / "out")


EVIDENCE, OTHER = "a" * 64, "b" * 64


class Roles:
    """The part of the configuration that signatures need."""

    regulated_signatures = ("risk officer", "product owner")


def question(role="domain expert"):
    return ManualCheck(
        id="review", asks="Is it right?", category="oversight", kind="manual", role=role
    )


def signed(**changed):
    fields = {
        "check": "review",
        "role": "domain expert",
        "by": "Ada Lovelace",
        "answer": "yes",
        "why": "read the report",
        "date": TODAY,
        "evidence": EVIDENCE,
    }
    return signature_check.SignatureEntry(**{**fields, **changed})


def test_a_signature_over_this_evidence_holds():
    outcome = signature_check.check_signature(question(), [signed()], EVIDENCE, Roles)
    assert outcome.verdict == "passed"
    assert outcome.details["signature"].by == "Ada Lovelace"


@pytest.mark.parametrize(
    ("signatures", "message", "next_step"),
    [
        ([], "not signed by the domain expert", "mlops ethics sign review"),
        ([signed(role="intern")], "not signed by the domain expert", "--role 'domain expert'"),
        ([signed(check="other")], "not signed by the domain expert", "sign review"),
        ([signed(evidence=OTHER)], "the evidence has changed since", "sign again"),
        (
            [signed(answer="no", why="wrong in winter")],
            "answered no: wrong in winter",
            "together with",
        ),
        ([signed(), signed(answer="no", why="second thoughts")], "second thoughts", "together"),
    ],
)
def test_other_signatures_are_not_valid(signatures, message, next_step):
    outcome = signature_check.check_signature(question(), signatures, EVIDENCE, Roles)
    assert outcome.verdict == "failed"
    assert message in outcome.message
    assert next_step in outcome.next_step


def test_two_roles_are_two_people():
    officer = signed(role="risk officer", check="signature-risk-officer")
    owner = signed(role="product owner", by=" ada LOVELACE ")
    asked = question("product owner")
    outcome = signature_check.check_signature(asked, [officer, owner], EVIDENCE, Roles)
    assert outcome.verdict == "failed"
    assert "Two different people must sign" in outcome.next_step
    other = signed(role="product owner", by="Grace Hopper")
    assert (
        signature_check.check_signature(asked, [officer, other], EVIDENCE, Roles).verdict
        == "passed"
    )


def test_days_are_whole(tmp_path):
    edge = SOUND.replace("2026-10-01", str(TODAY - timedelta(days=90)))
    assert read(tmp_path, edge).verdict == "passed"
    past = SOUND.replace("2026-10-01", str(TODAY - timedelta(days=91)))
    assert read(tmp_path, past).verdict == "failed"
