"""Every error that trailhouse raises on purpose.

TrailhouseError                 root; `exit_code` is what the command line returns
├── UsageError            (64)  the call itself is off: flags, parameters
│   ├── ConfigError             a configuration value is wrong; carries every fault found
│   └── SourceError             a source cannot be used: missing, overlapping, encrypted, a bomb
├── SqlError                    a statement is wrong; carries the place and the nearest names
│   └── UnsupportedSqlError     a function or form outside the tested dialect, by name
├── StorageError                reading a source failed
├── LakeError                   the local lake cannot be used as it is
│   └── ChangedObjectError      an object changed under a name that was already taken in
├── DiskError                   not enough room in the working folder
└── OutputError                 a result cannot be written
"""


class TrailhouseError(Exception):
    """Root of the tree. The message names the thing and the next step."""

    exit_code = 1


class UsageError(TrailhouseError):
    """The call itself is off."""

    exit_code = 64


class ConfigError(UsageError):
    """One or more configuration values are wrong; the message lists all of them."""


class SourceError(UsageError):
    """A source cannot be used: missing, overlapping, encrypted, not readable."""


class SqlError(TrailhouseError):
    """A SQL statement is wrong. The message shows the place and the nearest names."""


class UnsupportedSqlError(SqlError):
    """A function or form that the local engine does not answer exactly as Athena does."""


class StorageError(TrailhouseError):
    """Reading a source failed."""


class LakeError(TrailhouseError):
    """The lake cannot be used as it is."""


class ChangedObjectError(LakeError):
    """An object's content changed under a name that was already taken in."""


class DiskError(TrailhouseError):
    """There is not enough room in the working folder."""


class OutputError(TrailhouseError):
    """A result cannot be written."""
