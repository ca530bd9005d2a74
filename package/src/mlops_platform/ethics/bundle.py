"""What an auditor keeps: one page, and a bundle of all evidence with the SHA-256 of each file.

Rows and model are not in it, only their hashes: they may be large, and rows may be of people.
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
from mlops_platform.evidence import Part
from mlops_platform.evidence.ethics import Ethics
from mlops_platform.report import audit, card, collect

FILE = "bundle.zip"
MANIFEST = "manifest.json"
# What is not there is left out.
OF_PROJECT = ("conf/*.yml", "docs/impact.md", "docs/runbook.md", "uv.lock", ".copier-answers.yml")
OF_OUTPUTS = (
    *(f"ethics/*.{kind}" for kind in ("html", "json", "log")),
    "train/*/step.json",
    "train/*/evidence/*.json",
    "train/prepare/data/split.json",
    "model_card.md",
)


class Manifest(Part):
    """manifest.json: of which run, when, with which packages; SHA-256 of each file by name."""

    shape: Literal["bundle/1"] = "bundle/1"
    made: str
    run_id: str
    git_commit: str
    evidence: str
    packages: dict[str, str]
    files: dict[str, str]


def write(conf: Path, outputs: Path, found: Ethics) -> str:
    """Write page and bundle into outputs/ethics; the manifest's SHA-256.

    The same evidence and packages give the same bytes.
    """
    root, folder = conf.resolve().parent, outputs / "ethics"
    made = card.make(conf, collect.from_outputs(outputs))
    page = audit.render(settings.load_project(conf), found, made)
    files.write_text(folder / audit.FILE, page)
    contents = {
        prefix + path.relative_to(where).as_posix(): path.read_bytes()
        for prefix, where, patterns in (("", root, OF_PROJECT), ("outputs/", outputs, OF_OUTPUTS))
        for pattern in patterns
        for path in sorted(where.glob(pattern))
    }
    installed = importlib.metadata.distributions()
    manifest = Manifest(
        made=found.made,
        run_id=found.run_id,
        git_commit=found.git_commit,
        evidence=found.evidence,
        packages=dict(sorted((each.metadata["Name"], each.version) for each in installed)),
        files={name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    )
    listed = (manifest.model_dump_json(indent=2) + "\n").encode()
    with files.whole_file(folder / FILE) as scratch, zipfile.ZipFile(scratch, "w") as bundle:
        for name, content in {MANIFEST: listed, **contents}.items():
            bundle.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return hashlib.sha256(listed).hexdigest()


def verify(path: Path, digest: str | None = None) -> tuple[Manifest, str]:
    """The manifest of a bundle in which nothing was changed, and the manifest's SHA-256.

    Who edits a file can edit the manifest, too: only with `digest`, the SHA-256 that `mlops ethics`
    printed, is that seen.

    Raises:
        UsageError: no bundle.
        GateError: a file was edited, added or removed, or the manifest is another one.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            names = bundle.namelist()
            contents = {name: bundle.read(name) for name in names}
        listed = contents.pop(MANIFEST)
        manifest = Manifest.model_validate(json.loads(listed))
    except FileNotFoundError:
        raise UsageError(f"{path}: not there. `uv run poe ethics` writes one.") from None
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, ValidationError) as error:
        raise GateError(f"{path} is no whole bundle of evidence: {error}") from None
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    faults = [
        *(f"{name} stands twice" for name in sorted({n for n in names if names.count(n) > 1})),
        *(f"{name} was removed" for name in manifest.files if name not in hashes),
        *(f"{name} was added" for name in hashes if name not in manifest.files),
        *(
            f"{name} was edited"
            for name, known in manifest.files.items()
            if name in hashes and hashes[name] != known
        ),
    ]
    said = hashlib.sha256(listed).hexdigest()
    if digest is not None and digest != said:
        faults.append(f"{MANIFEST} was edited: its SHA-256 is {said}, not {digest}")
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise GateError(f"{path} is not what was written:\n{lines}\nAsk for the bundle again.")
    return manifest, said
