"""A believable organization's CloudTrail bucket of any size, with its ground truth beside it."""

from trailhouse.demo.bucket import generate, objects, tally_of
from trailhouse.demo.scene import Parameters
from trailhouse.demo.truth import Tally, Truth

__all__ = ["Parameters", "Tally", "Truth", "generate", "objects", "tally_of"]
