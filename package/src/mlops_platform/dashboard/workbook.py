"""The dashboard as a workbook of Azure Monitor: infra/workbook.json.tftpl, for Terraform.

Format: https://github.com/microsoft/Application-Insights-Workbooks
"""

from __future__ import annotations

import json
from typing import Any

from mlops_platform.cost.budget import NOTIFICATIONS
from mlops_platform.dashboard.tiles import TILES, Query, Tile

# A condition that is never met is the comment of a template of Terraform.
MANAGED = "%{ if false ~}Managed by the template: `copier update` changes it.%{ endif ~}"
LOGS = "microsoft.operationalinsights/workspaces"
ICONS = {"good": "success", "warning": "2", "bad": "4", "unknown": "question"}


def text() -> str:
    """The file, a line an item; the same table of tiles gives the same bytes."""
    lines = ",\n".join(json.dumps(item) for item in build())
    return f'{MANAGED}\n{{"version": "Notebook/1.0", "items": [\n{lines}\n]}}\n'


def build() -> list[dict[str, Any]]:
    """The items: a headline, and of each tile its title and the answers to its queries."""
    items = [_text("head", "# ${project}, ${environment}\n`uv run poe dashboard` shows the rest.")]
    for tile in TILES:
        items.append(_text(tile.name, f"## {tile.title}\n{tile.asks} {tile.elsewhere}".rstrip()))
        items += [_query(tile, number, query) for number, query in enumerate(tile.queries, 1)]
    return items


def kql(query: Query) -> str:
    """The whole query: the number, its limits, and the state that they make of it."""
    warning, bad = f"${{limits.{query.limits}.ticket}}", f"${{limits.{query.limits}.page}}"
    if query.limits == "budget":
        warning, bad = (f"{NOTIFICATIONS[name][1]} * real(${{budget}}) / 100" for name in TOLD)
    else:
        warning, bad = f"real({warning})", f"real({bad})"
    return (
        f"let Warning = {warning}; let Bad = {bad}; {query.kql} "
        '| extend State = case(isnull(Value), "unknown", Value > Bad, "bad", '
        'Value > Warning, "warning", isnull(Bad) and isnull(Warning), "unknown", "good") '
        "| project State, Value = round(Value, 2), Warning, Bad"
    )


TOLD = ("actual_80", "actual_100")


def _text(name: str, markdown: str) -> dict[str, Any]:
    return {"type": 1, "content": {"json": markdown}, "name": name}


def _query(tile: Tile, number: int, query: Query) -> dict[str, Any]:
    icons = [
        {"operator": "==", "thresholdValue": word, "representation": icon, "text": "{0}{1}"}
        for word, icon in ICONS.items()
    ]
    icons.append({"operator": "Default", "representation": "question", "text": "{0}{1}"})
    options = {"thresholdsOptions": "icons", "thresholdsGrid": icons}
    formatter = {"columnMatch": "State", "formatter": 18, "formatOptions": options}
    content = {
        "version": "KqlItem/1.0",
        "query": kql(query),
        "size": 4,
        "title": query.title,
        "noDataMessage": "unknown: nothing is in the logs",
        "queryType": 0,
        "resourceType": LOGS,
        "crossComponentResources": ["${logs}"],
        "visualization": "table",
        "gridSettings": {"formatters": [formatter]},
    }
    return {"type": 3, "content": content, "customWidth": "50", "name": f"{tile.name}-{number}"}
