from collections.abc import Callable
from io import BytesIO

import pyarrow as pa
import pytest

from trailhouse.output import Format, write

Written = Callable[..., str]


@pytest.fixture
def text() -> Written:
    """Return a function that writes columns in a format and gives the text."""

    def written(form: Format, columns: dict[str, object] | pa.Table, **options: object) -> str:
        table = columns if isinstance(columns, pa.Table) else pa.table(columns)
        stream = BytesIO()
        result = write(table.to_reader(), form, stream, **options)  # type: ignore[arg-type]  # of several types
        assert result.rows == table.num_rows
        return stream.getvalue().decode()

    return written
