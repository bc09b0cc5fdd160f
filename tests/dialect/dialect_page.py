"""Writes the generated part of docs/dialect.md from the allow-list: python tests/dialect/dialect_page.py."""

from pathlib import Path

from trailhouse.dialect.functions import FUNCTIONS, REFUSED

PAGE = Path(__file__).parents[2] / "docs" / "dialect.md"
START, END = "<!-- generated from the allow-list -->", "<!-- end of the generated part -->"


def generated() -> str:
    """Return the tables of supported and refused functions."""
    groups: dict[str, list[str]] = {}
    for one in FUNCTIONS.values():
        groups.setdefault(one.group, []).append(f"`{one.name}`")
    lines = ["", "| group | functions |", "|---|---|"]
    lines += [f"| {group} | {', '.join(sorted(names))} |" for group, names in sorted(groups.items())]
    lines += ["", "Refused with a reason of their own:", "", "| function | why |", "|---|---|"]
    lines += [f"| `{name}` | {why} |" for name, why in sorted(REFUSED.items())]
    return "\n".join([*lines, ""])


def page() -> str:
    """Return the page with its generated part renewed."""
    before, _, rest = PAGE.read_text("utf-8").partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{generated()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
