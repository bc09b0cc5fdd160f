"""Athena's SQL in, DuckDB's SQL out: exact, or refused by name.

`translate` binds parameters, puts the scope around the product's tables and rewrites the tree;
`install` registers on a DuckDB connection what the result calls; `explain_duckdb_error` puts what
only DuckDB noticed in the one form of a message; `from_cloudtrail_lake` puts CloudTrail Lake's SQL
in Athena's place.
"""

from trailhouse.dialect.event_data_store.moving import Moved, from_cloudtrail_lake
from trailhouse.dialect.functions import FUNCTIONS
from trailhouse.dialect.install import install, install_macros
from trailhouse.dialect.mistake import explain_duckdb_error
from trailhouse.dialect.statement import Statement, translate
from trailhouse.dialect.tables import Scope

__all__ = [
    "FUNCTIONS",
    "Moved",
    "Scope",
    "Statement",
    "explain_duckdb_error",
    "from_cloudtrail_lake",
    "install",
    "install_macros",
    "translate",
]
