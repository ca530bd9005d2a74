"""The dashboard's queries in Azure: each is bound to the tables as Microsoft lists them.

The real parser of Kusto does it, from npm and without Azure. A planted fault shows that it would be
seen.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.infra.conftest import EXAMPLE

PACKAGE = "@kusto/language-service-next@12.4.1"
SCRIPT = Path(__file__).with_name("kql.js")
TABLES = yaml.safe_load(Path(__file__).with_name("tables.yml").read_text())
FILLED = {"online": "credit-risk-prod", "budget": "500", "hour": "0.3"}


@pytest.fixture(scope="module")
def modules(tmp_path_factory) -> Path:
    """The parser, installed into a scratch folder."""
    if shutil.which("npm") is None and not os.environ.get("CI"):
        pytest.skip("npm is not there: `apt-get install npm`")
    folder = tmp_path_factory.mktemp("kusto")
    options = ["--no-audit", "--no-fund", "--silent", "--prefix", str(folder)]
    subprocess.run(["npm", "install", *options, PACKAGE], check=True, timeout=300)
    return folder / "node_modules"


def bind(modules: Path, queries: list[str]) -> list[list[str]]:
    """What is wrong with each query."""
    done = subprocess.run(
        ["node", str(SCRIPT)],
        input=json.dumps({"tables": TABLES, "queries": queries}),
        env=os.environ | {"NODE_PATH": str(modules)},
        capture_output=True,
        text=True,
        check=True,
    )
    said: list[list[str]] = json.loads(done.stdout)
    return said


def queries(limit: str) -> dict[str, str]:
    """The rendered workbook's queries by the name of their item, filled in as Terraform does."""

    def value(found: re.Match[str]) -> str:
        return limit if found[1].startswith("limits.") else FILLED[found[1]]

    text = (EXAMPLE / "infra" / "workbook.json.tftpl").read_text()
    items = json.loads(text.partition("\n")[2])["items"]
    return {
        item["name"]: re.sub(r"\$\{([\w.]+)\}", value, item["content"]["query"])
        for item in items
        if item["type"] == 3
    }


PLANTED = {
    "another column": ("MetricName ==", "Metric =="),
    "another table": ("AzureMetrics |", "AzureMetric |"),
    "another operator": ("| summarize", "| sumarize"),
    "another function": ("max(TimeGenerated)", "maximal(TimeGenerated)"),
    "a text for a number": ("Total > 0", 'Total > "none"'),
    "a bracket too few": ("round(Value, 2)", "round(Value, 2"),
}


def test_each_query_binds_and_each_planted_fault_is_seen(modules):
    with_limits, without = queries("0.8"), queries("null")
    sound = with_limits["progress-1"]
    for old, _ in PLANTED.values():
        assert sound.count(old) == 1, old
    faulty = [sound.replace(old, new) for old, new in PLANTED.values()]
    said = bind(modules, [*with_limits.values(), *without.values(), *faulty])
    count = 2 * len(with_limits)
    assert count >= 16
    for name, found in zip([*with_limits, *without], said[:count], strict=True):
        assert found == [], name
    for name, found in zip(PLANTED, said[count:], strict=True):
        assert found, name
