"""Measures of security: secrets, vulnerable packages, and unsafe deserialization."""

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
from mlops_platform.ethics import project_files
from mlops_platform.ethics.config import MetricCheck
from mlops_platform.ethics.evaluated_run import EvaluatedRun
from mlops_platform.ethics.measurement import Measure, Value, exact_value, first_few, no_value

TIMEOUT_SECONDS = 120
SERVICE = "MLOPS_VULNERABILITY_SERVICE"
AUDIT = ("uv", "audit", "--frozen", "--output-format", "json")
PREVIEW = ("--preview-features", "audit-command,json-output")
# ruff's rules for pickle, marshal and yaml.load. It has none for joblib, which reads pickles.
UNSAFE_RULES = ("--select", "S301,S302,S506,TID251", "--output-format", "json", "--no-cache")
JOBLIB = 'lint.flake8-tidy-imports.banned-api={"joblib.load"={msg="it reads pickles"}}'


def _secrets(run: EvaluatedRun, _: MetricCheck) -> Value:
    """Passwords, keys and tokens in git's files, by the rules of detect-secrets."""
    _require("detect_secrets")
    # Only this measure needs them.
    from detect_secrets.core.secrets_collection import SecretsCollection  # noqa: PLC0415
    from detect_secrets.settings import default_settings  # noqa: PLC0415

    root = run.conf.resolve().parent
    files = project_files.list_git_files(root)
    if files is None:
        return no_value(0, "this folder is not in a git repository")
    collection = SecretsCollection(root=str(root))
    with default_settings():  # offline: a secret is never sent to a service
        for path in files:
            collection.scan_file(str(path))
    secrets = sorted({f"{path} line {each.line_number}: {each.type}" for path, each in collection})
    return exact_value(len(secrets), len(files), first_few(secrets) or "files in git")


def _known_vulnerabilities(run: EvaluatedRun, _: MetricCheck) -> Value:
    """Known vulnerabilities of the packages in uv.lock, from a service with the OSV API."""
    root = run.conf.resolve().parent
    if not (root / "uv.lock").is_file():
        return no_value(0, "there is no uv.lock")
    service = os.environ.get(SERVICE)
    command = [*AUDIT, *PREVIEW, *(("--service-url", service) if service else ())]
    try:
        process = _run(command, root, {"UV_HTTP_RETRIES": "1"})
        report = json.loads(process.stdout)
        packages = int(report["summary"]["audited_packages"])
        known = sorted({_describe(each) for each in report["vulnerabilities"]})
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired):
        return no_value(0, "no source of known vulnerabilities could be reached")
    if not packages:
        return no_value(0, "uv.lock lists no package")
    return exact_value(len(known), packages, first_few(known) or "packages in uv.lock")


def _describe(vulnerability: dict[str, Any]) -> str:
    package = vulnerability["dependency"]
    versions = vulnerability["fix_versions"]
    fixed = f", fixed in {versions[0]}" if versions else ""
    return f"{package['name']} {package['version']} ({vulnerability['display_id']}{fixed})"


def _unsafe_calls(run: EvaluatedRun, _: MetricCheck) -> Value:
    """Calls under src/ that may execute code from a file: pickle, marshal, joblib, yaml.load."""
    _require("ruff")
    root = run.conf.resolve().parent
    command = [sys.executable, "-m", "ruff", "check", *UNSAFE_RULES, "--config", JOBLIB, "src"]
    process = _run(command, root, {})
    try:
        violations = json.loads(process.stdout)
    except ValueError:
        raise UsageError(f"src/: ruff could not check it: {process.stderr.strip()[:200]}") from None
    calls = [
        f"{Path(each['filename']).relative_to(root).as_posix()} line {each['location']['row']}"
        for each in violations
    ]
    files = sum(1 for _ in (root / "src").rglob("*.py"))
    return exact_value(len(calls), files, first_few(calls) or "source files")


def _run(
    command: Sequence[str], root: Path, variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=root,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def _require(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise UsageError(
            f"{package} is not installed, but conf/ethics.yml needs it. Run `uv sync`."
        )


MEASURES = [
    Measure(
        "secrets",
        _secrets,
        "Revoke it first, then remove it from the file and from git's history; for a false alarm, "
        "add the comment `pragma: allowlist secret` to its line",
        if_insufficient="Run `git init` and commit the project: git determines the files to scan.",
    ),
    Measure(
        "known_vulnerabilities",
        _known_vulnerabilities,
        "Run `uv run poe patch NAME --why ADVISORY`, then `uv sync` and `uv run poe pipeline`",
        if_insufficient="Run the check where `uv audit` can reach its service, or set "
        f"{SERVICE} to your company's service.",
    ),
    Measure(
        "unsafe_calls",
        _unsafe_calls,
        "Load models with skops and settings with yaml.safe_load",
    ),
]
