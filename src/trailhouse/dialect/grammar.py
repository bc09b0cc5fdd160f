"""Reads Athena's SQL into a tree and writes trees as Athena's or DuckDB's SQL.

Functions are read as names with arguments: sqlglot's own ideas about a function's meaning never apply.
"""

from typing import ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.generators.duckdb import DuckDBGenerator
from sqlglot.generators.trino import TrinoGenerator
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import TokenType

from trailhouse.dialect.mistake import place_at, unsupported, wrong
from trailhouse.dialect.syntax import PIECE, misread, unreadable

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
        parsed = sqlglot.parse(sql, read=Athena)
    except ParseError as fault:
        raise misread(fault, sql) from None
    except SqlglotError:
        raise unreadable(sql) from None
    except RecursionError:
        raise unsupported("the statement is nested too deeply", sql, None) from None
    found = [one for one in parsed if one is not None and not isinstance(one, exp.Semicolon)]
    if not found:
        raise wrong("there is no statement", sql, None)
    if len(found) > 1:
        place = place_at(sql, next(piece.start() for piece in PIECE.finditer(sql) if piece[0] == ";"))
        raise unsupported("several statements in one; run them one by one", sql, place)
    return found[0]


def to_athena(tree: exp.Expr) -> str:
    """Return a tree as Athena's SQL."""
    return tree.sql(Athena, comments=False, normalize_functions=False)


def to_duckdb(tree: exp.Expr) -> str:
    """Return a rewritten tree as DuckDB's SQL."""
    return tree.sql(Local, comments=False, normalize_functions=False)
