"""Alerts as rules of Prometheus, and their routes as a configuration of Alertmanager."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mlops_platform.alerts.config import Alert
from mlops_platform.alerts.runbook import PAGES, page_of
from mlops_platform.settings import Team

ON_CALL = "on-call"


def rules(project: str, alerts: Mapping[str, Alert], docs: Path) -> str:
    """A file of rules, for the scrape job that is named as the project; `docs` has its pages."""
    found = [
        {
            "alert": name,
            "expr": f"{alert.of.prometheus.replace('JOB', project)} > {alert.above:g}",
            "for": alert.lasting,
            "labels": {"project": project, "role": alert.role, "severity": alert.severity},
            "annotations": {
                "summary": f"{project}: {alert.of.words} is {{{{ $value }}}}",
                "runbook": f"docs/{(page_of(docs, name) or docs / PAGES[0]).name}, {name}",
            },
        }
        for name, alert in alerts.items()
        if alert.of.prometheus is not None
    ]
    return _dump({"groups": [{"name": project, "rules": found}]})


def routes(project: str, team: Team) -> str:
    """A configuration of Alertmanager: a page also goes to who is on call.

    Its mail server is that of the machine; whoever runs Alertmanager sets another one.
    """
    called = sorted({member.address for member in team.roles.values() if member.on_call})
    receivers = {ON_CALL: called} | {role: [each.address] for role, each in team.roles.items()}
    return _dump(
        {
            "global": {"smtp_smarthost": "localhost:25", "smtp_from": called[0]},
            "route": {
                "receiver": ON_CALL,
                "group_by": ["project", "alertname"],
                "routes": [
                    {
                        "matchers": [f'project="{project}"'],
                        "routes": [
                            # The first route that matches would be the last, without `continue`.
                            {
                                "matchers": ['severity="page"'],
                                "receiver": ON_CALL,
                                "continue": True,
                            },
                            *(
                                {"matchers": [f'role="{role}"'], "receiver": role}
                                for role in team.roles
                            ),
                        ],
                    }
                ],
            },
            "receivers": [
                {"name": name, "email_configs": [{"to": address} for address in addresses]}
                for name, addresses in receivers.items()
            ],
        }
    )


def _dump(content: Any) -> str:
    return yaml.safe_dump(content, sort_keys=False, width=1000)
