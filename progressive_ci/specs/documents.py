"""Owns the step from YAML texts to documents that know the line of each of their fields."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from progressive_ci.model.document import Document, Source
from progressive_ci.model.names import is_name
from progressive_ci.specs.building import Builder, Node, Unreadable
from progressive_ci.specs.complaints import Complaints
from progressive_ci.specs.yaml_faults import explained, fault

MOST_CHARACTERS = 16 * 1024 * 1024

_NAMELESS = "give it a fixed name, in quotes where it is a number"
_ALONE = "write the name alone: letters, digits, - and ."
_SHOWN = 80
_BUILDERS = {"Kustomization": "build it first: kustomize build . | progressive-ci lint -f -"}

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(texts: Sequence[tuple[str, str | bytes]]) -> tuple[Document, ...]:
    """Every Kubernetes object in the texts, Lists unfolded, in their order.

    Args:
        texts: name of each file as the user gave it (`-` for standard input) and what it holds. JSON is YAML.

    Raises:
        SpecInvalid: something in any of the texts is no YAML or no Kubernetes object.
    """
    complaints = Complaints()
    documents = tuple(
        document
        for name, text in texts
        for document in _documents(name, _decoded(name, text, complaints), complaints)
    )
    _refuse_twins(documents, complaints)
    complaints.end()
    return documents


def _decoded(name: str, text: str | bytes, complaints: Complaints) -> str:
    if len(text) > MOST_CHARACTERS:
        what = f"the file is larger than {MOST_CHARACTERS // 1024**2} MiB"
        complaints.add(Source(name, 1), what, advice="give only the release's own documents")
        return ""
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    encoding = "utf-16" if text[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return text.decode(encoding)
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        complaints.add(
            Source(name, line),
            f"the file is no {encoding.removesuffix('-sig').upper()} text",
            advice="save it as UTF-8",
        )
        return ""


def _documents(name: str, text: str, complaints: Complaints) -> Iterator[Document]:
    builder = Builder()
    try:
        for root in builder.roots(yaml.parse(text, Loader=_LOADER)):
            yield from _objects(name, root, complaints)
    except Unreadable as error:
        found = explained(error, text)
        complaints.add(Source(name, found.lines[0]), found.what, advice=found.advice)
    except yaml.YAMLError as error:
        found = fault(error, text)
        complaints.add(Source(name, found.lines[0]), found.what, advice=found.advice)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        complaints.add(Source(name, line), "half of a character", advice="save the file as UTF-8")
    for twice in builder.duplicates:
        complaints.add(Source(name, twice.lines[0]), twice.what, advice=twice.advice)


def _objects(name: str, root: Node, complaints: Complaints) -> Iterator[Document]:
    if root.value is None:
        return
    source = Source(name, root.line)
    if not isinstance(root.value, dict):
        complaints.add(source, "no Kubernetes object: a mapping with apiVersion and kind is wanted")
        return
    items = root.children.get("items")
    if root.value.get("kind") == "List" and items is not None and isinstance(items.value, list):
        for item in items.children.values():
            yield from _objects(name, item, complaints)
        return
    for word in ("apiVersion", "kind"):
        if not isinstance(root.value.get(word), str) or not root.value[word]:
            advice = "give only files of Kubernetes objects; render charts and overlays first"
            complaints.add(source, f"no Kubernetes object: {word} is missing or no text", advice=advice)
            return
    metadata = root.value.get("metadata")
    called = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(called, str) or not called:
        what = f"the {root.value['kind']} has no metadata.name that is text"
        complaints.add(source, what, advice=_BUILDERS.get(root.value["kind"], _NAMELESS))
        return
    document = Document(root.value, source, Lines(root))
    for field in ("name", "namespace"):
        text = document.body["metadata"].get(field)
        if isinstance(text, str) and text and not is_name(text):
            what = f"{text[:_SHOWN]!r} can't be a {field}"
            complaints.add(document.at(f"metadata.{field}"), what, advice=_ALONE)
            return
    yield document


@dataclass(frozen=True)
class Lines(Mapping[str, int]):
    """The line of each field by its path, laid out when the first one is asked for."""

    root: Node

    @cached_property
    def _all(self) -> dict[str, int]:
        return dict(_lines(self.root, ""))

    def __getitem__(self, path: str) -> int:
        return self._all[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


def _lines(node: Node, path: str) -> Iterator[tuple[str, int]]:
    for key, child in node.children.items():
        below = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}".lstrip(".")
        yield below, child.line
        yield from _lines(child, below)


def _refuse_twins(documents: Sequence[Document], complaints: Complaints) -> None:
    seen: dict[tuple[str, str, str, str], Document] = {}
    for document in documents:
        group = document.body["apiVersion"].rpartition("/")[0]
        namespace = str(document.body["metadata"].get("namespace", ""))
        first = seen.setdefault((group, document.kind, namespace, document.name), document)
        if first is not document:
            what = f"{document.kind} {document.name} is given twice, first in {first.source}"
            complaints.add(document.source, what, advice="give it once")
