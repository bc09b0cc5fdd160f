"""The rows of an answer, whatever engine they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    import pyarrow as pa

    from trailhouse.dialect import Statement


class Result:
    """Rows of an answer: take them once, as Arrow, as pandas, or one by one."""

    def __init__(self, statement: Statement, reader: pa.RecordBatchReader) -> None:
        self.statement = statement
        self.reader = reader

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self.reader.schema.names)

    def arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        return self.reader.read_all()

    def df(self) -> pd.DataFrame:
        """All rows as a pandas data frame (needs the extra `df`)."""
        frame: pd.DataFrame = self.arrow().to_pandas()
        return frame

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self.reader:
            yield from batch.to_pylist()
