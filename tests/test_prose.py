"""Pages, messages and comments use the field's standard words; a list of others is refused.

Vale cannot be installed here: its package on the index downloads the program from elsewhere.
"""

import re
import subprocess
from pathlib import Path

import pytest

from tests.rendering import ROOT

# What to write instead.
WORDS = {
    r"\bthe standard(?:'s)?\b(?! (?:deviation|error|input|library|normal|output))": (
        "the template, or the platform package"
    ),
    r"\bnews\b": "changes, updates",
    r"\bwhose (?:file|whose)\b": "file ownership",
    r"\b(?:held|hold|holds|holding) \S+(?: \S+){0,4}? against\b|\bheld against\b": (
        "checked against, compared with"
    ),
    r"\b(?:un)?provabl[ey]\b": "the bound of the interval, significantly",
    r"\ba gate's word\b": "verdict",
    r"\bmay not break\b": "must not violate",
    r"\bwhere it errs\b": "confusion matrix",
    r"\bwhat it looks at\b": "feature importance",
    r"\bunder stress\b": "robustness",
    r"\bdoes it still fit\b": "data drift",
    r"\bfor whom it works\b": "performance by group",
    r"\bway back\b": "rollback, how to go back",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"\bbeg[iu]n(?:s|ning)? anew\b|\banew\b": "start over, again",
    r"\bin haste\b": "fast",
    r"\btake(?:s|n)? back\b|\btook back\b": "revert",
    r"\bfigures\b": "metrics, benchmarks, numbers, plots",
    r"\brooms?\b": "layers, sub-packages",
    r"\bscar(?:s|red)?\b": "modified projects",
    r"\bworlds?\b": "scenarios",
    r"\bneighbours?\b": "upstream and consumers",
    r"\bfor good\b": "cannot be changed later, permanently",
    r"\bfloors?\b": "layers",
}
# These quote what others say, or tell of the words themselves.
EXEMPT = {"CHANGELOG.md", "tests/test_prose.py"}
SUFFIXES = {".html", ".jinja", ".json5", ".md", ".py", ".sh", ".toml", ".yaml", ".yml"}


def found(text: str) -> list[str]:
    """Each refused expression with its line and what to write."""
    faults = []
    for pattern, instead in WORDS.items():
        for match in re.finditer(pattern, text, re.IGNORECASE):
            line = text.count("\n", 0, match.start()) + 1
            faults.append(f"line {line}: '{match[0]}': write {instead}")
    return faults


def pages() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    names = [name for name in listed if name and Path(name).suffix in SUFFIXES]
    return [
        ROOT / name
        for name in names
        if name not in EXEMPT and not name.startswith("examples/") and (ROOT / name).is_file()
    ]


def test_the_fields_words_are_used() -> None:
    checked = pages()
    assert len(checked) > 300
    faults = [
        f"{path.relative_to(ROOT)}, {fault}"
        for path in checked
        for fault in found(path.read_text(encoding="utf-8"))
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "text",
    [
        "Bring the standard's news",
        "It is held against the contract",
        "held a model against a constant",
        "0.77, provably 0.72",
        "Where it errs",
        "mend the data",
        "begin anew",
        "its figures",
    ],
)
def test_a_refused_word_is_found(text: str) -> None:
    assert found(text)


def test_standard_words_are_not_refused() -> None:
    assert found("the standard deviation, Python's standard library, floor division") != found("")
    assert found("The standard error of the mean") == []
