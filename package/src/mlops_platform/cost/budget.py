"""A month's budget: from which share of it people are told, of what is spent or foreseen."""

from __future__ import annotations

from typing import Literal

# The same as in infra/watch.tf, whose budget mails them: of what, and from how many hundredths.
NOTIFICATIONS = {
    "actual_80": ("Actual", 80),
    "actual_100": ("Actual", 100),
    "forecast_100": ("Forecasted", 100),
}


def reached(spent: float, forecast: float, budget: float) -> list[str]:
    """The notifications that a month has reached."""
    money: dict[str, float] = {"Actual": spent, "Forecasted": forecast}
    return [
        name
        for name, (kind, percent) in NOTIFICATIONS.items()
        if money[kind] >= budget * percent / 100
    ]


def judge(spent: float, forecast: float, budget: float) -> Literal["good", "warning", "bad"]:
    """Bad once all of it is spent, a warning before."""
    told = reached(spent, forecast, budget)
    return "bad" if "actual_100" in told else "warning" if told else "good"
