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
├── AwsError                    AWS refused or failed; carries code, operation, resource
│   ├── AccessDeniedError       a permission is missing; names action and resource
│   ├── CredentialsError        there are none, or they have expired
│   ├── NotFoundError           there is no such thing
│   ├── ConflictError           it exists already, or somebody else changed it
│   ├── ThrottledError          too many requests, after all retries
│   └── LimitError              more than AWS takes
├── EngineError                 Trino failed, or cannot be reached
├── CatalogError                a catalog that must not be touched: newer, foreign
│   ├── StalePlanError          the catalog changed after the plan was made
│   └── PlanRefusedError        a plan that would do too much
├── DeploymentError             the nightly run cannot be deployed or removed: its package, its stack
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


class AwsError(TrailhouseError):
    """AWS refused or failed, or could not be reached.

    Attributes:
        code: AWS's own word for it, such as `EntityNotFoundException`; or the local error's class.
        operation: what was called, such as `glue GetTable`.
        resource: ARN or name of what it was about; "" where nothing is known.
    """

    def __init__(self, message: str, *, code: str = "", operation: str = "", resource: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.operation = operation
        self.resource = resource


class AccessDeniedError(AwsError):
    """A permission is missing. The message names the action, the resource and the policy that grants it."""


class CredentialsError(AwsError):
    """There are no credentials, or AWS does not take them (any more)."""


class NotFoundError(AwsError):
    """There is no such thing in AWS."""


class ConflictError(AwsError):
    """It exists already, is of another version, or somebody else is changing it."""


class ThrottledError(AwsError):
    """AWS asked for fewer requests until the retries were used up."""


class LimitError(AwsError):
    """More, or larger, than AWS takes."""


class EngineError(TrailhouseError):
    """An engine that is no service of AWS failed, or cannot be reached."""


class CatalogError(TrailhouseError):
    """A catalog that must not be touched: of a newer version, or not ours."""


class StalePlanError(CatalogError):
    """The catalog is not as it was when the plan was made."""


class PlanRefusedError(CatalogError):
    """A plan that would do more than it may without being told so."""


class DeploymentError(TrailhouseError):
    """The nightly run cannot be deployed or removed: its package cannot be made, or its stack failed."""


class DiskError(TrailhouseError):
    """There is not enough room in the working folder."""


class OutputError(TrailhouseError):
    """A result cannot be written."""
