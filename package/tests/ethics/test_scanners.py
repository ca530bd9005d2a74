"""Scanners for secrets, personal data and unsafe code: each detects a problem.

A new project passes all of them. The secrets and personal data are invented, and composed at run
time, so that the scanners of this repository do not report them.
"""

import hashlib
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import yaml
from mlops_platform import settings
from mlops_platform.data import reader
from mlops_platform.data.contract import load_contract
from mlops_platform.data.source import Source
from mlops_platform.ethics import checks
from mlops_platform.ethics.evaluated_run import EvaluatedRun
from mlops_platform.ethics.kinds import metric_check, signature_check
from mlops_platform.ethics.measures import security
from mlops_platform.ethics.outcome import Outcome
from mlops_platform.template import conformance

from package.tests.workspaces import CREDIT

MAIL = "ada" + "@" + "engines.co.uk"
KEY = "AKIA" + "IOSFODNN7" + "EXAMPLB"
LOCK = """version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "jinja2"
version = "3.1.6"
source = { registry = "." }

[[package]]
name = "small"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "jinja2" }]

[package.metadata]
requires-dist = [{ name = "jinja2" }]
"""
SMALL = '[project]\nname = "small"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'


class Scanned:
    """A project in git, and its checks of conf/ethics.yml."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def check(self, check_id: str) -> Outcome:
        """The outcome of one check."""
        conf = self.root / "conf"
        project, config = checks.load_settings(conf)
        run = EvaluatedRun.__new__(EvaluatedRun)
        vars(run).update(
            conf=conf,
            outputs=self.root / "outputs" / "train" / "run-1",
            config=config,
            project=project,
            train=settings.load_train(conf),
            contract=load_contract(conf / "data.yml", project.task),
        )
        check = next(each for each in config.metrics if each.id == check_id)
        return metric_check.check_metric(run, check)


@pytest.fixture(scope="module")
def _sound(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("scanned") / "project"
    shutil.copytree(CREDIT, root, ignore=shutil.ignore_patterns("__pycache__", "outputs", ".mlops"))
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    return root


@pytest.fixture
def project(_sound, tmp_path) -> Scanned:
    """A copy of a sample project, on its first day."""
    shutil.copytree(_sound, tmp_path / "project")
    return Scanned(tmp_path / "project")


CHECKS = ["personal-data", "identity", "secrets", "safe-code"]


@pytest.mark.parametrize("check", CHECKS)
def test_a_new_project_is_sound(project, check):
    outcome = project.check(check)
    assert outcome.verdict == "passed", outcome.message
    assert outcome.details["rows"] > 2


def test_hashes_of_packages_are_no_secrets(project):
    line = "jinja2==3.1.6 \\\n    --hash=sha256:" + "0123456789abcdef" * 4 + "\n"
    project.write("pipelines/environments/training/requirements.txt", line * 20)
    project.write("uv.lock", LOCK + f'# hash = "sha256:{"fedcba9876543210" * 4}"\n')
    assert project.check("secrets").verdict == "passed"


def test_hashes_in_settings_are_no_secrets(project):
    conf, digest = project.root / "conf", hashlib.sha256(b"evidence").hexdigest()
    signature_check.sign(
        conf,
        SimpleNamespace(evidence=digest),
        SimpleNamespace(id="expert-review", role="domain expert"),
        by="Ada Lovelace",
        answer="yes",
        why="looked at the groups",
        today=date(2026, 5, 8),
    )
    page = (CREDIT / "docs" / "updating.md").read_text(encoding="utf-8")
    fork = page.partition("```yaml\n")[2].partition("```")[0].replace("0" * 64, digest)
    project.write("conf/forks.yml", fork)
    assert project.check("secrets").verdict == "passed"
    assert (
        signature_check.load_signatures(conf)[0].evidence
        == conformance.load_forks(conf).forks[0].sha256
        == digest
    )


def test_a_signature_of_before_is_still_read(project):
    conf, digest = project.root / "conf", hashlib.sha256(b"evidence").hexdigest()
    signed = {"check": "expert-review", "role": "domain expert", "by": "Ada", "answer": "yes"}
    signed |= {"why": "looked", "date": date(2026, 5, 8), "evidence": digest}
    project.write("conf/signatures.yml", yaml.safe_dump({"signatures": [signed]}))
    assert signature_check.load_signatures(conf)[0].evidence == digest
    assert project.check("secrets").verdict == "failed", "why hashes get their name before them"


# ---------------------------------------------------------------- personal data

NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "source": ["# Look\n"]},
        {
            "cell_type": "code",
            "source": ["frame.head()"],
            "outputs": [{"data": {"text/plain": [f"0  {MAIL}\n"], "image/png": "Zm9v"}}],
        },
    ]
}
PLACES = {
    "data/samples/people.csv": f"loan_id,income\n1,{MAIL}\n",
    "data/notes.md": f"\nask {MAIL}\n",
    "notebooks/look.ipynb": json.dumps(NOTEBOOK),
    "notebooks/broken.ipynb": f"no notebook\n{MAIL}",
    "outputs/train/run-1/train/evidence/fit.log": f"\n{MAIL}",
    "outputs/train/run-1/prepare/data/test.csv": f"loan_id,purpose\n1,{MAIL}\n",
}


@pytest.mark.parametrize("place", PLACES)
def test_personal_data_is_found_and_named_but_never_shown(project, place):
    project.write(place, PLACES[place])
    outcome = project.check("personal-data")
    assert outcome.verdict == "failed"
    where = place if place.endswith("broken.ipynb") else f"{place} line 2"
    assert f"{where}" in outcome.message
    assert "an e-mail address" in outcome.message
    assert MAIL not in outcome.message
    assert "git's history" in outcome.next_step


def test_an_older_run_does_not_fail_the_data_that_is_in_order_now(project):
    project.write("outputs/train/run-1/prepare/data/test.csv", f"loan_id,purpose\n1,{MAIL}\n")
    project.write("outputs/train/run-2/prepare/data/test.csv", "loan_id,purpose\n1,car\n")
    project.write("outputs/train/latest.txt", "run-2\n")
    assert project.check("personal-data").verdict == "passed"
    project.write("outputs/train/latest.txt", "run-1\n")
    assert project.check("personal-data").verdict == "failed"


def test_a_column_that_the_contract_names_as_id_may_hold_it(project):
    project.write("data/samples/people.csv", f"loan_id,income\n{MAIL},1\n")
    assert project.check("personal-data").verdict == "passed"
    project.write("data/samples/people.csv", f"loan_id,income\n1,1,{MAIL}\n")
    assert project.check("personal-data").verdict == "failed"  # a cell beyond the header


@pytest.mark.parametrize("name", ["people.csv", "people.csv.gz", "people.parquet"])
def test_data_of_another_form_is_read_as_it_is_written(project, name):
    path = project.root / "conf" / "data.yml"
    contract = yaml.safe_load(path.read_text()) | {"source": {"separator": ";"}}
    path.write_text(yaml.safe_dump(contract, sort_keys=False))
    file = project.root / "data" / "samples" / name
    file.parent.mkdir(parents=True)
    for column, verdict in (("loan_id", "passed"), ("purpose", "failed")):
        rows = pd.DataFrame({"income": ["1"], column: [MAIL]})
        reader.write(rows, file, Source(separator=";"))
        assert project.check("personal-data").verdict == verdict
    reader.write(pd.DataFrame({"a": ["1"], "email": ["x"]}), file, Source(separator=";"))
    assert f"`email` in data/samples/{name}" in project.check("identity").message


def test_the_teams_own_address_is_no_personal_data(project):
    conf = project.root / "conf" / "project.yml"
    contact = yaml.safe_load(conf.read_text()) | {"contact": MAIL}
    conf.write_text(yaml.safe_dump(contact))
    project.write("data/notes.md", f"ask {MAIL}")
    assert project.check("personal-data").verdict == "passed"


def test_files_that_git_ignores_do_not_leave(project):
    project.write(".gitignore", "data/raw/real.csv\noutputs/\n")
    project.write("data/raw/real.csv", f"email\n{MAIL}\n")
    assert project.check("personal-data").verdict == "passed"
    assert project.check("identity").verdict == "passed"


def test_a_column_that_says_who_somebody_is(project):
    path = project.root / "conf" / "data.yml"
    contract = yaml.safe_load(path.read_text())
    contract["columns"]["customer_email"] = {"kind": "text", "role": "feature"}
    path.write_text(yaml.safe_dump(contract, sort_keys=False))
    assert "`customer_email` in conf/data.yml" in project.check("identity").message
    contract["columns"]["customer_email"]["role"] = "ignored"
    path.write_text(yaml.safe_dump(contract, sort_keys=False))
    assert project.check("identity").verdict == "passed"
    project.write("data/samples/other.csv", "loan_id,dateOfBirth\n1,2\n")
    outcome = project.check("identity")
    assert (outcome.verdict, "`dateOfBirth` in data/samples/other.csv" in outcome.message) == (
        "failed",
        True,
    )
    assert "role: ignored" in outcome.next_step


@pytest.mark.parametrize("check", ["personal-data", "identity", "secrets"])
def test_without_git_nobody_knows_what_leaves(project, check):
    shutil.rmtree(project.root / ".git")
    outcome = project.check(check)
    assert outcome.verdict == "insufficient evidence"
    assert "git init" in outcome.next_step


# ---------------------------------------------------------------- secrets and code


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("conf/store.yml", f"key: {KEY}\n"),
        ("src/credit_risk/store.py", f'"""Store."""\n\nTOKEN = "ghp_{"aB3" * 12}"\n'),
        ("docs/notes.md", "-----BEGIN RSA " + "PRIVATE KEY-----\n"),
        ("notebooks/store.ipynb", json.dumps({"cells": [{"source": f"key = '{KEY}'"}]})),
        ("src/credit_risk/login.py", 'password = "cor' + 'rect-horse-7!"\n'),
    ],
)
def test_a_secret_in_a_file_is_found_by_check_and_hook(project, file, text):
    project.write(file, text)
    outcome = project.check("secrets")
    assert outcome.verdict == "failed"
    assert f"{file} line" in outcome.message
    assert "Revoke it first" in outcome.next_step
    hook = ["detect-secrets-hook", "--no-verify", file]
    refused = subprocess.run(hook, cwd=project.root, capture_output=True, text=True, check=False)
    assert (refused.returncode, file in refused.stdout) == (1, True), refused.stderr


def test_a_false_alarm_is_named_in_its_line(project):
    project.write("conf/store.yml", f"key: {KEY}  # pragma: allowlist secret\n")
    assert project.check("secrets").verdict == "passed"


UNSAFE = {
    "pickle.load(open(0, 'rb'))": "import pickle",
    "pd.read_pickle('x')": "import pandas as pd",
    "joblib.load('x')": "import joblib",
    "load('x')": "from joblib import load",
    "yaml.load('x', Loader=yaml.Loader)": "import yaml",
}


@pytest.mark.parametrize("call", UNSAFE)
def test_code_that_may_run_what_a_file_holds(project, call):
    project.write("src/credit_risk/extra.py", f"{UNSAFE[call]}\n\n{call}\n")
    outcome = project.check("safe-code")
    assert outcome.verdict == "failed"
    assert "src/credit_risk/extra.py line" in outcome.message
    assert "skops" in outcome.next_step


# ---------------------------------------------------------------- known vulnerabilities


class Service(BaseHTTPRequestHandler):
    """A fake service with the OSV API, which knows one vulnerability of one package."""

    vulnerability = {  # noqa: RUF012
        "id": "PYSEC-2026-1",
        "modified": "2026-01-01T00:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "jinja2"},
                "ranges": [
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.2"}]}
                ],
            }
        ],
    }
    knows = True

    def do_POST(self) -> None:
        """List the vulnerabilities of each package."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        short = {key: self.vulnerability[key] for key in ("id", "modified")}
        known = [self.knows and each["package"]["name"] == "jinja2" for each in asked]
        self._say({"results": [{"vulns": [short]} if each else {} for each in known]})

    def do_GET(self) -> None:
        """Describe the vulnerability."""
        self._say(self.vulnerability)

    def _say(self, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def service(monkeypatch) -> Iterator[type[Service]]:
    """A local service that the check uses."""
    kind = type("Known", (Service,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv(security.SERVICE, f"http://127.0.0.1:{server.server_port}/")
        yield kind
        server.shutdown()


@pytest.fixture
def locked(project) -> Scanned:
    """A project with one package in its uv.lock."""
    project.write("uv.lock", LOCK)
    project.write("pyproject.toml", SMALL + 'dependencies = ["jinja2"]\n')
    return project


@pytest.mark.usefixtures("service")
def test_a_known_vulnerability_fails_and_names_the_fixed_version(locked):
    outcome = locked.check("vulnerabilities")
    assert outcome.verdict == "failed"
    assert "jinja2 3.1.6 (PYSEC-2026-1, fixed in 3.2)" in outcome.message
    assert "uv run poe patch NAME" in outcome.next_step


def test_packages_without_known_vulnerabilities_pass(locked, service):
    service.knows = False
    outcome = locked.check("vulnerabilities")
    assert (outcome.verdict, outcome.details["rows"]) == ("passed", 1)


def test_nobody_to_ask_is_no_pass(locked, monkeypatch):
    monkeypatch.setenv(security.SERVICE, "http://127.0.0.1:9/")
    outcome = locked.check("vulnerabilities")
    assert outcome.verdict == "insufficient evidence"
    assert "could be reached" in outcome.message
    assert security.SERVICE in outcome.next_step


def test_without_uv_lock_nothing_is_known(project):
    (project.root / "uv.lock").unlink(missing_ok=True)
    assert project.check("vulnerabilities").verdict == "insufficient evidence"
