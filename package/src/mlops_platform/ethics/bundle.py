"""The bundle for an auditor: all evidence in one zip file, with the SHA-256 of each file.

It has the hashes of rows and model, not the files: they may be large or hold personal data.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import zipfile
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from mlops_platform import settings
from mlops_platform.core import files
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.delivery import sbom
from mlops_platform.ethics import provenance
from mlops_platform.evidence import Part
from mlops_platform.evidence.ethics import Ethics
from mlops_platform.pipelines.outputs import require_latest
from mlops_platform.report import audit, card, collect

FILE = "bundle.zip"
MANIFEST = "manifest.json"
# Files that do not exist are left out.
PROJECT_FILES = (
    "conf/*.yml",
    "docs/impact.md",
    "docs/runbook.md",
    "uv.lock",
    ".copier-answers.yml",
)
OUTPUT_FILES = (
    *(f"ethics/*.{kind}" for kind in ("html", "json", "log")),
    "model_card.md",
)
RUN_FILES = ("*/step.json", "*/evidence/*.json", "prepare/data/split.json")


class Manifest(Part):
    """manifest.json: the run, the time, the packages, and the SHA-256 of each file by name."""

    shape: Literal["bundle/1"] = "bundle/1"
    made: str
    run_id: str
    git_commit: str
    evidence: str
    packages: dict[str, str]
    files: dict[str, str]


def write(conf: Path, outputs: Path, ethics: Ethics) -> str:
    """Write the audit page and the bundle into outputs/ethics; return the manifest's SHA-256.

    The same evidence and packages give the same bytes.
    """
    root, folder = conf.resolve().parent, outputs / "ethics"
    run = require_latest(outputs / "train")
    model_card = card.build_card(conf, collect.read_outputs(outputs, run))
    page = audit.render(settings.load_project(conf), ethics, model_card)
    files.write_text(folder / audit.FILE, page)
    contents = {
        prefix + path.relative_to(base).as_posix(): path.read_bytes()
        for prefix, base, patterns in (
            ("", root, PROJECT_FILES),
            ("outputs/", outputs, OUTPUT_FILES),
            ("outputs/train/", run, RUN_FILES),
        )
        for pattern in patterns
        for path in sorted(base.glob(pattern))
    }
    contents |= _supply_chain(root, run, settings.load_project(conf).name, ethics)
    installed = importlib.metadata.distributions()
    manifest = Manifest(
        made=ethics.made,
        run_id=ethics.run_id,
        git_commit=ethics.git_commit,
        evidence=ethics.evidence,
        packages=dict(sorted((each.metadata["Name"], each.version) for each in installed)),
        files={name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    )
    encoded = (manifest.model_dump_json(indent=2) + "\n").encode()
    with files.atomic_file(folder / FILE) as scratch, zipfile.ZipFile(scratch, "w") as bundle:
        for name, content in {MANIFEST: encoded, **contents}.items():
            bundle.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return hashlib.sha256(encoded).hexdigest()


def _supply_chain(root: Path, run: Path, name: str, ethics: Ethics) -> dict[str, bytes]:
    """What went into the model: its provenance, and the bill of materials if there is a lock."""
    texts = {provenance.FILE: provenance.statement(root, run, name, ethics)}
    if (root / "uv.lock").is_file():
        model = {"name": name, "version": ethics.run_id, "sha256": provenance.model_hash(run)}
        texts[sbom.FILE] = sbom.build(root, ("team",), model)
    return {file: text.encode() for file, text in texts.items()}


def verify(path: Path, digest: str | None = None) -> tuple[Manifest, str]:
    """Check that a bundle was not changed; return its manifest and the manifest's SHA-256.

    A person who edits a file can edit the manifest too. Only `digest`, the SHA-256 that
    `mlops ethics` printed, detects that.

    Raises:
        UsageError: no bundle.
        GateError: a file or the manifest was edited, added or removed.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            names = bundle.namelist()
            contents = {name: bundle.read(name) for name in names}
        encoded = contents.pop(MANIFEST)
        manifest = Manifest.model_validate(json.loads(encoded))
    except FileNotFoundError:
        raise UsageError(f"{path}: does not exist. Create it with `uv run poe ethics`.") from None
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, ValidationError) as error:
        raise GateError(f"{path} is not a complete bundle of evidence: {error}") from None
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    violations = [
        *(f"{name} appears twice" for name in sorted({n for n in names if names.count(n) > 1})),
        *(f"{name} was removed" for name in manifest.files if name not in hashes),
        *(f"{name} was added" for name in hashes if name not in manifest.files),
        *(
            f"{name} was edited"
            for name, known in manifest.files.items()
            if name in hashes and hashes[name] != known
        ),
    ]
    actual = hashlib.sha256(encoded).hexdigest()
    if digest is not None and digest != actual:
        violations.append(f"{MANIFEST} was edited: its SHA-256 is {actual}, not {digest}")
    if violations:
        lines = "\n".join(f"  {violation}" for violation in violations)
        raise GateError(
            f"{path} was changed after it was written:\n{lines}\nAsk for the bundle again."
        )
    return manifest, actual
