"""Runs conformance.json on a real Trino server and tells which values differ.

    python trino_conformance.py http://127.0.0.1:8080 [--write]

With --write the types and values in the file are replaced by the server's. Only the standard library
is used, and nothing of the package under test.
"""

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("conformance.json")
HEADERS = {"X-Trino-User": "conformance", "X-Trino-Time-Zone": "UTC", "Content-Type": "text/plain"}


def run(url: str, sql: str) -> tuple[list[str], list[list[Any]]]:
    """Return types and rows of a statement; raises ValueError with the server's error name."""
    request = urllib.request.Request(f"{url}/v1/statement", sql.encode(), HEADERS)  # noqa: S310 - the server of the command line
    types: list[str] = []
    rows: list[list[Any]] = []
    while True:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - the server of the command line
            page = json.load(answer)
        if "error" in page:
            raise ValueError(page["error"]["errorName"])
        types = [column["type"] for column in page.get("columns") or ()] or types
        rows += page.get("data") or []
        if "nextUri" not in page:
            return types, rows
        request = urllib.request.Request(page["nextUri"], headers=HEADERS)  # noqa: S310 - the server of the command line


def statement(sql: str) -> str:
    return sql if sql.split(maxsplit=1)[0].lower() in ("select", "with", "values") else f"select {sql}"


def ask(url: str, sql: str) -> dict[str, Any]:
    try:
        types, rows = run(url, statement(sql))
    except ValueError as fault:
        return {"sql": sql, "error": str(fault)}
    return {"sql": sql, "types": types, "rows": rows}


def load() -> list[dict[str, Any]]:
    return json.loads(FILE.read_text("utf-8"))


def save(facts: list[dict[str, Any]]) -> None:
    lines = ",\n".join(json.dumps(fact, ensure_ascii=False) for fact in facts)
    FILE.write_text(f"[\n{lines}\n]\n", "utf-8")


def main(url: str, *, write: bool) -> int:
    facts = load()
    told = [ask(url, fact["sql"]) for fact in facts]
    different = [(one, other) for one, other in zip(facts, told, strict=True) if one != other]
    for one, other in different:
        print(f"file: {one}\nserver: {other}\n")
    print(f"{len(facts) - len(different)} of {len(facts)} facts confirmed")
    if write:
        save(told)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].rstrip("/"), write="--write" in sys.argv))
