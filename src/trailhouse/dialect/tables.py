"""The product's tables in a statement: names resolved, the scope put around each, unknown names refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlglot import exp

from trailhouse.dialect.mistake import nearest, place_of, quotes_hint, wrong
from trailhouse.dialect.trees import bare

_CATALOGS = ("", "awsdatacatalog")
_PATH = "$path"


@dataclass(frozen=True, slots=True)
class Scope:
    """What part of the logs a statement may see.

    Attributes:
        since: events at or after (UTC), None for no bound.
        until: events before (UTC), None for no bound.
        accounts: account ids, empty for all.
        regions: regions, empty for all.
        late: how much later than its event a record may have been delivered.
    """

    since: datetime | None = None
    until: datetime | None = None
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    late: timedelta = timedelta(days=1)


def cte_names(node: exp.Expr) -> set[str]:
    """Return the WITH names that a table reference at this node would find first."""
    names: set[str] = set()
    at: exp.Expr | None = node
    while at is not None:
        with_ = at.args.get("with_")
        names |= {one.alias.lower() for one in with_.expressions} if with_ else set()
        if isinstance(at, exp.CTE):  # a name sees those before it, and itself only where recursive
            names |= _before(at)
            at = at.parent.parent if at.parent is not None else None
        at = at.parent if at is not None else None
    return names


def _before(cte: exp.CTE) -> set[str]:
    with_ = cte.parent
    if not isinstance(with_, exp.With):
        return set()
    earlier = with_.expressions[: with_.expressions.index(cte) + (1 if with_.args.get("recursive") else 0)]
    return {one.alias.lower() for one in earlier}


def product_tables(tree: exp.Expr, tables: Mapping[str, Sequence[str]], sql: str) -> list[exp.Table]:
    """Return the references to the product's tables, each given its plain name.

    Raises:
        SqlError: a table is neither known nor a WITH name.
    """
    found = []
    known = {name.lower(): name for name in tables}
    for node in list(tree.find_all(exp.Table)):
        name = node.name.lower()
        if not node.args.get("db") and name in cte_names(node):
            continue
        catalog = node.catalog.lower()
        if name not in known or catalog not in _CATALOGS or node.db.lower() == "information_schema":
            shown = ".".join(part for part in (node.catalog, node.db, node.name) if part)
            raise wrong(
                f'unknown table "{shown}"', sql, place_of(node, sql, node.name), nearest(name, tables)
            )
        _unqualify(tree, node)
        found.append(node)
    return found


def _unqualify(tree: exp.Expr, table: exp.Table) -> None:
    """Drop a table's database from the columns that are written with it."""
    for column in tree.find_all(exp.Column):
        if not table.db or column.table.lower() != table.name.lower() or column.args.get("db") is None:
            continue
        if column.text("db").lower() == table.db.lower() and column.text("catalog").lower() in (
            "",
            table.catalog.lower(),
        ):
            column.set("db", None)
            column.set("catalog", None)


def put_scope(
    found: Sequence[exp.Table], tables: Mapping[str, Sequence[str]], scope: Scope, *, with_path: bool
) -> None:
    """Replace each reference by a subquery that sees the scope only; the name stays usable as qualifier."""
    for node in found:
        columns = {one.lower() for one in tables[_known(node.name, tables)]}
        where = _conditions(columns, scope)
        if not where:
            continue
        alias = node.args.get("alias")
        inner = node.copy()
        inner.set("alias", None)
        inner.set("joins", None)
        path = [exp.alias_(exp.column(_PATH, quoted=True), _PATH, quoted=True)] if with_path else []
        for one in path:
            one.meta["hidden"] = (
                True  # `*` shows it on Athena only if asked for; locally it is a column already
            )
        select = exp.Select(
            expressions=[exp.Star(), *path],
            from_=exp.From(this=inner),
            where=exp.Where(this=exp.and_(*where)),
        )
        alias = alias or exp.TableAlias(this=exp.to_identifier(node.name, quoted=True))
        node.replace(exp.Subquery(this=select, alias=alias.copy(), joins=node.args.get("joins")))


def _known(name: str, tables: Mapping[str, Sequence[str]]) -> str:
    return next(one for one in tables if one.lower() == name.lower())


def _conditions(columns: set[str], scope: Scope) -> list[exp.Expr]:
    where: list[exp.Expr] = []
    ledger = "eventtime" not in columns  # files and aggregates: only the day tells, and it may be unknown
    if not ledger:
        where += _event_time(scope)
    if {"year", "month", "day"} <= columns:
        where += [_or_unknown(one, "year") if ledger else one for one in day_conditions(scope)]
    for name, values in (("account", scope.accounts), ("region", scope.regions)):
        if values and name in columns:
            inside = exp.In(
                this=exp.column(name), expressions=[exp.Literal.string(value) for value in values]
            )
            where.append(_or_unknown(inside, name) if ledger else inside)
    return where


def _or_unknown(condition: exp.Expr, name: str) -> exp.Expr:
    return exp.Paren(this=exp.or_(condition, exp.Is(this=exp.column(name), expression=exp.Null())))


def _event_time(scope: Scope) -> list[exp.Expr]:
    where: list[exp.Expr] = []
    if scope.since is not None:
        where.append(
            exp.GTE(this=exp.column("eventtime"), expression=exp.Literal.string(_stamp(scope.since)))
        )
    if scope.until is not None:
        where.append(exp.LT(this=exp.column("eventtime"), expression=exp.Literal.string(_stamp(scope.until))))
    return where


def _stamp(moment: datetime) -> str:
    """Return a bound as CloudTrail writes times; event times are whole seconds, so it rounds up."""
    utc = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    whole = utc.replace(microsecond=0)
    return (whole + timedelta(seconds=1) if utc.microsecond else whole).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_conditions(scope: Scope) -> list[exp.Expr]:
    """Return conditions on the days of delivery that a scope's events can lie in."""
    where: list[exp.Expr] = []
    if scope.since is not None:
        where.append(_bound(_day(scope.since), exp.GT, exp.GTE))
    if scope.until is not None:
        try:
            last = _day(scope.until + scope.late)
        except OverflowError:
            return where
        where.append(_bound(last, exp.LT, exp.LTE))
    return where


def _day(moment: datetime) -> date:
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date()


def _bound(day: date, beyond: type[exp.Binary], last: type[exp.Binary]) -> exp.Expr:
    """Return `year > 'Y' OR (year = 'Y' AND (month > 'M' OR ...))`, which prunes partitions."""
    year, month, number = (exp.Literal.string(day.strftime(one)) for one in ("%Y", "%m", "%d"))
    inner = exp.or_(
        beyond(this=exp.column("month"), expression=month),
        exp.and_(
            exp.EQ(this=exp.column("month"), expression=bare(month)),
            last(this=exp.column("day"), expression=number),
        ),
    )
    outer = exp.or_(
        beyond(this=exp.column("year"), expression=year),
        exp.and_(exp.EQ(this=exp.column("year"), expression=bare(year)), exp.Paren(this=inner)),
    )
    return exp.Paren(this=outer)


def plain_names(tree: exp.Expr) -> None:
    """Drop catalogs and databases, and read "$path" as the column that holds it locally."""
    for node in tree.find_all(exp.Table):
        node.set("db", None)
        node.set("catalog", None)
    for alias in list(tree.find_all(exp.Alias)):
        if "hidden" in alias.meta:
            alias.pop()
    for column in tree.find_all(exp.Column):
        if column.name == _PATH and isinstance(column.this, exp.Identifier):
            column.set("this", exp.to_identifier("logfile"))


def uses_path(tree: exp.Expr) -> bool:
    """Tell whether a statement asks for "$path"."""
    return any(column.name == _PATH for column in tree.find_all(exp.Column))


def check_columns(
    tree: exp.Expr, found: Sequence[exp.Table], tables: Mapping[str, Sequence[str]], sql: str
) -> None:
    """Raise SqlError for a column whose name nothing in the statement could give."""
    columns = {one.lower() for node in found for one in tables[_known(node.name, tables)]} | {_PATH}
    named = {one.alias.lower() for one in tree.find_all(exp.Alias)}
    named |= {one.name.lower() for one in tree.find_all(exp.TableAlias)}
    named |= {
        one.name.lower() for alias in tree.find_all(exp.TableAlias) for one in alias.args.get("columns") or ()
    }
    named |= {
        one.name.lower()
        for node in tree.find_all(exp.Unnest)
        for one in [node.args.get("offset")]
        if isinstance(one, exp.Identifier)
    }
    named |= {one.name.lower() for one in tree.find_all(exp.Table)}
    open_ended = any(
        not one.args.get("alias") or not one.args["alias"].columns
        for one in tree.find_all(exp.Unnest, exp.Values)
    )
    for column in tree.find_all(exp.Column):
        first = next(
            (column.args[part] for part in ("catalog", "db", "table", "this") if column.args.get(part)), None
        )
        if not isinstance(first, exp.Identifier) or open_ended or _in_lambda(column, first.name):
            continue
        if first.name.lower() not in columns | named:
            raise wrong(
                f'unknown column "{first.name}"',
                sql,
                place_of(first, sql, first.name),
                nearest(first.name, columns | named),
                quotes_hint(first.name, sql),
            )


def _in_lambda(node: exp.Expr, name: str) -> bool:
    at = node.find_ancestor(exp.Lambda)
    while at is not None:
        if any(one.name.lower() == name.lower() for one in at.expressions):
            return True
        at = at.find_ancestor(exp.Lambda)
    return False
