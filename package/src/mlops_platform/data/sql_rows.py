"""Reads rows of a database in chunks, with SQLAlchemy."""

# ruff: noqa: PLC0415  SQLAlchemy takes a while to import, and files do not need it

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlops_platform.core.errors import UsageError
from mlops_platform.data.source import Source

if TYPE_CHECKING:
    import pandas as pd


def columns(query: str | None, source: Source) -> list[str]:
    """The names of the columns of a query, or of the table or query of `source`."""
    with _result(query, source) as result:
        return [str(name) for name in result.keys()]  # noqa: SIM118  it is no dictionary


def frames(query: str | None, source: Source, size: int) -> Iterator[pd.DataFrame]:
    """The rows, `size` at a time, in the types of the database's driver."""
    import pandas as pd

    with _result(query, source) as result:
        names = [str(name) for name in result.keys()]  # noqa: SIM118
        for rows in result.partitions(size):
            yield pd.DataFrame(map(tuple, rows), columns=names, dtype=object)


@contextmanager
def _result(query: str | None, source: Source) -> Iterator[Any]:
    """The result of the query.

    Raises:
        UsageError: no URL, no driver, or a query that fails; without the URL.
    """
    import sqlalchemy as sa

    field = "conf/data.yml, field `source"
    if source.url is None:
        raise UsageError(
            f"{field}`: a query needs a database. Write `format: sql` and `url`, the name of the "
            "environment variable that has its SQLAlchemy URL."
        )
    url = os.environ.get(source.url)
    if not url:
        raise UsageError(
            f"{field}.url`: the environment variable {source.url} is not set. Set it to the "
            "SQLAlchemy URL of the database, such as sqlite:///loans.db."
        )
    try:
        engine = sa.create_engine(url)
    except (sa.exc.NoSuchModuleError, ImportError) as error:
        raise UsageError(
            f"{field}.url`: {source.url} needs a driver that is not installed ({error}). Add it: "
            "`uv add --group team PACKAGE`, for example psycopg for postgresql+psycopg."
        ) from None
    except sa.exc.ArgumentError:
        raise UsageError(
            f"{field}.url`: {source.url} holds no SQLAlchemy URL, such as "
            "postgresql+psycopg://user:password@host/database."
        ) from None
    statement = _statement(query, source, sa)
    try:
        with (
            engine.connect() as connection,
            connection.execution_options(stream_results=True).execute(statement) as result,
        ):
            yield result
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        asked = f"`table: {source.table}`" if query is None and source.table else "the query"
        raise UsageError(f"{field}`: {asked} of {source.url} failed: {reason}.") from None
    finally:
        engine.dispose()


def _statement(query: str | None, source: Source, sa: Any) -> Any:
    """The query of a file, or of the settings, or all of a table, which may have a schema."""
    if text := query or source.query:
        return sa.text(text)
    if source.table is None:
        raise UsageError(
            "conf/data.yml, field `source`: give `table` or `query`, or a folder with a .sql file."
        )
    schema, _, table = source.table.rpartition(".")
    return sa.select(sa.text("*")).select_from(sa.table(table, schema=schema or None))
