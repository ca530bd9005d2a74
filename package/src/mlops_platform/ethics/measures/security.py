"""Secrets in files, packages with known vulnerabilities, code that loads what may run code."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlops_platform.core.errors import UsageError
from mlops_platform.ethics import kept_files
from mlops_platform.ethics.case import Case
from mlops_platform.ethics.page import Metric
from mlops_platform.ethics.value import Measure, Value, counted, listed, nothing

SECONDS = 120
SERVICE = "MLOPS_VULNERABILITY_SERVICE"
AUDIT = ("uv", "audit", "--frozen", "--output-format", "json")
PREVIEW = ("--preview-features", "audit-command,json-output")
# Of ruff's rules those on pickle, marshal and yaml.load; joblib, which reads pickles, is no rule.
UNSAFE_RULES = ("--select", "S301,S302,S506,TID251", "--output-format", "json", "--no-cache")
JOBLIB = 'lint.flake8-tidy-imports.banned-api={"joblib.load"={msg="it reads pickles"}}'


def _secrets(case: Case, _: Metric) -> Value:
    """Passwords, keys and tokens in files that git keeps, by the rules of detect-secrets."""
    _require("detect_secrets")
    from detect_secrets import SecretsCollection  # noqa: PLC0415  only this measure needs it
    from detect_secrets.settings import default_settings  # noqa: PLC0415

    root = case.conf.resolve().parent
    files = kept_files.in_git(root)
    if files is None:
        return nothing(0, "git does not know this folder")
    found = SecretsCollection(root=str(root))
    with default_settings():  # offline: what it finds is tried out nowhere
        for path in files:
            found.scan_file(str(path))
    seen = sorted({f"{path} line {each.line_number}: {each.type}" for path, each in found})
    return counted(len(seen), len(files), listed(seen) or "files in git")


def _vulnerabilities(case: Case, _: Metric) -> Value:
    """Known vulnerabilities of the packages in uv.lock, by a service with the interface of OSV."""
    root = case.conf.resolve().parent
    if not (root / "uv.lock").is_file():
        return nothing(0, "there is no uv.lock")
    service = os.environ.get(SERVICE)
    command = [*AUDIT, *PREVIEW, *(("--service-url", service) if service else ())]
    try:
        done = _run(command, root, {"UV_HTTP_RETRIES": "1"})
        report = json.loads(done.stdout)
        packages = int(report["summary"]["audited_packages"])
        seen = sorted({_named(each) for each in report["vulnerabilities"]})
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired):
        return nothing(0, "no source of known vulnerabilities could be reached")
    if not packages:
        return nothing(0, "uv.lock names no package")
    return counted(len(seen), packages, listed(seen) or "packages in uv.lock")


def _named(vulnerability: dict[str, Any]) -> str:
    package = vulnerability["dependency"]
    fixed = vulnerability["fix_versions"]
    mended = f", mended in {fixed[0]}" if fixed else ""
    return f"{package['name']} {package['version']} ({vulnerability['display_id']}{mended})"


def _unsafe_calls(case: Case, _: Metric) -> Value:
    """Calls under src/ that may run what a file holds: pickle, marshal, joblib, yaml.load."""
    _require("ruff")
    root = case.conf.resolve().parent
    command = [sys.executable, "-m", "ruff", "check", *UNSAFE_RULES, "--config", JOBLIB, "src"]
    done = _run(command, root, {})
    try:
        read = json.loads(done.stdout)
    except ValueError:
        raise UsageError(f"ruff could not look at src/: {done.stderr.strip()[:200]}") from None
    seen = [
        f"{Path(each['filename']).relative_to(root).as_posix()} line {each['location']['row']}"
        for each in read
    ]
    files = sum(1 for _ in (root / "src").rglob("*.py"))
    return counted(len(seen), files, listed(seen) or "files of code")


def _run(
    command: Sequence[str], root: Path, variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=root,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def _require(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise UsageError(f"{package} is not installed, and conf/ethics.yml needs it. `uv sync`.")


MEASURES = [
    Measure(
        "secrets",
        _secrets,
        "Revoke it first, then take it out of the file and of git's history; a false alarm gets "
        "`pragma: allowlist secret` as a comment in its line",
        unknown="Run `git init` and commit the project: git says which files it keeps.",
    ),
    Measure(
        "known_vulnerabilities",
        _vulnerabilities,
        "Run `uv lock --upgrade-package NAME`, then `uv sync` and `uv run poe pipeline`",
        unknown="Run it where `uv audit` reaches its service, or name a service of your firm in "
        f"{SERVICE}.",
    ),
    Measure(
        "unsafe_calls",
        _unsafe_calls,
        "Load models with skops and settings with yaml.safe_load",
    ),
]
