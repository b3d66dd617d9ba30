"""Owns the way from YAML's events to plain values with the line of every field."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from progressive_ci.specs import scalars

MOST_DEPTH = 100
MOST_NODES = 300_000
MOST_COPIES = 100_000
_MERGE = "<<"


class Unreadable(Exception):
    """YAML that stands for no API object. `lines` are the places, counted from 1."""

    def __init__(self, what: str, *lines: int, advice: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.lines = lines
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Node:
    """A value that was read.

    Attributes:
        value: as JSON could hold it.
        line: of its first character.
        children: the nodes of a mapping by key, of a sequence by index; empty below an alias.
        size: how many values it holds, itself included.
    """

    value: Any
    line: int
    children: dict[str | int, "Node"] = field(default_factory=dict)
    size: int = 1


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end has not come yet."""

    value: dict[str, Any] | list[Any]
    line: int
    anchor: str | None
    children: dict[str | int, Node] = field(default_factory=dict)
    merged: list[Node] = field(default_factory=list)
    key: str | None = None
    merging: bool = False
    key_line: int = 0
    size: int = 1


@dataclass(slots=True)
class Builder:
    """Builds the nodes of one text, document by document."""

    duplicates: list[Unreadable] = field(default_factory=list)
    _stack: list[_Open] = field(default_factory=list)
    _anchors: dict[str, Node | None] = field(default_factory=dict)
    _nodes: int = 0
    _copies: int = 0

    def roots(self, events: Iterator[yaml.Event]) -> Iterator[Node]:
        """The root node of each document.

        Raises:
            Unreadable: a value can't stand in an API object, or there are far too many.
        """
        for event in events:
            root = self._take(event)
            if root is not None:
                yield root

    def _take(self, event: yaml.Event) -> Node | None:
        line = event.start_mark.line + 1 if event.start_mark is not None else 0
        match event:
            case yaml.DocumentStartEvent():
                self._anchors.clear()
            case yaml.MappingStartEvent():
                self._open({}, line, event)
            case yaml.SequenceStartEvent():
                self._open([], line, event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                return self._close()
            case yaml.ScalarEvent():
                return self._scalar(event, line)
            case yaml.AliasEvent():
                return self._put(self._alias(event.anchor or "", line))
            case _:
                pass
        return None

    def _open(self, value: dict[str, Any] | list[Any], line: int, event: Any) -> None:  # noqa: ANN401 - a start event
        if len(self._stack) >= MOST_DEPTH:
            raise Unreadable(f"more than {MOST_DEPTH} levels of nesting", line)
        if self._stack and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None:
            raise Unreadable("a key is text, not a list or a mapping", line, advice="put the key in quotes")
        _plain_tag(event.tag, "map" if isinstance(value, dict) else "seq", line)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(value, line, event.anchor))

    def _close(self) -> Node | None:
        done = self._stack.pop()
        if isinstance(done.value, dict):
            _merge(done.value, done.merged)
        node = Node(done.value, done.line, done.children, done.size)
        if done.anchor:
            self._anchors[done.anchor] = node
        return self._put(node)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> Node | None:
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._key(top, event, line)
            return None
        try:
            value = _scalar_value(event)
        except ValueError as error:
            raise Unreadable(str(error), line) from None
        node = Node(value, line)
        if event.anchor:
            self._anchors[event.anchor] = node
        return self._put(node)

    def _key(self, top: _Open, event: yaml.ScalarEvent, line: int) -> None:
        if event.anchor:
            self._anchors[event.anchor] = Node(event.value, line)
        top.key, top.key_line = event.value, line
        top.merging = event.value == _MERGE and event.style == ""
        first = top.children.get(event.value)
        if first is not None and not top.merging:
            self.duplicates.append(
                Unreadable(
                    f"{event.value} is written twice, in lines {first.line} and {line}",
                    line,
                    advice="remove one of them",
                )
            )

    def _alias(self, name: str, line: int) -> Node:
        if name not in self._anchors:
            raise Unreadable(f"*{name} stands for nothing: no &{name} comes before it", line)
        node = self._anchors[name]
        if node is None:
            raise Unreadable(f"*{name} stands within &{name}, so it would never end", line)
        self._copies += node.size
        if self._copies > MOST_COPIES:
            raise Unreadable(f"aliases stand for more than {MOST_COPIES} values", line)
        return Node(node.value, line, {}, node.size)

    def _put(self, node: Node) -> Node | None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise Unreadable(f"more than {MOST_NODES} values", node.line)
        if not self._stack:
            return node
        top = self._stack[-1]
        top.size += node.size
        if isinstance(top.value, list):
            top.children[len(top.value)] = node
            top.value.append(node.value)
            return None
        if top.key is None:
            raise Unreadable("a key is text, not an alias", node.line)
        key, top.key = top.key, None
        if top.merging:
            top.merged.append(node)
        else:
            top.value[key] = node.value
            top.children[key] = Node(node.value, top.key_line, node.children, node.size)
        return None


def _scalar_value(event: yaml.ScalarEvent) -> Any:  # noqa: ANN401 - any YAML scalar
    if event.tag is not None and event.tag != "!":
        return scalars.resolve_tagged(event.tag, event.value)
    return scalars.resolve(event.value) if event.implicit[0] else event.value


def _plain_tag(tag: str | None, name: str, line: int) -> None:
    if tag not in (None, "!", f"tag:yaml.org,2002:{name}"):
        raise Unreadable(f"the tag {tag} is not known", line, advice="remove the tag")


def _merge(into: dict[str, Any], merged: list[Node]) -> None:
    """`<<`: entries that the mapping does not have itself; of several the first one wins."""
    for node in merged:
        for source in node.value if isinstance(node.value, list) else [node.value]:
            if not isinstance(source, dict):
                raise Unreadable("<< takes a mapping or a list of mappings", node.line)
            for key, value in source.items():
                into.setdefault(key, value)
