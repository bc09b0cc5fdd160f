"""What the shell offers to complete: commands, keywords, tables, columns, functions, formats."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from trailhouse.cli.statements import in_text
from trailhouse.output import Format

Tables: TypeAlias = Mapping[str, Sequence[tuple[str, str]]]

KEYWORDS = (
    "ALL", "AND", "ANY", "AS", "ASC", "BETWEEN", "BY", "CASE", "CAST", "COUNT", "CROSS", "CURRENT_DATE",
    "CURRENT_TIMESTAMP", "DATE", "DESC", "DISTINCT", "ELSE", "END", "EXCEPT", "EXISTS", "FALSE",
    "FILTER", "FROM", "FULL", "GROUP", "GROUPING", "HAVING", "IN", "INNER", "INTERSECT", "INTERVAL",
    "IS", "JOIN", "LEFT", "LIKE", "LIMIT", "NOT", "NULL", "NULLS", "OFFSET", "ON", "OR", "ORDER",
    "OUTER", "OVER", "PARTITION", "RIGHT", "ROWS", "SELECT", "SETS", "THEN", "TIMESTAMP", "TRUE",
    "TRY_CAST", "UNION", "UNNEST", "USING", "VALUES", "WHEN", "WHERE", "WITH",
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*$")
_AFTER_TABLE_WORD = re.compile(r"\b(?:from|join)\s+(?:[\w.\"]+\s*,\s*)*[\w\"]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Names:
    """Completes names in SQL and the shell's own commands.

    Attributes:
        tables: returns the tables with their columns' names and types.
        functions: names of functions of the dialect.
        commands: the shell's commands, such as `.mode`.
    """

    tables: Callable[[], Tables]
    functions: Sequence[str]
    commands: Sequence[str]

    def offers(self, before: str) -> Iterator[tuple[str, str, str]]:
        """Yield word so far, offer and its kind for the text before the cursor."""
        if before.lstrip().startswith("."):
            yield from self._command(before.lstrip())
            return
        match = _WORD.search(before)
        word = match[0] if match else ""
        if in_text(before):
            return
        if _AFTER_TABLE_WORD.search(before):
            yield from _matching(word, self.tables(), "table")
        elif before[: len(before) - len(word)].endswith("."):
            yield from _matching(word, self._columns(), "column")
        elif word:
            yield from _matching(word, self._columns(), "column")
            yield from _matching(word, self.tables(), "table")
            yield from _matching(word, self.functions, "function")
            yield from _matching(word, KEYWORDS, "keyword")

    def _command(self, before: str) -> Iterator[tuple[str, str, str]]:
        command, space, word = before.partition(" ")
        if not space:
            yield from _matching(command, self.commands, "command")
        elif command == ".schema":
            yield from _matching(word, self.tables(), "table")
        elif command == ".mode":
            yield from _matching(word, [form for form in Format if form is not Format.PARQUET], "format")

    def _columns(self) -> Iterable[str]:
        return sorted({name for columns in self.tables().values() for name, _ in columns})


def _matching(word: str, names: Iterable[str], kind: str) -> Iterator[tuple[str, str, str]]:
    for name in names:
        if name.lower().startswith(word.lower()) and name != word:
            yield word, name, kind


class NameCompleter(Completer):
    """`Names` as prompt_toolkit wants it."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002 - the library's signature
        """Yield what may stand at the cursor."""
        for word, offer, kind in self._names.offers(document.text_before_cursor):
            yield Completion(offer, start_position=-len(word), display_meta=kind)
