"""Glob patterns over names with `/` between their parts."""

import re

from trailhouse.errors import SourceError

_SPECIAL = re.compile(r"[*?\[]")
_TOKEN = re.compile(
    r"(?P<any>\*\*/)|(?P<rest>\*\*)|(?P<part>\*)|(?P<one>\?)|\[(?P<set>!?\]?[^\]/]+)\]", re.DOTALL
)


def is_pattern(text: str) -> bool:
    """Whether a source is written as a pattern."""
    return _SPECIAL.search(text) is not None


def split(pattern: str) -> tuple[str, str]:
    """The folder in front of the first part that is a pattern, and the pattern below it."""
    parts = pattern.split("/")
    first = next(n for n, part in enumerate(parts) if is_pattern(part))
    folder = "/".join(parts[:first])
    return folder or ("/" if first else "."), "/".join(parts[first:])


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The names that a pattern means.

    `*` and `?` stay within a part, `**` crosses parts. Where the pattern means a folder, all below it is
    meant.

    Raises:
        SourceError: a set of characters that makes no sense, `[z-a]`.
    """
    pattern = pattern.rstrip("/")
    while "**/**/" in pattern:  # one crosses as far as two
        pattern = pattern.replace("**/**/", "**/")
    text, at = "", 0
    for token in _TOKEN.finditer(pattern):
        text += re.escape(pattern[at : token.start()]) + _regex(token)
        at = token.end()
    try:
        return re.compile(rf"{text}{re.escape(pattern[at:])}(?:/.*)?\Z", re.DOTALL)
    except re.error as error:
        raise SourceError(f"source pattern {pattern} makes no sense ({error}): correct the [...]") from error


def _regex(token: re.Match[str]) -> str:
    if token["any"]:
        return "(?:.*/)?"
    if token["set"]:
        chars = token["set"]
        negative = chars.startswith("!")
        body = re.escape(chars[negative:]).replace(r"\-", "-").replace("--", r"\--")
        return f"[{'^/' if negative else ''}{body}]"
    return ".*" if token["rest"] else "[^/]*" if token["part"] else "[^/]"
