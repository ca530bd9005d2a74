"""axe-core, pinned, from npm: what is wrong with a page for people who cannot see or point well."""

import subprocess
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

PACKAGE = "axe-core@4.14.1"
BLOCKING = ("serious", "critical")


def install(folder: Path) -> str:
    """The source of axe-core, installed into a scratch folder."""
    options = ["--no-audit", "--no-fund", "--silent", "--prefix", str(folder)]
    subprocess.run(["npm", "install", *options, PACKAGE], check=True, timeout=300)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def faults(browser: Browser, page: Path, source: str, *, scheme: Any) -> list[str]:
    """Serious and critical faults, all details open; requests and errors count, too."""
    context = browser.new_context(
        viewport={"width": 1200, "height": 900}, color_scheme=scheme, offline=True
    )
    opened, found = context.new_page(), []
    opened.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("file://", "data:"))
            else found.append(f"request: {request.url}")
        ),
    )
    opened.on("pageerror", lambda error: found.append(f"error: {error}"))
    opened.on(
        "console",
        lambda message: (
            found.append(f"console: {message.text}") if message.type == "error" else None
        ),
    )
    opened.goto(page.as_uri(), wait_until="load")
    opened.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    opened.evaluate(source)
    # Of what passes it describes one element in each rule, not all: half the time.
    result = opened.evaluate("axe.run({resultTypes: ['violations']})")
    if not result["passes"]:
        found.append("axe-core looked at nothing")
    found += [
        f"{fault['id']}: {node['target']} {node['html'][:100]}"
        for fault in result["violations"]
        if fault["impact"] in BLOCKING
        for node in fault["nodes"]
    ]
    context.close()
    return found
