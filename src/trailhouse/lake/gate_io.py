"""PyIceberg's way to files, through the gate: metadata and footers of Parquet files in S3."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Self

from pyiceberg.io import FileIO, InputFile, OutputFile

from trailhouse.errors import NotFoundError

if TYPE_CHECKING:
    from trailhouse.lake.s3_files import ObjectFile, S3Files


class GateIO(FileIO):
    """Objects in S3, each read and written whole or by ranges with our own clients."""

    def __init__(self, files: S3Files) -> None:
        super().__init__()
        self._files = files

    def new_input(self, location: str) -> Input:
        """An object to read."""
        return Input(self._files, location)

    def new_output(self, location: str) -> Output:
        """An object to write."""
        return Output(self._files, location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Delete an object, if it is there."""
        self._files.remove([location if isinstance(location, str) else location.location])


class Input(InputFile):
    """An object to read."""

    def __init__(self, files: S3Files, location: str) -> None:
        super().__init__(location)
        self._files = files
        self._size = -1

    def __len__(self) -> int:
        if self._size < 0:
            self.open()
        return self._size

    def exists(self) -> bool:
        """Whether it is there."""
        try:
            self.open()
        except FileNotFoundError:
            return False
        return True

    def open(self, seekable: bool = True) -> ObjectFile:  # noqa: ARG002, FBT001, FBT002 - as the library has it
        """The object; raises FileNotFoundError, which the library understands, or AwsError."""
        try:
            found = self._files.open(self.location)
        except NotFoundError as error:
            raise FileNotFoundError(str(error)) from error
        self._size = len(found)
        return found


class Output(OutputFile):
    """An object to write."""

    def __init__(self, files: S3Files, location: str) -> None:
        super().__init__(location)
        self._files = files
        self.size = -1

    def __len__(self) -> int:
        return self.size if self.size >= 0 else len(self.to_input_file())

    def exists(self) -> bool:
        """Whether it is there."""
        return self.to_input_file().exists()

    def to_input_file(self) -> Input:
        """What was written."""
        return Input(self._files, self.location)

    def create(self, overwrite: bool = False) -> Pending:  # noqa: ARG002, FBT001, FBT002 - as the library has it
        """A stream whose bytes are stored when it is closed; every name holds a random part and is free."""
        return Pending(self, self._files)


class Pending(io.BytesIO):
    """Bytes on their way to an object."""

    def __init__(self, output: Output, files: S3Files) -> None:
        super().__init__()
        self._output = output
        self._files = files

    def __enter__(self) -> Self:
        return self

    def close(self) -> None:
        """Store what was written. Raises AwsError."""
        if self.closed:
            return
        content = self.getvalue()
        super().close()
        self._files.put(self._output.location, content)
        self._output.size = len(content)
