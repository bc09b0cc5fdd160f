"""YAML as plain values that remember their lines. Nothing in the file is constructed or run."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from trailhouse.errors import ConfigError

MAX_BYTES = 1_000_000
_PLAIN = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Document:
    """One configuration file.

    Attributes:
        name: how faults call the file.
        values: the mapping at its top; every scalar is its text as written, null is None.
        lines: 1-based line of each value, by path, such as `("sources", 0, "uri")`.
        faults: what is wrong with the file whatever its keys mean.
    """

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def place(self, path: tuple[str | int, ...]) -> str:
        """Return `file:line` of the innermost known part of `path`."""
        known = (self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines)
        line = next(known, None)
        return self.name if line is None else f"{self.name}:{line}"


def read_document(path: Path) -> Document:
    """Return the content of the file at `path`.

    Raises:
        ConfigError: the file cannot be read or is no YAML; duplicate keys and the like are in `faults`.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{path}: {len(raw)} bytes are too many for a configuration")
    document = Document(str(path))
    root = _compose(raw, str(path))
    if root is None:
        return document
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"{path}:{_line(root)}: the file has to hold `key: value` lines")
    document.values.update(_Reader(document).mapping(root, ()))
    return document


def _compose(raw: bytes, name: str) -> yaml.Node | None:
    try:
        return yaml.compose(raw.decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: not UTF-8 text: save the file as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = name if mark is None else f"{name}:{mark.line + 1}:{mark.column + 1}"
        raise ConfigError(f"{place}: not YAML: {error.problem or error.context}") from error
    except yaml.reader.ReaderError as error:
        raise ConfigError(f"{name}: not YAML: character {error.position + 1} cannot stand there") from error
    except RecursionError as error:
        raise ConfigError(f"{name}: not a configuration: it is nested too deeply") from error


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


class _Reader:
    """Turns nodes into values once each; a node met twice is an alias, which could be endless."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._seen: set[int] = set()

    def mapping(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> dict[str, Any]:
        return dict(self._items(node, path))

    def _items(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> Iterator[tuple[str, Any]]:
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._fault(key_node, "a key has to be a word")
                continue
            inner = (*path, key_node.value)
            if inner in self._document.lines:
                first = self._document.lines[inner]
                self._fault(
                    key_node, f"{key_node.value}: given a second time, first in line {first}: keep one"
                )
                continue
            self._document.lines[inner] = _line(key_node)
            yield key_node.value, self._value(value_node, inner)

    def _value(self, node: yaml.Node, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - any YAML value
        if id(node) in self._seen:
            self._fault(node, f"{path[0]}: anchors and aliases are not used here: write the value out")
            return None
        self._seen.add(id(node))
        if not node.tag.startswith(_PLAIN) or node.tag.startswith(f"{_PLAIN}python"):
            self._fault(node, f"{path[0]}: the tag {node.tag!r} is not used here: write the plain value")
            return None
        self._document.lines.setdefault(path, _line(node))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        return None if node.tag == f"{_PLAIN}null" else node.value

    def _fault(self, node: yaml.Node, text: str) -> None:
        self._document.faults.append(f"{self._document.name}:{_line(node)}: {text}")
