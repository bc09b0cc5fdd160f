"""The tables of docs/configuration.md, from the settings themselves.

`python -m trailhouse.config.reference docs/configuration.md` writes them anew.
"""

import sys
from pathlib import Path

from trailhouse.config.settings import SETTINGS, Source, extra, variables
from trailhouse.config.template import default_text

BEGIN = "<!-- generated: {} -->"
END = "<!-- end -->"


def settings_table() -> str:
    """Return the Markdown table of all settings."""
    rows = ["| key | environment | flag | default | meaning |", "|---|---|---|---|---|"]
    for key, field in SETTINGS.items():
        environment = ", ".join(f"`{name}`" for name in variables(key))
        flag = f"`{extra(key)['flag']}`" if extra(key)["flag"] else ""
        default = f"`{default_text(key)}`" if default_text(key) else ""
        right = str(extra(key)["right"])
        rows.append(f"| `{key}` | {environment} | {flag} | {default} | {field.description} Give {right}. |")
    return "\n".join(rows)


def source_table() -> str:
    """Return the Markdown table of the keys of one source."""
    rows = ["| key | meaning |", "|---|---|"]
    rows += [f"| `{key}` | {field.description} |" for key, field in Source.model_fields.items()]
    return "\n".join(rows)


def refreshed(text: str) -> str:
    """Return the page `text` with its generated parts made anew."""
    for name, table in (("settings", settings_table()), ("source", source_table())):
        begin = BEGIN.format(name)
        head, _, rest = text.partition(begin)
        _, _, tail = rest.partition(END)
        text = f"{head}{begin}\n{table}\n{END}{tail}"
    return text


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(refreshed(page.read_text("utf-8")), "utf-8")
