"""An emulated AWS in a process of its own: prints its address, answers each line on standard input with its calls."""

from __future__ import annotations

import json
import sys

from bed.aws import Aws

LATENCY = 0.02
"""Seconds that every call takes."""


def main() -> None:
    with Aws() as aws:
        aws.glue.log.keep = False  # millions of partitions pass; their bodies are not kept
        aws.glue.delay = LATENCY
        print(aws.url, flush=True)
        for _ in sys.stdin:
            counts = dict(aws.glue.counts)
            aws.glue.log.clear()
            print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    main()
