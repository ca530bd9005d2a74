"""The page /docs: how to ask for a prediction, without a script or anything from another host."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from typing import Any

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "pre{background:#f3f3f3;padding:1rem;overflow:auto}"
    "th,td{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}"
)
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
RULES = {  # of JSON schema -> as a person reads them
    "enum": "one of",
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
    "maxLength": "length at most",
    "pattern": "pattern",
}


def render(openapi: dict[str, Any], protected: bool) -> str:
    """The page as HTML.

    Args:
        openapi: the content of /openapi.json.
        protected: whether requests need the key.
    """
    info = openapi["info"]
    body = openapi["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]
    row = body["schema"]["properties"]["rows"]["items"]
    key = " -H 'Authorization: Bearer KEY'" if protected else ""
    example = json.dumps(body["schema"]["example"], indent=2)
    title = escape(f"{info['title']} {info['version']}")
    paths = [
        [f"{method.upper()} {path}", operation["summary"], ", ".join(operation["responses"])]
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
    ]
    fields = [
        [name, "yes" if name in row.get("required", ()) else "no", _kind(field)]
        for name, field in row["properties"].items()
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><main><h1>{title}</h1><p>{escape(info['description'])}</p>"
        '<h2>A request</h2><pre tabindex="0">'
        f"curl{escape(key)} -H 'Content-Type: application/json' --data @rows.json ADDRESS/score"
        "</pre><p>rows.json:</p>"
        f'<pre tabindex="0">{escape(example)}</pre>'
        f"<h2>Fields of a row</h2>{_table(['Field', 'Required', 'Value'], fields)}"
        f"<h2>Paths</h2>{_table(['Path', 'What', 'Answers'], paths)}"
        '<p>All of it for machines: <a href="openapi.json">openapi.json</a></p>'
        "</main></body></html>"
    )


def _kind(field: dict[str, Any]) -> str:
    """The type of a field and its limits in words."""
    if "anyOf" in field:
        return " or ".join(_kind(one) for one in field["anyOf"])
    limits = [f"{word} {_plain(field[rule])}" for rule, word in RULES.items() if rule in field]
    return ", ".join([str(field.get("type", "")).replace("null", "missing"), *limits]).strip(", ")


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _table(head: list[str], rows: list[list[str]]) -> str:
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
