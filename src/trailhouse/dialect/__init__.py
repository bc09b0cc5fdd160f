"""Athena's SQL in, DuckDB's SQL out: exact, or refused by name.

`translate` binds parameters, puts the scope around the product's tables and rewrites the tree;
`install` registers on a DuckDB connection what the result calls; `explain_duckdb_error` puts what
only DuckDB noticed in the one form of a message.
"""

from trailhouse.dialect.functions import FUNCTIONS
from trailhouse.dialect.install import install, install_macros
from trailhouse.dialect.mistake import explain_duckdb_error
from trailhouse.dialect.statement import Statement, translate
from trailhouse.dialect.tables import Scope

__all__ = [
    "FUNCTIONS",
    "Scope",
    "Statement",
    "explain_duckdb_error",
    "install",
    "install_macros",
    "translate",
]
