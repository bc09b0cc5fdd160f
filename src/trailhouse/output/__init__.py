"""Results and talk: formats, files, their provenance, and what is said to people on standard error."""

from trailhouse.output.console import Console, Level
from trailhouse.output.escape import escape
from trailhouse.output.files import OutputFile, write_file
from trailhouse.output.formats import Format, Written, format_of, write
from trailhouse.output.progress import Progress, Silence, progress_on
from trailhouse.output.provenance import Input, Missing, Provenance, Window, write_provenance

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
    "Window",
    "Written",
    "escape",
    "format_of",
    "progress_on",
    "write",
    "write_file",
    "write_provenance",
]
