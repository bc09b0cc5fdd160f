"""Reads Athena's SQL into a tree and writes trees as Athena's or DuckDB's SQL.

Functions are read as names with arguments: sqlglot's own ideas about a function's meaning never apply.
"""

from typing import ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.generators.duckdb import DuckDBGenerator
from sqlglot.generators.trino import TrinoGenerator
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import TokenType

from trailhouse.dialect.mistake import Place, place_at, unsupported, wrong

_SPECIAL = ("CAST", "TRY_CAST", "EXTRACT", "POSITION", "TRIM", "LISTAGG")


def _decimal(literal: exp.Expr) -> exp.Expr:
    """Return DECIMAL '1.10' as the number 1.10: its digits are its type."""
    digits = literal.name.strip()
    number = exp.Literal.number(digits.lstrip("+-") + ("" if "." in digits else "."))
    return exp.Neg(this=number) if digits.startswith("-") else number


def _ignore_nulls(generator: DuckDBGenerator, node: exp.Expr) -> str:
    """DuckDB writes IGNORE NULLS inside the call's parentheses."""
    return f"{generator.sql(node, 'this')[:-1]} IGNORE NULLS)"


class Athena(Trino):
    """Trino's grammar with plain functions and subscripts left as they are."""

    INDEX_OFFSET = 0

    class Parser(TrinoParser):
        """No function has a meaning of its own here, but for those with a grammar of their own."""

        FUNCTIONS: ClassVar = {}
        FUNCTION_PARSERS: ClassVar = {name: TrinoParser.FUNCTION_PARSERS[name] for name in _SPECIAL}
        TYPE_LITERAL_PARSERS: ClassVar = {
            **TrinoParser.TYPE_LITERAL_PARSERS,
            exp.DType.DECIMAL: lambda _self, this, _type: _decimal(this),
        }
        COLUMN_OPERATORS: ClassVar = {TokenType.DOT: TrinoParser.COLUMN_OPERATORS[TokenType.DOT]}

    class Generator(TrinoGenerator):
        """Writes what was read; no rewriting of selects."""

        TRANSFORMS: ClassVar = {
            kind: write for kind, write in TrinoGenerator.TRANSFORMS.items() if kind is not exp.Select
        }


class Local(DuckDB):
    """DuckDB's SQL for trees that were rewritten already."""

    INDEX_OFFSET = 0

    class Generator(DuckDBGenerator):
        """Writes the tree as it is."""

        TRANSFORMS: ClassVar = {
            **DuckDBGenerator.TRANSFORMS,
            exp.IgnoreNulls: _ignore_nulls,
            exp.RespectNulls: lambda generator, node: generator.sql(node, "this"),
        }


def parse(sql: str) -> exp.Expr:
    """Return the tree of exactly one statement.

    Raises:
        SqlError: the text is not a statement, or more than one.
    """
    try:
        found = [one for one in sqlglot.parse(sql, read=Athena) if one is not None]
    except ParseError as fault:
        raise _misread(fault, sql) from None
    except (TokenError, SqlglotError, RecursionError) as fault:
        raise wrong(f"cannot read the statement: {str(fault).splitlines()[0]}", sql, None) from None
    if not found:
        raise wrong("there is no statement", sql, None)
    if len(found) > 1:
        place = place_at(sql, sql.find(";"))
        raise unsupported("several statements in one; run them one by one", sql, place)
    return found[0]


def _misread(fault: ParseError, sql: str) -> Exception:
    first = fault.errors[0] if fault.errors else {}
    near = first.get("highlight") or ""
    what = f'syntax error near "{near}"' if near else "syntax error"
    line, column = first.get("line"), first.get("col")
    place = Place(line, max(column - len(near) + 1, 1)) if line and column else None
    return wrong(f"{what}: {first.get('description') or 'not understood'}".rstrip("."), sql, place)


def to_athena(tree: exp.Expr) -> str:
    """Return a tree as Athena's SQL."""
    return tree.sql(Athena, comments=False, normalize_functions=False)


def to_duckdb(tree: exp.Expr) -> str:
    """Return a rewritten tree as DuckDB's SQL."""
    return tree.sql(Local, comments=False, normalize_functions=False)
