"""How raw data is written: `source` in conf/data.yml, for training, batch and monitor alike."""

from __future__ import annotations

import codecs
import re
from datetime import date, datetime
from typing import Literal

from pydantic import Field, model_validator

from mlops_platform.settings import Settings

Format = Literal["csv", "parquet", "sql"]
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PROBE = date(2024, 5, 4)


class Source(Settings):
    """How files are written. Without a field: CSV with commas and points, in UTF-8.

    `decimal` and `date_format` say how text is read as a number or a date; `missing` are texts
    that stand for a missing value, besides an empty one. `compression` is known by a file's name
    (`.gz`, `.bz2`, `.xz`, `.zst`) unless it is given. `url` is the name of the environment
    variable with a database's SQLAlchemy URL: it may hold a password, so no file has it.
    """

    format: Format = "csv"
    separator: str = ","
    decimal: Literal[".", ","] = "."
    encoding: str = "utf-8"
    date_format: str | None = None
    missing: list[str] = Field(default_factory=list)
    compression: Literal["gzip", "bz2", "xz", "zstd", "none"] | None = None
    url: str | None = None
    table: str | None = None
    query: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Source:
        if len(self.separator) != 1 or self.separator in '"\r\n':
            raise ValueError('`separator` must be one character, such as ";" or "\\t"')
        if self.separator == self.decimal == ",":
            raise ValueError("`separator` and `decimal` are both a comma; write the file's own")
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            raise ValueError("`encoding` is not known to Python; write utf-8 or latin-1") from None
        if self.date_format is not None:
            _require_clear(self.date_format)
        if self.url is not None and not VARIABLE.fullmatch(self.url):
            raise ValueError(
                "`url` must be the name of an environment variable, such as DATABASE_URL; keep "
                "the URL itself, with its password, out of the file"
            )
        if (self.format == "sql") != (self.url is not None):
            raise ValueError("`format: sql` needs `url`, and only a database has one")
        if (self.table is not None or self.query is not None) and self.format != "sql":
            raise ValueError("`table` and `query` need `format: sql`")
        if self.table is not None and self.query is not None:
            raise ValueError("give one of `table` and `query`")
        return self


PLAIN = Source()


def _require_clear(written: str) -> None:
    """Refuse a format that does not tell a day, a month and a year."""
    try:
        text = PROBE.strftime(written)
        read = datetime.strptime(text, written)
    except ValueError:
        read = None
    if read is None or read.date() != PROBE:
        raise ValueError('`date_format` must have day, month and year, such as "%d.%m.%Y"')
