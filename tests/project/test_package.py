"""The project as a wheel, installed where nothing else is."""

import json
import zipfile
from collections.abc import Callable

from tests.conftest import Project


def test_the_wheel_works_alone(fresh_project: Callable[..., Project]) -> None:
    project = fresh_project({"project_name": "Credit Risk"})
    done = project.poe("package")
    wheel = "credit_risk-0.1.0-py3-none-any.whl"
    platform = next((project.path / "vendor").iterdir())
    assert done.stdout.splitlines()[-2:] == [f"dist/{wheel}", f"dist/{platform.name}"]
    assert json.loads(project.read("dist/sbom.cdx.json"))["bomFormat"] == "CycloneDX"
    made = zipfile.ZipFile(project.path / "dist" / wheel)
    assert "credit_risk/model.py" in made.namelist()
    metadata = made.read("credit_risk-0.1.0.dist-info/METADATA").decode()
    version = platform.name.split("-")[1]
    assert f"Requires-Dist: mlops-platform=={version}\n" in metadata
    assert (project.path / "dist" / platform.name).read_bytes() == platform.read_bytes()


def test_a_wheel_that_lacks_a_package_is_refused(fresh_project: Callable[..., Project]) -> None:
    project = fresh_project({"project_name": "Credit Risk"})
    data = "src/credit_risk/data.py"
    # It is there for development, and nobody declared it for the package.
    project.write(data, project.read(data).replace("import pandas", "import pytest\nimport pandas"))
    assert "No module named 'pytest'" in project.poe("package", expect=1).stderr
    assert not project.has("dist")
