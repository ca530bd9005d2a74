"""The diagrams of docs/overview.md are drawn by Mermaid, in the fence of the project's service."""

import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page

from tests.project.test_report_in_browser import browser
from tests.rendering import render

__all__ = ["browser"]

MERMAID = "mermaid@11.12.0"
FENCES = {"github": ("```mermaid", "```"), "azure-devops": ("::: mermaid", ":::")}
ANSWERS = [
    {"ci": ci, "cloud": cloud, "serving": serving}
    for ci, cloud, serving in (
        ("github", "azureml", "both"),
        ("github", "none", "online"),
        ("azure-devops", "azureml", "batch"),
        ("azure-devops", "none", "both"),
    )
]


@pytest.fixture(scope="module")
def mermaid(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page in which Mermaid is loaded; the archive alone, as its file has all that it needs."""
    folder = tmp_path_factory.mktemp("mermaid")
    subprocess.run(["npm", "pack", "--silent", MERMAID], cwd=folder, check=True, timeout=300)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        found = archive.extractfile("package/dist/mermaid.min.js")
        assert found
        source = found.read().decode("utf-8")
    page = browser.new_page()
    page.set_content("<body></body>")
    page.add_script_tag(content=source)
    page.evaluate("mermaid.initialize({startOnLoad: false})")
    yield page
    page.close()


def drawn(page: Page, diagram: str) -> str:
    """The text of the picture; an error if Mermaid cannot draw it."""
    page.evaluate(
        "async text => {document.body.innerHTML = (await mermaid.render('picture', text)).svg}",
        diagram,
    )
    return page.inner_text("body")


@pytest.mark.parametrize("answers", ANSWERS, ids=lambda each: "-".join(each.values()))
def test_each_diagram_is_drawn(mermaid: Page, tmp_path: Path, answers: dict[str, str]) -> None:
    project = render({"project_name": "Credit Risk", **answers}, tmp_path / "project", small=True)
    text = (project / "docs" / "overview.md").read_text(encoding="utf-8")
    begin, end = FENCES[answers["ci"]]
    diagrams = re.findall(rf"^{begin}\n(.*?)^{end}$", text, re.MULTILINE | re.DOTALL)
    assert len(diagrams) == 3
    pictures = [drawn(mermaid, each) for each in diagrams]
    assert "champion" in pictures[0]
    assert ("staging" in pictures[1]) == (answers["cloud"] == "azureml")
    assert "its section of alerts.md" in pictures[2]


def test_a_planted_fault_is_seen(mermaid: Page) -> None:
    with pytest.raises(Error, match="Parse error"):
        drawn(mermaid, "graph LR\n  a[--> b")
