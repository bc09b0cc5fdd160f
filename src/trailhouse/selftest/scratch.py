"""The scratch place of a run: a database and a prefix of its own, claimed first, removed at the end.

Nothing that was there before is touched: the database must not exist, the prefix must be empty, and both carry
the run's token, which is looked for again before anything is removed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trailhouse.core.policy import SCRATCH_DATABASE, SCRATCH_PREFIX
from trailhouse.errors import CatalogError, NotFoundError, TrailhouseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trailhouse.aws.gate import Gate

MARK = "trailhouse.selftest"
"""Parameter of the database whose value is the run's token."""
MARKER = "selftest.json"
"""The first object of the prefix; it holds the token."""

_TOKEN = re.compile(r"[a-z0-9]{6,32}")
_WORD = re.compile(r"(?<!\$)\{([a-z_0-9]+)\}")
_BATCH = 1_000
_TABLES = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run works.

    Attributes:
        bucket: that exists already, of the caller's.
        token: of the run, random: lower case letters and digits.
        owner: account that has to own the bucket, or "".
    """

    bucket: str
    token: str
    owner: str = ""

    def __post_init__(self) -> None:
        """Check the token. Raises UsageError."""
        if not _TOKEN.fullmatch(self.token):
            raise UsageError(
                f"the token {self.token!r} of a self-test is 6 to 32 lower case letters or digits"
            )

    @property
    def database(self) -> str:
        """The scratch database."""
        return f"{SCRATCH_DATABASE}_{self.token}"

    @property
    def prefix(self) -> str:
        """The scratch prefix of keys, one slash at its end."""
        return f"{SCRATCH_PREFIX}{self.token}/"

    @property
    def owned(self) -> dict[str, str]:
        """What calls about the bucket carry besides their own."""
        return {"ExpectedBucketOwner": self.owner} if self.owner else {}


@dataclass(frozen=True, slots=True)
class Words:
    """What fills in `{word}` in a declaration; `${word}` is left alone, it is Athena's."""

    known: Mapping[str, str]

    def __call__(self, text: str) -> str:
        """The text with its words. Raises LookupError for one that nobody knows."""
        return _WORD.sub(lambda match: self.known[match[1]], text)


@dataclass(slots=True)
class Left:
    """What could not be removed, in sentences."""

    things: list[str] = field(default_factory=list)


class Scratch:
    """The scratch place in AWS.

    Attributes:
        claimed: whether anything of it was, or may have been, made.
    """

    def __init__(self, gate: Gate, place: Place) -> None:
        """Make no call."""
        self._gate = gate
        self.place = place
        self.claimed = False
        self.versioned = 0

    def claim(self) -> None:
        """Make database and prefix.

        Raises:
            CatalogError: something is there already; nothing was made then.
            AwsError: AWS refused.
        """
        place = self.place
        if self._database() is not None:
            raise CatalogError(
                f"database {place.database} exists: a self-test touches nothing that is there; run it again, "
                "it takes another name"
            )
        if next(self._keys(), None) is not None:
            raise CatalogError(
                f"s3://{place.bucket}/{place.prefix} is not empty: a self-test touches nothing that is there"
            )
        self.claimed = True
        about = "Made by `trailhouse selftest`, which removes it; left over, it can be deleted"
        self._gate.call(
            "s3", "PutObject", Bucket=place.bucket, Key=f"{place.prefix}{MARKER}", IfNoneMatch="*",
            Body=json.dumps({MARK: place.token, "about": about}).encode(), **place.owned,
        )  # fmt: skip
        self._gate.call(
            "glue",
            "CreateDatabase",
            DatabaseInput={"Name": place.database, "Description": about, "Parameters": {MARK: place.token}},
        )

    def put(self, key: str, body: bytes, storage_class: str = "STANDARD") -> None:
        """Write an object below the prefix. Raises AwsError."""
        more = {} if storage_class == "STANDARD" else {"StorageClass": storage_class}
        answer = self._gate.call(
            "s3", "PutObject", Bucket=self.place.bucket, Key=self.place.prefix + key, Body=body,
            **more, **self.place.owned,
        )  # fmt: skip
        self.versioned += bool(answer.get("VersionId"))

    def remove(self) -> Left:
        """Remove everything; what could not be removed. Does nothing where nothing was claimed."""
        left = Left()
        if not self.claimed:
            return left
        for what, step in (("database", self._drop_database), ("objects", self._delete_objects)):
            try:
                step(left)
            except TrailhouseError as error:
                where = self.place.database if what == "database" else self._address
                left.things.append(f"{what} {where}: {error}")
        if self.versioned:
            left.things.append(
                f"the bucket keeps versions: old versions of what was removed stay below {self._address} until a "
                "lifecycle rule takes them"
            )
        return left

    @property
    def _address(self) -> str:
        return f"s3://{self.place.bucket}/{self.place.prefix}"

    def _database(self) -> Mapping[str, str] | None:
        """The parameters of the scratch database; None if there is none."""
        try:
            found = self._gate.call("glue", "GetDatabase", Name=self.place.database)["Database"]
        except NotFoundError:
            return None
        parameters: Mapping[str, str] = found.get("Parameters") or {}
        return parameters

    def _drop_database(self, left: Left) -> None:
        parameters = self._database()
        if parameters is None:
            return
        if parameters.get(MARK) != self.place.token:
            left.things.append(
                f"database {self.place.database}: it does not carry this run's mark, so it stays"
            )
            return
        names = [
            table["Name"]
            for page in self._gate.pages("glue", "GetTables", DatabaseName=self.place.database)
            for table in page["TableList"]
        ]
        refused = [
            error
            for start in range(0, len(names), _TABLES)
            for error in self._drop(names[start : start + _TABLES])
        ]
        try:
            self._gate.call("glue", "DeleteDatabase", Name=self.place.database)
        except TrailhouseError:
            left.things += refused
            raise

    def _drop(self, tables: list[str]) -> Iterator[str]:
        """Delete tables; why some were not: the database's own removal takes them, too."""
        database = self.place.database
        answer = self._gate.call("glue", "BatchDeleteTable", DatabaseName=database, TablesToDelete=tables)
        for error in answer.get("Errors", ()):
            yield f"table {database}.{error.get('TableName')}: {error.get('ErrorDetail', {}).get('ErrorMessage', '')}"

    def _delete_objects(self, left: Left) -> None:
        keys = list(self._keys())
        for start in range(0, len(keys), _BATCH):
            some = [{"Key": key} for key in keys[start : start + _BATCH]]
            answer = self._gate.call(
                "s3", "DeleteObjects", Bucket=self.place.bucket, Delete={"Objects": some}, **self.place.owned
            )
            self.versioned += sum(bool(one.get("DeleteMarker")) for one in answer.get("Deleted", ()))
            left.things += [
                f"s3://{self.place.bucket}/{one.get('Key')}: {one.get('Code')} {one.get('Message', '')}"
                for one in answer.get("Errors", ())
            ]

    def _keys(self) -> Iterator[str]:
        for page in self._gate.pages(
            "s3", "ListObjectsV2", Bucket=self.place.bucket, Prefix=self.place.prefix, **self.place.owned
        ):
            yield from (entry["Key"] for entry in page.get("Contents", ()))
