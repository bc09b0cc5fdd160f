"""Logs that stay where they are, asked through Athena or Trino: priced first, limited, explained.

`Remote` is to an engine elsewhere what `session.Trailhouse` is to the local lake.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from trailhouse.answer import Result
from trailhouse.core.prices import scan_cost
from trailhouse.core.sizes import format_size
from trailhouse.dialect.remote import Names, prepare, readings
from trailhouse.engine.athena import Athena
from trailhouse.engine.definitions import Definitions
from trailhouse.engine.price import Estimator, Price, unpriced
from trailhouse.engine.trino import Server, Trino
from trailhouse.errors import AwsError, LimitError, UsageError
from trailhouse.output.provenance import Provenance, Window
from trailhouse.versions import versions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal
    from types import TracebackType
    from typing import Self

    from trailhouse.aws.gate import Gate
    from trailhouse.dialect import Statement
    from trailhouse.dialect.scans import Name
    from trailhouse.engine import Engine
    from trailhouse.options import Options
    from trailhouse.unregistered import Unregistered


class Door(Protocol):
    """An engine elsewhere with what is known of it."""

    @property
    def engine(self) -> Engine:
        """What answers."""

    @property
    def names(self) -> Names:
        """What can be asked."""

    @property
    def per_tb(self) -> Decimal | None:
        """What a terabyte costs, in US dollars; None: bytes are not charged."""

    def price(self, statement: Statement) -> Price:
        """What a statement would read. Raises AwsError, SqlError."""

    def cutoff(self) -> tuple[int, str] | None:
        """The bytes from which the engine itself stops a statement, and what says so."""

    def run(self) -> dict[str, Any]:
        """What the engine says of its last run, for provenance."""


@dataclass(slots=True)
class AthenaDoor:
    """A workgroup of Athena's, priced by Glue and S3."""

    gate: Gate
    engine: Athena
    definitions: Definitions
    estimator: Estimator
    per_tb: Decimal | None
    now: datetime
    _caller: str = ""

    @property
    def names(self) -> Names:
        """What can be asked."""
        return self.definitions.names

    def price(self, statement: Statement) -> Price:
        """From partitions and listings."""
        return self.estimator.price(readings(statement, self.names), self.now)

    def cutoff(self) -> tuple[int, str] | None:
        """The workgroup's limit."""
        group = self.engine.workgroup
        return None if group.cutoff is None else (group.cutoff, f"the limit of workgroup {group.name}")

    def run(self) -> dict[str, Any]:
        """Athena's own numbers, and what they cost."""
        last = self.engine.last
        self._caller = self._caller or str(self.gate.call("sts", "GetCallerIdentity").get("Arn", ""))
        told: dict[str, Any] = {
            "region": self.gate.region, "database": self.definitions.database,
            "workgroup": self.engine.workgroup.name,
            "caller": self._caller,
        }  # fmt: skip
        if last is None:
            return told
        cost = None if self.per_tb is None else f"{scan_cost(last.scanned, self.per_tb):f}"
        return told | {
            "query_id": last.query_id, "bytes_scanned": last.scanned, "milliseconds": last.milliseconds,
            "submitted": last.submitted or None, "completed": last.completed or None,
            "result": last.output or None, "cost_usd": cost,
        }  # fmt: skip


@dataclass(slots=True)
class TrinoDoor:
    """A Trino, priced by itself, or by Glue and S3 where these can be reached."""

    engine: Trino
    estimator: Estimator | None
    definitions: Definitions | None
    now: datetime
    per_tb: Decimal | None = None

    @property
    def names(self) -> Names:
        """What can be asked; views with their statements, where Glue tells them."""
        own = self.engine.names
        return Names(own.database, self._name, own.every)

    def _name(self, database: str, name: str) -> Name | None:
        found = self.engine.names.lookup(database, name)
        if found is None or self.definitions is None:
            return found
        try:
            known = self.definitions.find(database, name)
        except (AwsError, UsageError):
            return found
        return replace(found, view=known.view, database=known.view_database) if known else found

    def price(self, statement: Statement) -> Price:
        """From Glue's partitions and listings, where they tell, else from Trino's own statistics."""
        counted = self._counted(statement)
        if not counted.unknown:
            return counted
        own = self.engine.estimate(statement)
        if own is None or not own.value:
            return counted
        return Price(size=own, at_most=True, told="by Trino's own statistics")

    def _counted(self, statement: Statement) -> Price:
        if self.estimator is None:
            return unpriced("Trino has no sizes of raw files, and there are no AWS credentials to ask Glue")
        try:
            return self.estimator.price(readings(statement, self.names), self.now)
        except (AwsError, UsageError) as error:
            return unpriced(f"Trino has no sizes of raw files, and Glue cannot be asked ({error})")

    def cutoff(self) -> tuple[int, str] | None:
        """Trino does not say."""
        return None

    def run(self) -> dict[str, Any]:
        """Trino's own numbers."""
        server = self.engine.server
        about = {"server": server.shown, "catalog": server.catalog, "user": server.user}
        return {**about, "database": self.engine.database, **self.engine.last}


class Remote:
    """Logs behind an engine elsewhere. Use it as a context manager, or close it."""

    def __init__(
        self,
        door: Door,
        options: Options,
        *,
        now: datetime,
        max_scan: int | None = None,
        unregistered: Unregistered | None = None,
        sources: Sequence[str] = (),
    ) -> None:
        """Ask nothing yet.

        Args:
            door: the engine.
            options: what is asked of the logs.
            now: the present, UTC.
            max_scan: bytes that a statement may read at most.
            unregistered: explains empty answers, where partitions can be looked at.
            sources: addresses of the logs, for provenance.
        """
        self.door = door
        self.options = options
        self.max_scan = max_scan
        self.sources = tuple(sources)
        self._now = now
        self._unregistered = unregistered
        self._prices: dict[str, Price] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of connections."""
        self.door.engine.close()

    def tables(self) -> dict[str, list[tuple[str, str]]]:
        """Every name that can be asked, with its columns and their types."""
        return self.door.engine.tables()

    def translate(self, sql: str, params: Mapping[str, Any] | None = None) -> Statement:
        """A statement bound, limited to the window, accounts and regions, as it is sent.

        Raises:
            SqlError: it is wrong, or names what is not there.
        """
        return prepare(sql, self.door.names, params=params or {}, scope=self.options.scope)

    def price(self, statement: Statement) -> Price:
        """What a statement would read; no log object is. What cannot be looked at is a reason, not an error.

        Raises:
            SqlError: its partitions cannot be computed.
        """
        if statement.athena not in self._prices:
            try:
                self._prices[statement.athena] = self.door.price(statement)
            except AwsError as error:
                self._prices[statement.athena] = unpriced(str(error))
        return self._prices[statement.athena]

    def check(self, statement: Statement) -> Price:
        """The price of a statement that may run.

        Raises:
            LimitError: it may read more than `max_scan`, or surely more than the engine's own limit.
        """
        price = self.price(statement)
        refusal = None if self.max_scan is None else price.refusal(self.max_scan)
        cutoff = self.door.cutoff()
        if refusal is None and cutoff is not None and not price.unknown and not price.at_most:
            limit, name = cutoff
            if price.size.low > limit:
                refusal = (
                    f"not run: it would read {format_size(price.size.low)} or more, and be stopped and charged at "
                    f"{format_size(limit)}, {name}{price.narrowing()}"
                )
        if refusal:
            raise LimitError(refusal)
        return price

    def query(self, sql: str, /, **params: str | float | bool | None) -> Result:
        """Answer a statement; `:name` in it stands for the parameter of that name.

        Raises:
            SqlError: it is wrong.
            LimitError: it may read too much.
            AwsError, EngineError: it failed.
        """
        return self.answer(self.translate(sql, params))

    def answer(self, statement: Statement) -> Result:
        """Answer a statement that `translate` returned; raises as `query` does."""
        self.check(statement)
        return Result(statement, self.door.engine.execute(statement))

    def explain(self, statement: Statement, rows: int) -> list[str]:
        """Why an answer with that many rows is empty, or cannot be meant; at most three lines, mostly none."""
        found = readings(statement, self.door.names)
        if self._unregistered is None or not found:
            return []
        try:
            return self._unregistered.explain(found, self.price(statement), rows)
        except AwsError:
            return []  # the answer stands; only the explanation is missing

    def provenance(self, statement: Statement, now: datetime) -> Provenance:
        """Where an answer comes from; taken when all rows are.

        Args:
            statement: what was asked.
            now: when the answer is written, UTC.
        """
        o, price = self.options, self.price(statement)
        about = {"partitions": price.partitions, "days": list(price.days)}
        return Provenance(
            sql=statement.athena,
            engine=self.door.engine.name,
            executed=statement.athena,
            versions=versions(),
            window=Window(o.since, o.until, o.late, o.accounts, o.regions),
            created_at=now,
            sources=self.sources,
            run={**self.door.run(), **about, "estimate": price.as_json(self.door.per_tb)},
        )

    def is_source(self, _path: object) -> bool:
        """Nothing on this machine is a source."""
        return False


def athena_door(
    gate: Gate,
    *,
    database: str,
    workgroup: str,
    output_bucket: str,
    per_tb: Decimal | None,
    now: datetime,
    watch: Any = None,  # noqa: ANN401 - of the engine's Watch
    requests: Mapping[str, Mapping[str, str]] | None = None,
) -> AthenaDoor:
    """Athena behind a gate; nothing is called yet."""
    definitions = Definitions(gate, database)
    engine = Athena(gate, definitions, workgroup=workgroup, output_bucket=output_bucket, watch=watch)
    return AthenaDoor(gate, engine, definitions, Estimator(gate, definitions, requests), per_tb, now)


def trino_door(
    server: Server | None,
    *,
    database: str,
    gate: Gate | None,
    now: datetime,
    watch: Any = None,  # noqa: ANN401 - of the engine's Watch
    requests: Mapping[str, Mapping[str, str]] | None = None,
) -> TrinoDoor:
    """A Trino; nothing is called yet. Raises UsageError where none is named, or its client is missing."""
    if server is None:
        raise UsageError("no Trino is named: give --trino-url, or set `trino_url:`")
    engine = Trino(server, database, watch=watch)
    if gate is None:
        return TrinoDoor(engine, None, None, now)
    definitions = Definitions(gate, database)
    return TrinoDoor(engine, Estimator(gate, definitions, requests), definitions, now)
