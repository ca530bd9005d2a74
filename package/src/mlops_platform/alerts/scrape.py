"""Reads the metrics of a running endpoint."""

from __future__ import annotations

import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from mlops_platform.core.errors import UsageError

TIMEOUT = 10  # seconds
SCORE = "/score"


class Counters(NamedTuple):
    """What /score has counted: requests by status, and answers within so many seconds.

    And all seconds that answers took, with all rows that were scored; and the version that serves.
    """

    requests: Mapping[str, float]
    within: Mapping[float, float]
    seconds: float = 0
    rows: float = 0
    version: str = ""


def read(url: str) -> Counters | None:
    """The counters of the endpoint at a URL; None if it does not answer.

    Raises:
        UsageError: the URL is none, the key is wrong, or what answers is no endpoint of a project.
    """
    if not _is_address(url):
        raise UsageError(f"--url {url}: is no address. Write http://127.0.0.1:8000, for example.")
    address = url.rstrip("/") + "/metrics"
    request = urllib.request.Request(address)  # noqa: S310  http or https
    if key := os.environ.get("MLOPS_SERVE_KEY"):
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            return None
        hint = " Set MLOPS_SERVE_KEY to the endpoint's key." if error.code == 401 else ""
        raise UsageError(f"{address}: answers {error.code} {error.reason}.{hint}") from None
    except (OSError, ValueError):
        return None
    return parse(text, address)


def _is_address(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # half an IPv6 address, or a port above 65535
        return False


def parse(text: str, address: str) -> Counters:
    """The counters in what an endpoint at this address shows."""
    requests: dict[str, float] = {}
    within: dict[float, float] = {}
    version, seconds, rows = None, 0.0, 0.0
    for name, labels, value in _samples(text, address):
        version = labels.get("version", "") if name == "mlops_model" else version
        rows += value if name == "mlops_rows_scored_total" else 0
        if labels.get("path") != SCORE:
            continue
        if name == "mlops_requests_total":
            requests[labels["status"]] = value
        elif name == "mlops_request_seconds_bucket":
            within[float(labels["le"])] = value
        elif name == "mlops_request_seconds_sum":
            seconds += value
    if version is None:
        raise UsageError(f"{address}: is no endpoint of a project: it has no metric `mlops_model`.")
    return Counters(requests, within, seconds, rows, version)


def _samples(text: str, address: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                yield sample.name, sample.labels, sample.value
    except ValueError as error:
        raise UsageError(f"{address}: is not in Prometheus' format ({error}).") from None
