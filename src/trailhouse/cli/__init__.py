"""The command line: one small file a command. Parse, call one function, hand the result to `output`."""

from trailhouse.cli.app import main

__all__ = ["main"]
