"""The endpoint's log: a JSON object a line, on standard output, without a value of a request.

Only the messages of this package and of the HTTP server are written: they quote no request. Of
what other code says, a line tells the place and not the text, which may quote a row.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

QUOTE_NOTHING = ("mlops_platform", "uvicorn")
FIELDS = "fields"  # of a record: what its line tells besides its message


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line: time, level, logger, message or place, and the record's own fields."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name.split(".")[0] in QUOTE_NOTHING:
            line["message"] = record.getMessage().strip()
        else:
            line["message"] = f"{record.filename}:{record.lineno} in {record.funcName}"
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__  # its text may quote a value
        return json.dumps(line | getattr(record, FIELDS, {}))


def start() -> None:
    """Send all logs to standard output, and warnings with them."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("mlops_platform").setLevel(logging.INFO)
    logging.captureWarnings(True)
