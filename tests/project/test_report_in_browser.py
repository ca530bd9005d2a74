"""The pages in a real browser: they fetch nothing, complain of nothing, and fit every screen.

axe-core looks for what keeps people out who cannot see or point well.

Needs Debian's Chromium. Where there is none the tests are skipped, but in CI they fail.
"""

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from mlops_platform import settings
from mlops_platform.report import card, deck
from mlops_platform.report.collect import Run
from playwright.sync_api import Browser, sync_playwright

from tests.conftest import Project
from tests.project import axe
from tests.rendering import ROOT

CHROMIUM = Path("/usr/bin/chromium")
ANSWERS = [
    {"project_name": "Credit Risk"},
    {"project_name": "Energy Demand", "task": "regression"},
]
PICTURES = """
Array.from(document.querySelectorAll("svg, img"), each => {
  const box = each.getBoundingClientRect();
  const loaded = each.tagName !== "IMG" || each.naturalWidth > 0;
  const seen = loaded && each.checkVisibility({ visibilityProperty: true });
  return {
    start: each.outerHTML.slice(0, 80),
    seen: seen && Math.min(box.width, box.height) >= 5,
  };
})
"""
# Words that a line breaks, and slides whose list reaches the number at their end.
BROKEN = """
terms => terms.flatMap(term => [...term.firstChild.data.matchAll(/\\S+/g)].filter(word => {
  const range = document.createRange();
  range.setStart(term.firstChild, word.index);
  range.setEnd(term.firstChild, word.index + word[0].length);
  return range.getClientRects().length > 1;
}).map(word => word[0]))
"""
COVERED = """
slides => slides.filter(slide => {
  const list = slide.querySelector("dl, ol");
  const end = slide.querySelector(".number").getBoundingClientRect().top;
  return list && list.getBoundingClientRect().bottom > end;
}).map(slide => slide.innerText.slice(0, 40))
"""
SCREENS = [(width, scheme) for width in (375, 1200) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        message = f"{CHROMIUM} is not there: `apt-get install chromium`"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


def faults(browser: Browser, path: Path, *, width: int, scheme: str) -> list[str]:
    """Everything that is wrong with a page on a screen of this width and colour scheme."""
    found: list[str] = []

    def asked(url: str) -> None:
        if not url.startswith(("file://", "data:")):
            found.append(f"request: {url}")

    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True
    )
    page = context.new_page()
    page.on("request", lambda request: asked(request.url))
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on(
        "console",
        lambda message: (
            found.append(f"console: {message.text}")
            if message.type in ("error", "warning")
            else None
        ),
    )
    page.goto(path.as_uri(), wait_until="load")
    pictures = page.evaluate(PICTURES)
    if not pictures:
        found.append("no picture")
    found += [f"invisible: {each['start']}" for each in pictures if not each["seen"]]
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if wide > 0:
        found.append(f"{wide} px too wide")
    ink, ground = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    if (_light(ground) > _light(ink)) != (scheme == "light"):
        found.append(f"{ink} on {ground} is not the {scheme} scheme")
    context.close()
    return found


def _light(colour: str) -> float:
    """The mean of red, green and blue in `rgb(r, g, b)`."""
    parts = colour[colour.index("(") + 1 : -1].split(",")[:3]
    return sum(map(float, parts)) / 3


@pytest.fixture(scope="module")
def reports(trained_copy, tmp_path_factory) -> dict[str, Path]:
    """Pages of real runs: first models of both kinds, one with drift, one that stopped.

    Beside the two first, what their ethics are: in the report, and on the auditor's page; and what
    their data is.
    """
    kept = tmp_path_factory.mktemp("pages")
    pages: dict[str, Path] = {}

    def keep(project: Project, page: str, name: str) -> None:
        pages[name] = Path(shutil.copy(project.path / page, kept / f"{name}.html"))

    for answers in ANSWERS:
        project = trained_copy(answers, tmp_path_factory.mktemp("report") / "project")
        name = project.yaml("conf/project.yml")["name"]
        keep(project, f"{project.last()}/report/report/report.html", name)
        project.poe("ethics")
        keep(project, "outputs/report.html", f"{name}-ethics")
        keep(project, "outputs/ethics/audit.html", f"{name}-audit")
        target = "outcome" if name == "credit-risk" else "kwh"
        project.poe("data-draft", "data/raw", "--target", target)
        keep(project, "outputs/data-profile.html", f"{name}-data")
        if name == "credit-risk":
            project.poe("promote")
            drifted = ["outputs/drifted.csv", "--drift", "1", "--seed", "3", "--rows", "1000"]
            project.run("uv", "run", "python", "-m", "credit_risk.sample", *drifted)
            project.poe("monitor", "--current", drifted[0], expect=1)
            project.poe("report")
            keep(project, "outputs/report.html", "drifted")
            raw = project.path / "data/raw/credit.csv"
            raw.write_text("".join(raw.read_text().splitlines(keepends=True)[:20]))
            project.poe("pipeline", expect=1)
            project.poe("report")
            keep(project, "outputs/report.html", "stopped")
            project.poe("dashboard")
            keep(project, "outputs/dashboard.html", "dashboard")
    return pages


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_reports_of_real_runs(browser, reports, width, scheme):
    assert "columns drifted" in reports["drifted"].read_text("utf-8")
    assert "Stopped at validate" in reports["stopped"].read_text("utf-8")
    for name in ("credit-risk-ethics", "credit-risk-audit", "energy-demand-audit"):
        assert "checks pass" in reports[name].read_text("utf-8"), name
    for name, page in reports.items():
        assert faults(browser, page, width=width, scheme=scheme) == [], name


PLANTED = {
    "request: https://example.com/x.png": '<img src="https://example.com/x.png">',
    "console: broken": "<script>console.error('broken')</script>",
    "console: careful": "<script>console.warn('careful')</script>",
    "error: ": "<script>throw new Error('x')</script>",
    "invisible: <svg": '<svg width="9" height="9" style="display: none"></svg>',
    "invisible: <svg style": '<svg style="visibility: hidden" width="9" height="9"></svg>',
    'invisible: <svg width="4"': '<svg width="4" height="9"></svg>',
    "invisible: <img": '<img src="data:image/png;base64,broken" width="9" height="9">',
    "px too wide": '<div style="width: 3000px">x</div>',
}


@pytest.mark.parametrize("fault", PLANTED)
def test_the_checker_sees_planted_faults(browser, tmp_path, fault):
    page = tmp_path / "page.html"
    sound = (
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        "<style>:root { color-scheme: light dark } body { background: Canvas }</style>"
        '<svg width="9" height="9"></svg>'
    )
    page.write_text(f"<!DOCTYPE html>{sound}", encoding="utf-8")
    assert faults(browser, page, width=375, scheme="dark") == []
    page.write_text(f"<!DOCTYPE html>{sound}{PLANTED[fault]}", encoding="utf-8")
    found = faults(browser, page, width=375, scheme="dark")
    assert any(fault in each for each in found), found


def test_the_checker_sees_a_page_without_a_dark_scheme(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<!DOCTYPE html><link rel="icon" href="data:,"><svg width="9" height="9"></svg>'
        "<style>body { color: black; background: white }</style>",
        encoding="utf-8",
    )
    assert faults(browser, page, width=375, scheme="light") == []
    assert "is not the dark scheme" in faults(browser, page, width=375, scheme="dark")[0]


# ---------------------------------------------------------------- for everybody


@pytest.fixture(scope="module")
def axe_core(tmp_path_factory) -> str:
    """The source of axe-core."""
    if shutil.which("npm") is None and not os.environ.get("CI"):
        pytest.skip("npm is not there: `apt-get install npm`")
    return axe.install(tmp_path_factory.mktemp("axe"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_keeps_people_out(browser, reports, axe_core, scheme):
    for name, page in reports.items():
        assert axe.faults(browser, page, axe_core, scheme=scheme) == [], name


BARRIERS = {
    "image-alt": '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">',
    "color-contrast": '<p style="color: #bbb; background: #fff">Hard to read.</p>',
    "button-name": "<details><summary>More</summary><button></button></details>",
    "request: https://example.com": '<img alt="x" src="https://example.com/x.png">',
    "console: broken": "<script>console.error('broken')</script>",
}


@pytest.mark.parametrize("barrier", BARRIERS)
def test_the_checker_sees_planted_barriers(browser, reports, axe_core, tmp_path, barrier):
    sound = reports["credit-risk-audit"].read_text("utf-8")
    page = tmp_path / "page.html"
    page.write_text(sound.replace("<main>", f"<main>{BARRIERS[barrier]}"), encoding="utf-8")
    found = axe.faults(browser, page, axe_core, scheme="light")
    assert any(fault.startswith(barrier) for fault in found), found


def test_slides_on_a_telephone_break_no_word_and_cover_no_number(
    browser: Browser, tmp_path: Path
) -> None:
    lines = [("a thousand predictions, batch", "no batch is recorded")] * 12
    path = tmp_path / "deck.html"
    found = deck.Facts(
        project=settings.load_project(ROOT / "examples" / "credit-risk" / "conf"),
        texts=card.Fields(),
        run=Run(),
        tiles=[],
        steps=["validate", "train"],
        prices=lines,
        stage="explore",
        criteria=[],
        maturity="Maturity level 0 of 4",
        today=date(2026, 5, 8),
    )
    path.write_text(deck.render(found), encoding="utf-8")
    page = browser.new_page(viewport={"width": 375, "height": 700})
    page.goto(path.as_uri())
    assert page.locator("dt").count() > 12
    assert page.eval_on_selector_all("dt", BROKEN) == []
    assert page.eval_on_selector_all("section", COVERED) == []
    page.close()
