"""The tables of docs/permissions.md, from the lists themselves; run by tools/docs.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailhouse.core import lake_formation
from trailhouse.core.delegated import Kind, delegated, kinds
from trailhouse.core.operations import Resource, Use, operations
from trailhouse.core.policy import USES, Role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

BEGIN = "<!-- written by tools/docs.py: {} -->"
END = "<!-- end -->"
_ON = {
    Resource.BUCKET: "bucket",
    Resource.OBJECT: "objects below the prefix",
    Resource.CATALOG: "catalog",
    Resource.DATABASE: "database",
    Resource.TABLE: "tables of the prefix",
    Resource.WORKGROUP: "workgroup",
    Resource.KEY: "key",
    Resource.ROLE: "role of the source",
    Resource.STACK: "stack",
    Resource.MACHINE: "state machine",
    Resource.EXECUTION: "its executions",
    Resource.SCHEDULE: "schedule",
    Resource.TOPIC: "topic",
    Resource.STACK_ROLE: "roles of the stack",
    Resource.STACK_FUNCTION: "functions of the stack",
    Resource.STACK_MACHINE: "state machines",
    Resource.STACK_QUEUE: "queue of the stack",
    Resource.STACK_TOPIC: "topic of the stack",
    Resource.STACK_LOGS: "log groups of the stack",
    Resource.STACK_ALARM: "alarms of the stack",
    Resource.STACK_RULE: "rule of the stack",
    Resource.STACK_WORKGROUP: "workgroup of the stack",
    Resource.ANY: "`*`",
}


def permissions_page(page: str) -> str:
    """The page with its tables as the lists have them."""
    tables = {
        "operations": _operations(),
        "athena": _delegated(),
        "cloudformation": _deployed(),
        "roles": _roles(),
        "lake formation": _grants(),
    }
    for name, table in tables.items():
        head, _, rest = page.partition(BEGIN.format(name))
        _, _, tail = rest.partition(END)
        page = f"{head}{BEGIN.format(name)}\n{table}\n{END}{tail}"
    return page


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _link(page: str) -> str:
    return f"[{page.rpartition('/')[2].removesuffix('.html')}]({page})"


def _on(resource: Collection[Resource]) -> str:
    if Resource.FUNCTION in resource:
        return "catalog, database and everything in it"
    return ", ".join(_ON[each] for each in resource)


def _operations() -> str:
    return _table(
        ["operation", "permission", "on", "called by", "AWS says so in"],
        (
            [str(each), _code(each.actions), _on(each.resource), _uses(each.uses), _link(each.page)]
            for each in operations()
        ),
    )


def _uses(uses: frozenset[Use]) -> str:
    return "all" if uses == set(Use) else ", ".join(use for use in Use if use in uses) or "(not needed)"


def _delegated() -> str:
    return _table(
        ["statement", "permissions", "on", "of", "AWS says so in"],
        (
            [each.kind, _code(each.actions), _on(each.resource), each.place, _link(each.page)]
            for kind in Kind
            for each in delegated()
            if each.kind is kind and kind not in kinds(Use.DEPLOY)
        ),
    )


def _deployed() -> str:
    return _table(
        ["for", "permissions", "on", "of", "AWS says so in"],
        (
            [each.kind.rpartition(" ")[2] if "AWS::" in each.kind else each.kind, _code(each.actions),
             _on(each.resource), each.place, _link(each.page)]
            for each in delegated()
            if each.kind in kinds(Use.DEPLOY)
        ),
    )  # fmt: skip


def _roles() -> str:
    rows = []
    for role in Role:
        run = [kind for kind in Kind if any(kind in kinds(use) for use in USES[role]) and "AWS::" not in kind]
        rows.append([f"`policy {role}`", ", ".join(USES[role]), "; ".join(run)])
    return _table(["command", "may do", "statements and places that it needs Athena or Glue to touch"], rows)


def _grants() -> str:
    return _table(
        ["role", "on the database", "on its tables"],
        ([role, *map(_code, granted)] for role, granted in lake_formation.PERMISSIONS.items()),
    )
