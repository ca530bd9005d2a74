"""The bundle for an auditor contains all evidence, and every edit of a file is detected."""

import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from mlops_platform import cli, evidence
from mlops_platform.core.errors import GateError, UsageError
from mlops_platform.ethics import bundle
from mlops_platform.evidence import ethics as shapes
from mlops_platform.report import build, collect
from mlops_platform.tracking import binding

from package.tests.test_report import lay_out
from package.tests.workspaces import CREDIT
from tests import planted

LOCKED = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.11"\n'
LOCKED += "[dependency-groups]\nteam = []\n"
RUN_ID = planted.run().training.run_id


def check(name: str, **fields: object) -> shapes.CheckResult:
    """A check that passed, or not."""
    known = {
        "id": name,
        "principle": "fairness",
        "owner": "product owner",
        "asks": f"Does {name} hold?",
        "kind": "metric",
        "category": "fairness",
        "maps_to": ["D.2"],
        "word": "passed",
        "blocks": True,
        "message": "0.1, 0.05 to 0.2",
        "groups": [],
        "value": 0.1,
        "low": 0.05,
        "high": 0.2,
        "limit": "at most 0.3",
    }
    return shapes.CheckResult(**known | fields)


def ethics(run_id: str = RUN_ID) -> shapes.Ethics:
    """A result of `mlops ethics`: one check of each verdict, one signed, one waived."""
    old = shapes.GroupFinding(group="age old", rows=12)
    young = shapes.GroupFinding(
        group="age young", rows=400, value=0.8, distance=0.1, low=0.05, high=0.2, word="passed"
    )
    signed = shapes.Signature(
        check="signed",
        role="domain expert",
        by="Ada <Lovelace>",
        answer="yes",
        why="I looked at the groups.",
        date="2026-11-23",
        evidence="e" * 64,
    )
    waived = shapes.Waived(reason="new source in May", owner="Grace", expires="2027-05-31")
    return shapes.Ethics(
        made="2026-11-23T10:00:00+00:00",
        run_id=run_id,
        git_commit="c" * 40,
        stage="operate",
        regulated=True,
        verdict="failed",
        compliance="not validated",
        evidence="e" * 64,
        files={"evaluation.json": "f" * 64},
        versions={"python": "3.12.0"},
        confidence=0.95,
        resamples=500,
        min_group_rows=30,
        principles=[shapes.Principle(name="fairness", statement="Nobody.", owner="product owner")],
        checks=[
            check("passing", groups=[young, old]),
            check("failing", word="failed", next="Fix it."),
            check("unclear", word="insufficient evidence", next="More rows."),
            check("waived", word="failed", waived=waived),
            check("signed", kind="manual", value=None, limit="", signature=signed),
        ],
    )


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project with a run and its ethics."""
    shutil.copytree(CREDIT / "conf", tmp_path / "conf")
    lay_out(planted.run(), tmp_path)
    evidence.write(ethics(), tmp_path / "outputs/ethics/ethics.json")
    (tmp_path / "outputs/ethics/pytest.log").write_text("2 passed")
    model = tmp_path / "outputs/train/run-1/train/model"
    model.mkdir(parents=True)
    (model / "model.skops").write_bytes(b"a model")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def written(project) -> tuple[Path, str]:
    """Its bundle, and the manifest's SHA-256."""
    digest = bundle.write(project / "conf", project / "outputs", ethics())
    return project / "outputs" / "ethics" / bundle.FILE, digest


def test_a_bundle_holds_evidence_settings_logs_versions_and_dates(written):
    path, digest = written
    manifest, message = bundle.verify(path, digest)
    assert message == digest
    assert (manifest.run_id, manifest.made[:10]) == (RUN_ID, "2026-11-23")
    assert "scikit-learn" in manifest.packages
    kept = {"ethics/audit.html", "ethics/ethics.json", "ethics/pytest.log"}
    kept |= {f"train/{step}/evidence/{name}.json" for step, name in [("evaluate", "evaluation")]}
    assert {f"outputs/{name}" for name in kept} | {"conf/ethics.yml"} <= set(manifest.files)
    assert not [name for name in manifest.files if name.endswith((".csv", ".skops"))]


def test_the_same_evidence_gives_the_same_bundle(project, written):
    path, digest = written
    before = path.read_bytes()
    assert bundle.write(project / "conf", project / "outputs", ethics()) == digest
    assert path.read_bytes() == before


def test_the_provenance_names_the_model_and_what_it_was_made_from(project, written):
    statement = json.loads(zipfile.ZipFile(written[0]).read("provenance.json"))
    model = project / "outputs/train/run-1/train/model"
    (subject,) = statement["subject"]
    assert subject == {"name": "credit-risk", "digest": {"sha256": binding.hash_model(model)}}
    inputs = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert {each["name"]: each["digest"] for each in inputs} == {
        "code": {"gitCommit": "c" * 40},
        "data": {"sha256": planted.run().validation.data_hash},
    }
    assert statement["predicate"]["runDetails"]["metadata"] == {"invocationId": RUN_ID}
    (model / "model.skops").write_bytes(b"another")
    bundle.write(project / "conf", project / "outputs", ethics())
    again = json.loads(zipfile.ZipFile(written[0]).read("provenance.json"))
    assert again["subject"] != statement["subject"]


def test_a_run_without_a_model_has_no_provenance(project):
    shutil.rmtree(project / "outputs/train/run-1/train/model")
    with pytest.raises(UsageError, match="model: does not exist"):
        bundle.write(project / "conf", project / "outputs", ethics())


def test_with_a_lock_it_has_the_bill_of_materials(project):
    (project / "pyproject.toml").write_text(LOCKED)
    subprocess.run(["uv", "lock", "--offline"], cwd=project, check=True, capture_output=True)
    digest = bundle.write(project / "conf", project / "outputs", ethics())
    path = project / "outputs" / "ethics" / bundle.FILE
    bill = json.loads(zipfile.ZipFile(path).read("sbom.cdx.json"))
    (model,) = [each for each in bill["components"] if each["type"] == "machine-learning-model"]
    assert (model["name"], model["version"]) == ("credit-risk", RUN_ID)
    assert bundle.write(project / "conf", project / "outputs", ethics()) == digest


def again(path: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """Write a bundle again, with other contents."""
    with zipfile.ZipFile(path) as old:
        contents = {name: old.read(name) for name in old.namelist()}
    change(contents)
    with zipfile.ZipFile(path, "w") as new:
        for name, content in contents.items():
            new.writestr(name, content)


EVALUATION = "outputs/train/evaluate/evidence/evaluation.json"


def edit(contents: dict[str, bytes]) -> None:
    """Make a metric better than it was."""
    contents[EVALUATION] = contents[EVALUATION].replace(b"0.8", b"0.9")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(edit, f"{EVALUATION} was edited", id="edited"),
        pytest.param(lambda kept: kept.pop(EVALUATION), f"{EVALUATION} was removed", id="removed"),
        pytest.param(lambda kept: kept.update({"x.json": b"{}"}), "x.json was added", id="added"),
        pytest.param(
            lambda kept: kept.pop(bundle.MANIFEST), "not a complete bundle", id="no manifest"
        ),
    ],
)
def test_a_change_of_a_bundle_is_detected(written, change, message):
    path, _ = written
    again(path, change)
    with pytest.raises(GateError, match=message):
        bundle.verify(path)


def test_an_edit_of_the_manifest_is_detected_by_its_hash(written):
    path, digest = written

    def forge(contents: dict[str, bytes]) -> None:
        edit(contents)
        manifest = json.loads(contents[bundle.MANIFEST])
        manifest["files"][EVALUATION] = hashlib.sha256(contents[EVALUATION]).hexdigest()
        contents[bundle.MANIFEST] = json.dumps(manifest).encode()

    again(path, forge)
    bundle.verify(path)
    with pytest.raises(GateError, match=r"manifest\.json was edited"):
        bundle.verify(path, digest)


def test_the_command_names_the_edited_file(written, capsys):
    path, digest = written
    cli.invoke(["ethics", "verify", str(path), "--sha256", digest])
    assert "files as they were written on 2026-11-23" in capsys.readouterr().out
    again(path, edit)
    with pytest.raises(GateError, match=r"evaluation\.json was edited"):
        cli.invoke(["ethics", "verify", str(path)])
    with pytest.raises(UsageError, match="does not exist"):
        cli.invoke(["ethics", "verify", "other.zip"])
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(GateError, match="not a complete bundle"):
        cli.invoke(["ethics", "verify", str(path)])


def test_both_pages_show_the_results(project, written):
    build.write(project / "conf", collect.read_outputs(project / "outputs"), project / "page.html")
    for page in (project / "page.html", written[0].with_name("audit.html")):
        text = page.read_text("utf-8")
        for message in (
            "3 of 5 checks passed or waived",
            "Failed checks that block the version: 1.",
            "not validated",
            ">insufficient evidence<",
            "Fix it.",
            "Waived until 2027-05-31 by Grace: new source in May",
            "Signed by Ada &lt;Lovelace&gt;, domain expert, on 2026-11-23: yes",
            "too few rows",
            "at most 0.3",
        ):
            assert message in text, message
    assert "f" * 64 in text


def test_results_of_an_earlier_run_are_not_shown(project):
    evidence.write(ethics(run_id="another"), project / "outputs/ethics/ethics.json")
    assert collect.read_outputs(project / "outputs").ethics is None
