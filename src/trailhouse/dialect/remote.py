"""A statement as an engine elsewhere gets it: bound and scoped in the tree, or the user's own text untouched.

Athena and Trino take more than the local dialect does. Without parameters and scope a statement is sent as
it is written; with them it is written anew, so only the forms that are known to come out right may pass.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from trailhouse.dialect import forms, tables
from trailhouse.dialect.grammar import parse, to_athena
from trailhouse.dialect.mistake import nearest, place_at, place_of, unsupported, wrong
from trailhouse.dialect.parameters import bind, type_of_value
from trailhouse.dialect.scans import Lookup, Scan, scans
from trailhouse.dialect.statement import Statement
from trailhouse.dialect.tables import Scope
from trailhouse.dialect.trees import Refusal
from trailhouse.errors import SqlError

_SPACE = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
_WORD = re.compile(rf"{_SPACE}(\w+|\()?", re.DOTALL)
_EXPLAIN = re.compile(
    rf"{_SPACE}EXPLAIN\b(?P<analyze>{_SPACE}ANALYZE\b)?({_SPACE}VERBOSE\b)?({_SPACE}\((?!{_SPACE}(?:SELECT|WITH|VALUES|TABLE)\b)[^()]*\))?",
    re.IGNORECASE | re.DOTALL,
)
_QUERIES = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "("})
_LOOKS = frozenset({"SHOW", "DESCRIBE", "DESC"})
_ACCOUNT = re.compile(r"_([0-9]{12})\Z")


@dataclass(frozen=True, slots=True)
class Names:
    """The names that statements can ask, where they are looked up.

    Attributes:
        database: of names that do not say.
        lookup: what a name in a database stands for, None for nothing.
        every: all names of a database, for the nearest one to a wrong one.
    """

    database: str
    lookup: Lookup
    every: Callable[[str], Sequence[str]]


def prepare(sql: str, names: Names, *, params: Mapping[str, type_of_value], scope: Scope) -> Statement:
    """Return the statement to send; its `duckdb` is empty.

    Args:
        sql: one statement that reads, in Athena's dialect.
        names: what it can ask.
        params: values of its `:name` parameters.
        scope: what the tables may show; times are UTC.

    Raises:
        SqlError: it is wrong, or names what is not there.
        UnsupportedSqlError: it changes something, or is of a form that parameters and scope cannot go with.
    """
    text = sql.strip().removesuffix(";").rstrip()
    word = _first_word(text)
    if word in _LOOKS:
        _refuse_params(params, sql)
        return Statement(text, "", ())
    explained = _EXPLAIN.match(text)
    head = explained.group() if explained else ""
    rest = text[len(head) :]
    if _first_word(rest) not in _QUERIES:
        raise _refusal(rest if head else text, sql)
    limited = scope != Scope(late=scope.late)
    try:
        tree = parse(rest)
    except SqlError:
        if params or limited or _several(rest):
            raise
        return Statement(text, "", ())  # Athena knows more forms than we do
    used = _bound(tree, names, params, scope if limited else None, rest)
    written = f"{head} {to_athena(tree)}".lstrip() if params or limited else text
    return Statement(written, "", used)


def readings(statement: Statement, names: Names) -> tuple[Scan, ...] | None:
    """Every reading of a table that a prepared statement makes; None where it cannot be told."""
    explained = _EXPLAIN.match(statement.athena)
    if _first_word(statement.athena) in _LOOKS or (explained and not explained["analyze"]):
        return ()
    try:
        tree = parse(statement.athena[explained.end() if explained else 0 :])
        return scans(tree, names.lookup, names.database)
    except (SqlError, RecursionError):
        return None


def _first_word(text: str) -> str:
    found = _WORD.match(text)
    return (found.group(1) or "").upper() if found else ""


def _refuse_params(params: Mapping[str, type_of_value], sql: str) -> None:
    for name in params:
        raise wrong(f'the statement has no parameter ":{name}"', sql, None)


def _refusal(text: str, sql: str) -> SqlError:
    word = _first_word(text)
    known = ("SELECT", "WITH", "VALUES", "SHOW", "DESCRIBE", "EXPLAIN")
    what = f"{word} statements do not pass: this only reads" if word else "there is no statement"
    return unsupported(what, sql, place_at(sql, max(sql.upper().find(word), 0)), nearest(word, known))


def _several(text: str) -> bool:
    return ";" in text


def _bound(
    tree: exp.Expr,
    names: Names,
    params: Mapping[str, type_of_value],
    scope: Scope | None,
    sql: str,
) -> tuple[str, ...]:
    """Bind and scope a tree in place; return the names that it reads."""
    try:
        if params or scope:
            forms.check(tree)
        bind(tree, params, sql)
        found, columns = _tables(tree, names, sql)
        if columns is not None:
            tables.check_columns(tree, found, columns, sql)
        if scope is not None:
            _scope(tree, found, columns, scope, sql)
    except Refusal as refusal:
        make = unsupported if refusal.unsupported else wrong
        hint = "leave out parameters, --since, --until, --account and --region to send it as it is"
        raise make(refusal.what, sql, place_of(refusal.node, sql), (), refusal.hint or hint) from None
    return tuple(sorted({node.name.lower() for node in found}))


def _tables(
    tree: exp.Expr, names: Names, sql: str
) -> tuple[list[exp.Table], Mapping[str, Sequence[str]] | None]:
    """The references to tables, and their columns; None if those of one are not known."""
    found: list[exp.Table] = []
    columns: dict[str, Sequence[str]] | None = {}
    for node in list(tree.find_all(exp.Table)):
        name, database = node.name.lower(), node.db.lower()
        if not database and name in tables.cte_names(node):
            continue
        if database == "information_schema" or "$" in name or node.catalog.lower() not in _CATALOGS:
            columns = None  # the engine's own tables, or another catalog's
            continue
        known = names.lookup(database or names.database, name)
        if known is None:
            place = database or names.database
            near = nearest(name, names.every(place))
            shown = f"{database}.{name}" if database else name
            hint = "" if near else f"database {place} has none like it: `trailhouse apply` makes ours there"
            raise wrong(f'unknown table "{shown}"', sql, place_of(node, sql, node.name), near, hint)
        found.append(node)
        if columns is not None:
            same = columns.get(node.name)
            columns[node.name] = known.columns if same in (None, known.columns) else ()
    return found, columns


_CATALOGS = ("", "awsdatacatalog")


def _scope(
    tree: exp.Expr,
    found: Sequence[exp.Table],
    columns: Mapping[str, Sequence[str]] | None,
    scope: Scope,
    sql: str,
) -> None:
    if columns is None:
        raise wrong("--since, --until, --account and --region cannot limit this table", sql, None)
    here = [node for node in found if not _elsewhere(node, columns[node.name], scope, sql)]
    for node in found:
        if node not in here:
            _empty(node)
    tables.put_scope(here, columns, scope, with_path=tables.uses_path(tree))


def _elsewhere(node: exp.Table, columns: Sequence[str], scope: Scope, sql: str) -> bool:
    """Whether a table holds one account alone, and not one that is asked for."""
    needed = {"region": bool(scope.regions), "eventtime": bool(scope.since or scope.until)}
    for name, needs in needed.items():
        day = name == "eventtime" and "day" in columns
        if needs and name not in columns and not day:
            raise wrong(f'"{node.name}" has no {name} to limit it by', sql, place_of(node, sql, node.name))
    account = _ACCOUNT.search(node.name)
    if not scope.accounts or "account" in columns:
        return False
    if account is None:
        raise wrong(f'"{node.name}" has no account to limit it by', sql, place_of(node, sql, node.name))
    return account[1] not in scope.accounts


def _empty(node: exp.Table) -> None:
    inner = node.copy()
    inner.set("alias", None)
    inner.set("joins", None)
    select = exp.Select(
        expressions=[exp.Star()], from_=exp.From(this=inner), where=exp.Where(this=exp.Boolean(this=False))
    )
    alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name, quoted=True))
    node.replace(exp.Subquery(this=select, alias=alias.copy(), joins=node.args.get("joins")))
