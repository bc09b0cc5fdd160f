"""Which of many folders exist, in few listings: from the top down, by delimiter."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

_ROOT = 3
"""Parts of `s3://bucket/` when it is cut at slashes."""


def existing(
    places: Sequence[str],
    children: Callable[[Collection[str]], Iterable[Iterable[str]]],
    limit: int,
) -> list[str]:
    """Those of the places that may exist; what is left out surely does not.

    Looks at most at `limit` folders a level, and stops where there would be more.

    Args:
        places: `s3://bucket/path/`, each with one slash at its end.
        children: the folders right below each of some folders, with one slash at their ends.
        limit: how many folders may be looked at on one level.
    """
    left = list(places)
    deepest = max((place.count("/") for place in left), default=0)
    fitting = [depth for depth in range(_ROOT, deepest) if len(_cut(left, depth)) <= limit]
    if not fitting:
        return left
    for depth in range(fitting[-1], deepest):
        above = _cut([place for place in left if place.count("/") > depth], depth)
        if len(above) > limit:
            break
        found = {child for below in children(sorted(above)) for child in below}
        left = [place for place in left if place.count("/") <= depth or _head(place, depth + 1) in found]
    return left


def _cut(places: Iterable[str], depth: int) -> set[str]:
    return {_head(place, depth) for place in places}


def _head(place: str, depth: int) -> str:
    return "/".join(place.split("/", depth)[:depth]) + "/"
