"""The report after its run: the version's role changes with `promote` and `rollback`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mlops_platform import evidence
from mlops_platform.core.errors import UsageError
from mlops_platform.report import build, collect
from mlops_platform.report.collect import Run

REGISTRATION = Path("register", "evidence", "registration.json")


def with_role(conf: Path, run: Run) -> Run:
    """The run with the role that its version has now; with a note where that is not known."""
    registered = run.registration
    if registered is None:
        return run
    # MLflow takes a second to import, and a report without a version does not need it.
    from mlops_platform.tracking.experiments import has_store  # noqa: PLC0415
    from mlops_platform.tracking.registry import Registry  # noqa: PLC0415

    problem = "there is no registry here"
    if has_store(conf):
        problem = "the registry here does not have this version"
        try:
            versions = Registry(conf).versions()
        except UsageError as error:
            versions, problem = [], str(error).splitlines()[0]
        for version in versions:
            if (version.number, version.run_id) == (registered.version, registered.run_id):
                return replace(run, version=version)
    return replace(run, note=f"The role is that of the registration: {problem}.")


def refresh(conf: Path, outputs: Path) -> None:
    """Write the last run's report again with the role of now, in each place where it lies."""
    run = with_role(conf, collect.read_outputs(outputs))
    if run.registration is None:
        return
    pages = {outputs / build.FILE} | {
        page
        for page in outputs.glob(f"train/**/{build.FILE}")
        if _version_of(page) == run.registration.version
    }
    for page in sorted(pages):
        if page.is_file():
            build.write(conf, run, page)


def _version_of(page: Path) -> str | None:
    """The version of the run that a page of the pipeline belongs to."""
    file = page.parents[2] / REGISTRATION
    return evidence.read(evidence.Registration, file).version if file.is_file() else None
