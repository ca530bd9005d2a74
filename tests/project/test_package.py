"""The project as a wheel, installed where nothing else is."""

import zipfile
from collections.abc import Callable

from tests.conftest import Project


def test_the_wheel_works_alone(fresh_project: Callable[..., Project]) -> None:
    project = fresh_project({"project_name": "Credit Risk"})
    done = project.poe("package")
    [wheel] = (project.path / "dist").glob("*.whl")
    assert done.stdout.strip().splitlines()[-1] == f"dist/{wheel.name}"
    names = zipfile.ZipFile(wheel).namelist()
    assert {"credit_risk/model.py", "credit_risk/mlops/report/page.html"} <= set(names)


def test_a_wheel_that_lacks_a_package_is_refused(fresh_project: Callable[..., Project]) -> None:
    project = fresh_project({"project_name": "Credit Risk"})
    data = "src/credit_risk/data.py"
    # It is there for development, and nobody declared it for the package.
    project.write(data, project.read(data).replace("import pandas", "import pytest\nimport pandas"))
    assert "No module named 'pytest'" in project.poe("package", expect=1).stderr
    assert not project.has("dist")
