"""From a user's statement to what runs: read, bound, scoped, checked and written for both engines."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sqlglot import exp

from trailhouse.dialect import forms
from trailhouse.dialect import tables as names
from trailhouse.dialect.grammar import parse, to_athena, to_duckdb
from trailhouse.dialect.mistake import nearest, place_at, place_of, place_of_word, unsupported, wrong
from trailhouse.dialect.parameters import bind, type_of_value
from trailhouse.dialect.rewrite import rewrite
from trailhouse.dialect.tables import Scope
from trailhouse.dialect.trees import Refusal, call

_NOTHING: Mapping[str, type_of_value] = MappingProxyType({})
_EVERYTHING = Scope()
_FIRST = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*(\w+|\()?", re.DOTALL)
_QUERIES = ("SELECT", "WITH", "VALUES", "TABLE", "(")
_CHANGES = frozenset(
    {
        "INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "DROP", "ALTER", "TRUNCATE", "COPY",
        "ATTACH", "DETACH", "PRAGMA", "SET", "RESET", "CALL", "EXPLAIN", "ANALYZE", "USE",
        "INSTALL", "LOAD", "EXPORT", "IMPORT", "VACUUM", "OPTIMIZE", "UNLOAD", "MSCK", "GRANT",
        "REVOKE", "PREPARE", "EXECUTE", "DEALLOCATE", "START", "COMMIT", "ROLLBACK", "FROM",
    }
)  # fmt: skip
_SHOW = re.compile(r"\s*SHOW\s+TABLES\s*;?\s*", re.IGNORECASE)
_DESCRIBE = re.compile(
    r"\s*(?:DESCRIBE|DESC|SHOW\s+COLUMNS\s+(?:FROM|IN))\s+((?:[\w]+|\"[^\"]+\")(?:\.(?:\w+|\"[^\"]+\"))*)\s*;?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement ready to run.

    Attributes:
        athena: the statement as bound and scoped, in Athena's dialect.
        duckdb: the same for DuckDB, on a connection prepared by `install`.
        tables: the product's tables that it reads, sorted.
    """

    athena: str
    duckdb: str
    tables: tuple[str, ...]


def translate(
    sql: str,
    *,
    params: Mapping[str, type_of_value] = _NOTHING,
    scope: Scope = _EVERYTHING,
    tables: Mapping[str, Sequence[str]],
    prefix: str = "cloudtrail",
) -> Statement:
    """Return a statement bound, scoped and translated.

    Args:
        sql: one statement in Athena's dialect.
        params: values of its `:name` parameters.
        scope: what the product's tables may show; times are UTC.
        tables: the tables there are, with their column names.
        prefix: the table prefix, named in hints.

    Raises:
        SqlError: the statement is wrong; the message shows the place and the nearest names.
        UnsupportedSqlError: it uses what the local engine does not answer exactly as Athena does.
    """
    listing = _listing(sql, tables)
    if listing is not None:
        return listing
    tree = _read(sql)
    try:
        forms.check(tree)
        tree = bind(tree, params, sql)
        found = names.product_tables(tree, tables, sql)
        names.check_columns(tree, found, tables, sql)
        used = tuple(sorted({node.name.lower() for node in found}))
        names.put_scope(found, tables, scope, with_path=names.uses_path(tree))
        athena = to_athena(tree)
        return Statement(athena, _translated(tree), used)
    except Refusal as refusal:
        raise _told(refusal, sql) from None
    except RecursionError:
        raise unsupported(f"the statement is nested too deeply for {prefix} tables here", sql, None) from None


def _translated(tree: exp.Expr) -> str:
    if isinstance(tree, exp.Values):
        tree = exp.Select(expressions=[exp.Star()], from_=exp.From(this=_values(tree)))
    _name_columns(tree)
    return to_duckdb(_shown(_with_local_names(tree)))


def _with_local_names(tree: exp.Expr) -> exp.Expr:
    done = rewrite(tree)
    names.plain_names(done)
    return done


def _values(values: exp.Values) -> exp.Values:
    first = values.expressions[0]
    width = len(first.expressions) if isinstance(first, exp.Tuple) else 1
    columns = [exp.to_identifier(f"_col{place}") for place in range(width)]
    values.set("alias", exp.TableAlias(this=exp.to_identifier("values_"), columns=columns))
    return values


def _outermost(tree: exp.Expr) -> exp.Select | None:
    """Return the SELECT that names the result's columns."""
    while isinstance(tree, exp.Subquery | exp.Union | exp.Intersect | exp.Except):
        tree = tree.this
    return tree if isinstance(tree, exp.Select) else None


def _name_columns(tree: exp.Expr) -> None:
    """Name the result's columns as Athena does: `_col0` where nothing else names one."""
    select = _outermost(tree)
    for place, one in enumerate(select.expressions if select else ()):
        if isinstance(one, exp.Alias) or one.is_star:
            continue
        if isinstance(one, exp.Column):
            if one.name == "$path":
                one.replace(exp.alias_(one.copy(), "$path", quoted=True))
            continue
        name = one.expression.name if isinstance(one, exp.Dot) else f"_col{place}"
        one.replace(exp.alias_(one.copy(), name, quoted=True))


def _shown(tree: exp.Expr) -> exp.Expr:
    """Show addresses as text: inside they are numbers."""
    select = _outermost(tree)
    for one in select.expressions if select else ():
        value = one.this if isinstance(one, exp.Alias) else one
        if isinstance(value, exp.Anonymous) and value.name == "athena_ipaddress":
            value.replace(call("athena_text", value))
    return tree


def _read(sql: str) -> exp.Expr:
    found = _FIRST.match(sql)
    word = (found.group(1) or "") if found else ""
    if word and word.upper() not in _QUERIES:
        known = (*_QUERIES[:3], "SHOW TABLES", "DESCRIBE")
        place = place_at(sql, found.start(1)) if found else None
        near = nearest(word, known)
        if near and word.upper() not in _CHANGES:
            raise wrong(f'a statement cannot start with "{word}"', sql, place, near)
        raise unsupported(f"{word.upper()} statements do not pass: this only reads", sql, place, known)
    return parse(sql)


def _listing(sql: str, tables: Mapping[str, Sequence[str]]) -> Statement | None:
    """Return the statement for SHOW TABLES, SHOW COLUMNS and DESCRIBE, None for others."""
    if _SHOW.fullmatch(sql):
        return _rows(sql, "tab_name", sorted(tables), ())
    found = _DESCRIBE.fullmatch(sql)
    if not found:
        return None
    name = found.group(1).split(".")[-1].strip('"').lower()
    for known, columns in tables.items():
        if known.lower() == name:
            return _rows(sql, "column", columns, (known.lower(),))
    raise wrong(f'unknown table "{name}"', sql, place_of_word(sql, name), nearest(name, tables))


def _rows(sql: str, title: str, values: Sequence[str], used: tuple[str, ...]) -> Statement:
    if not values:
        return Statement(sql, f"SELECT '' AS \"{title}\" WHERE FALSE", used)
    rows = [exp.Tuple(expressions=[exp.Literal.string(value)]) for value in values]
    alias = exp.TableAlias(this=exp.to_identifier("names_"), columns=[exp.to_identifier(title, quoted=True)])
    select = exp.Select(
        expressions=[exp.Star()], from_=exp.From(this=exp.Values(expressions=rows, alias=alias))
    )
    return Statement(sql, to_duckdb(select), used)


def _told(refusal: Refusal, sql: str) -> Exception:
    name = re.match(r"[A-Za-z_]\w*", refusal.what)
    place = place_of(refusal.node, sql) or (place_of_word(sql, name.group()) if name else None)
    make = unsupported if refusal.unsupported else wrong
    return make(refusal.what, sql, place, (), refusal.hint)
