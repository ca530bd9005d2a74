"""Scores whole files in chunks: a file may be larger than memory, and a run can be resumed."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from mlops_platform import evidence
from mlops_platform.core import terminal
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.core.files import (
    atomic_file,
    atomic_folder,
    delete_folder,
    hash_path,
    write_text,
)
from mlops_platform.core.paths import STATE, project_root
from mlops_platform.data import csv_table, reader
from mlops_platform.data.chunk import Chunk
from mlops_platform.data.reader import File
from mlops_platform.data.source import Source
from mlops_platform.serving import chunks, store
from mlops_platform.serving.scorer import Scorer
from mlops_platform.tracking import provenance
from mlops_platform.truth import config, ids, ledger
from mlops_platform.truth.ledger import Ledger

CHUNK_ROWS = 50_000


def run(conf: Path, data: Path, version: str, scores: Path, out: Path) -> None:
    """Write `scores/scores.csv`, `scores/rejects.csv` and `out/batch.json`; keep the predictions.

    `data` is a file, a folder of them or a query, written as `source` of the model's contract
    says, with its columns: all that scoring needs, and as many of the others as there are. A row
    that violates the contract is rejected with the reason and without its value; all others are
    scored. Rows are counted from 1, without the header. Finished chunks are kept in
    `.mlops/batch/` until all are done. The predictions are added to the ledger, once: the same
    scores again change nothing there.

    Raises:
        UsageError: nothing to score, columns that do not match the contract, or no such version.
        GateError: every row was rejected.
    """
    start = time.perf_counter()
    if scores.resolve() == data.resolve():
        raise UsageError(
            f"{scores}: holds the rows to score. Choose another folder for the scores."
        )
    stored = store.fetch(conf, version)
    scorer = Scorer(*stored)
    source = scorer.contract.source
    files = reader.files(data, source)
    for file in files:
        chunks.check_header(file, scorer)
    work_folder = project_root(conf) / STATE / "batch" / _hash_inputs(files, stored)
    if any(file.format == "sql" for file in files):
        delete_folder(work_folder)  # what a query finds may have changed since it stopped
    resumed = False
    parts = []
    rules = config.load(conf)
    with terminal.progress("score (bytes)", sum(map(_size, files))) as advance:
        for number, (file, chunk) in enumerate(_chunks(files, source)):
            part = work_folder / f"{number:06d}"
            if part.exists():
                resumed = True
            else:
                with atomic_folder(part) as scratch:
                    _score(scorer, file, chunk, rules, scratch)
            parts.append(part)
            advance(chunk.size)
    if not parts:
        raise UsageError(f"{data}: holds no row to score.")

    counts = [json.loads((part / "counts.json").read_text(encoding="utf-8")) for part in parts]
    rows, rejected = (sum(count[key] for count in counts) for key in ("rows", "rejected"))
    with (
        atomic_file(scores / "rejects.csv") as rejects_file,
        atomic_file(scores / "scores.csv") as scores_file,
    ):
        _concatenate(chunks.REJECT_COLUMNS, [part / "rejects.csv" for part in parts], rejects_file)
        _concatenate(chunks.columns(scorer), [part / "scores.csv" for part in parts], scores_file)
    Ledger.of(conf).append(map(_read_kept, parts), f"batch-{hash_path(scores / 'scores.csv')[:32]}")
    evidence.write(
        evidence.BatchResult(
            model=scorer.name,
            version=scorer.version,
            rows=rows,
            scored=rows - rejected,
            rejected=rejected,
            seconds=time.perf_counter() - start,
            resumed=resumed,
        ),
        out / "batch.json",
    )
    delete_folder(work_folder)
    if rejected == rows:
        raise GateError(
            f"{data}: all {rows} rows violate the contract of version {scorer.version}; "
            "rejects.csv beside the scores has the reasons. Check that it is the right file."
        )


def _size(file: File) -> int:
    return file.path.stat().st_size if file.path.is_file() else 0


def _hash_inputs(files: list[File], stored: store.StoredModel) -> str:
    """Hash everything that the results depend on."""
    parts = [str(CHUNK_ROWS), stored.name, stored.version]
    parts += [hash_path(stored.folder), hash_path(stored.team.folder), provenance.platform_hash()]
    for file in files:
        parts += [file.name, hash_path(file.path) if file.path.is_file() else ""]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _chunks(files: list[File], source: Source) -> Iterator[tuple[File, Chunk]]:
    for file in files:
        for chunk in reader.chunks(file, source, CHUNK_ROWS):
            yield file, chunk


def _score(scorer: Scorer, file: File, chunk: Chunk, rules: config.Truth, folder: Path) -> None:
    """Write one chunk's scores.csv, rejects.csv (both without a header) and counts.json.

    And kept.arrow, its rows in the ledger.
    """
    scored = chunks.score(scorer, file, chunk)
    with pa.ipc.new_file(folder / "kept.arrow", ledger.SCHEMA) as written:
        written.write_table(_kept(scorer, scored.scores, chunk, rules))
    csv_table.write_rows(scored.scores, folder / "scores.csv")
    with (folder / "rejects.csv").open("w", encoding="utf-8", newline="") as written:
        csv.writer(written, lineterminator="\n").writerows(scored.rejects)
    counts = {"rows": scored.rows, "rejected": scored.rejected}
    write_text(folder / "counts.json", json.dumps(counts))


def _kept(scorer: Scorer, scores: pd.DataFrame, chunk: Chunk, rules: config.Truth) -> pa.Table:
    """The rows of the ledger: a row's period is that of its own time, or else of this day."""
    contract, now = scorer.contract, ledger.utc_now()
    days = pd.Series(pd.Timestamp(now).tz_localize(None), index=scores["row"])
    for name in contract.named("time"):
        if name in chunk.frame and contract.columns[name].kind == "date":
            typed = contract.typed(chunk.frame.loc[scores["row"], [name]])[0][name]
            days = days.where(typed.isna(), pd.to_datetime(typed, utc=True).dt.tz_localize(None))
    names = [f"probability_{label}" for label in scorer.labels] or ["value"]
    column = next((contract.columns[name] for name in contract.named("id")), None)
    codes, different = pd.factorize(days.dt.normalize())
    names_of_days = np.array([rules.period_of(day) for day in different], dtype=object)
    return ledger.table(
        ids.as_texts(scores["id"], column),
        scores.reindex(columns=names).to_numpy(dtype=float),
        version=scorer.version,
        period=names_of_days[codes],
        time=now,
    )


def _read_kept(part: Path) -> pa.Table:
    with pa.ipc.open_file(part / "kept.arrow") as file:
        return file.read_all()


def _concatenate(columns: list[str], parts: list[Path], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(columns)
    with path.open("ab") as output:
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, output)
