"""Results and talk: formats, files, their provenance, and what is said to people on standard error.

Names are loaded when first used: talk alone does not need Arrow.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from trailhouse.output.escape import escape

if TYPE_CHECKING:
    from trailhouse.output.console import Console, Level
    from trailhouse.output.files import OutputFile, write_file
    from trailhouse.output.formats import Format, Written, format_of, write
    from trailhouse.output.progress import Progress, Silence, progress_on
    from trailhouse.output.provenance import Input, Missing, Provenance, Window, write_provenance
    from trailhouse.output.status import Status

_HOMES = {
    "console": ("Console", "Level"),
    "files": ("OutputFile", "write_file"),
    "formats": ("Format", "Written", "format_of", "write"),
    "progress": ("Progress", "Silence", "progress_on"),
    "provenance": ("Input", "Missing", "Provenance", "Window", "write_provenance"),
    "status": ("Status",),
}

__all__ = [
    "Console",
    "Format",
    "Input",
    "Level",
    "Missing",
    "OutputFile",
    "Progress",
    "Provenance",
    "Silence",
    "Status",
    "Window",
    "Written",
    "escape",
    "format_of",
    "progress_on",
    "write",
    "write_file",
    "write_provenance",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        for home, names in _HOMES.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{home}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
