"""The small catalog behind an Athena whose answers a test chooses."""

from engine.conftest import elsewhere

__all__ = ["elsewhere"]
