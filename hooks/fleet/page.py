"""The page of `fleet status --html`: one file, no script, no request, readable on a phone."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import jinja2
from markupsafe import Markup

from hooks.fleet.rows import Row, gates_text, printable

# Well-formed XML as well as HTML, so that any tool can read it.
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"/>
<link rel="icon" href="data:,"/>
<title>Projects and their template</title>
<style>
:root { color-scheme: light dark; --line: #8884; --good: #137333; --warn: #8a5a00; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --good: #81c995; --warn: #fdd663; --bad: #f2b8b5 } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 90rem; padding: 1rem;
  background: Canvas; color: CanvasText; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid var(--line); min-width: 5.5rem; padding: .4rem .6rem;
  text-align: left; vertical-align: top }
ul { margin: 0; padding-left: 1.1rem }
small { display: block; opacity: .8 }
.current { color: var(--good) } .behind { color: var(--warn) } .hand, .failed { color: var(--bad) }
@media (max-width: 60rem) {
  thead { display: none }
  tr { border: 1px solid var(--line); border-radius: .5rem; display: block; margin-bottom: 1rem }
  th[scope=row], td { display: block }
  td::before { content: attr(data-label) ": "; font-weight: 600 }
  tr > :last-child { border-bottom: 0 }
}
</style>
</head>
<body>
<h1>Projects and their template</h1>
<p>{{ made }}. {{ rows | length }} projects: {{ summary }}.</p>
<table>
<thead><tr>{% for column in columns %}<th scope="col">{{ column }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in rows %}
<tr>
<th scope="row">{{ row.name | printable }}<small>{{ row.place | printable }}</small></th>
<td data-label="State"><strong class="{{ row.state.split()[-1] }}">{{ row.state }}</strong>
{%- if row.note %}<small>{{ row.note | printable }}</small>{% endif %}</td>
<td data-label="Version">{{ row.version | printable or "unknown" }}</td>
<td data-label="Newest">{{ row.newest | printable or "unknown" }}</td>
<td data-label="Drift">{{ files(row, row.drift) }}</td>
<td data-label="Conflicts of the update">{{ files(row, row.conflicts) }}</td>
<td data-label="Stage">{{ row.stage | printable or "unknown" }}</td>
<td data-label="Gates">{{ gates(row) | printable }}</td>
<td data-label="Owner">{{ row.team | printable or "unknown" }}
<small>{{ row.contact | printable }}</small></td>
</tr>
{% endfor %}
</tbody>
</table>
</body>
</html>
"""
FILES = """
{%- if row.state == "failed" %}unknown{% elif not names %}none{% else %}{{ names | length }}
<ul>{% for name in names %}<li>{{ name | printable }}</li>{% endfor %}</ul>{% endif %}"""
COLUMNS = (
    "Project",
    "State",
    "Version",
    "Newest",
    "Drift",
    "Conflicts of the update",
    "Stage",
    "Gates",
    "Owner",
)


def page(rows: Sequence[Row]) -> str:
    """The whole page; all text from projects is escaped."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["printable"] = printable
    names = environment.from_string(FILES)

    def files(row: Row, given: list[str]) -> Markup:
        return Markup(names.render(row=row, names=given))  # noqa: S704  autoescaped

    return environment.from_string(PAGE).render(
        made=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        rows=rows,
        columns=COLUMNS,
        summary=summary(rows),
        files=files,
        gates=gates_text,
    )


def summary(rows: Sequence[Row]) -> str:
    """The number of projects in each state."""
    counts = Counter(row.state for row in rows)
    return ", ".join(f"{number} {state}" for state, number in counts.most_common())
