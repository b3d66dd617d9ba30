"""Owns the comparison of a document with its table: nothing is ignored in silence."""

from difflib import get_close_matches
from typing import Any, assert_never

from progressive_ci.model.document import Document
from progressive_ci.specs.complaints import NOT_BUILT, Complaints
from progressive_ci.specs.fields import Anything, Field, Many, Named, Scalar, Shape, Struct, Support, Table


def check(document: Document, table: Table, complaints: Complaints) -> dict[str, Any]:
    """What the tool understands of a document; everything else is complained about or noted.

    Returns:
        The body with the built fields only, each of the right kind. A field that was complained about is
        left out.
    """
    return _Check(document, complaints).struct(document.body, table, "")


_WRONG = object()


class _Check:
    """One walk through one document."""

    def __init__(self, document: Document, complaints: Complaints) -> None:
        self._document = document
        self._complaints = complaints

    def struct(
        self, body: dict[str, Any], table: Table, path: str, others: Field | None = None
    ) -> dict[str, Any]:
        understood: dict[str, Any] = {}
        for key, value in body.items():
            below = f"{path}.{key}".lstrip(".")
            row = table.get(key, others)
            if row is None:
                self._unknown(key, table, below)
                continue
            kept = self._field(key, value, row, below)
            if kept is not _WRONG:
                understood[key] = kept
        for key, row in table.items():
            if row.required and body.get(key) is None:
                self._add(f"{path}.{key}".lstrip("."), f"{key} is missing", row.note)
        return understood

    def _field(self, key: str, value: Any, row: Field, path: str) -> Any:  # noqa: ANN401 - any YAML value
        match row.support:
            case Support.BUILT:
                return self._built(value, row, path)
            case Support.LATER:
                if value is not None and value not in row.unless:
                    advice = row.note or "remove the field to release without it"
                    self._add(path, f"{NOT_BUILT}: {key}", advice)
                return _WRONG
            case Support.IGNORED:
                if value not in (None, {}, []):
                    self._complaints.note(self._document.at(path), f"no effect: {row.note}")
                return _WRONG
            case _:
                assert_never(row.support)

    def _built(self, value: Any, row: Field, path: str) -> Any:  # noqa: ANN401 - any YAML value
        if value is None:
            if not row.required:
                self._complaints.note(self._document.at(path), "has no value and counts as not written")
            return _WRONG
        return self._value(value, row.shape, path)

    def _value(self, value: Any, shape: Shape, path: str) -> Any:  # noqa: ANN401 - any YAML value
        match shape:
            case Scalar(wanted=wanted, accepts=accepts, advice=advice, secret=secret):
                seen = "something else" if secret else _shown(value)
                return value if accepts(value) else self._kind(seen, wanted, path, advice)
            case Struct(table=table, others=others) if isinstance(value, dict):
                return self.struct(value, table, path, others)
            case Struct():
                return self._kind(_shown(value), "fields with values", path)
            case Many(item=item):
                return self._many(value, item, path)
            case Named(item=item):
                return self._named(value, item, path)
            case Anything():
                return value
            case _:
                assert_never(shape)

    def _many(self, value: Any, item: Shape, path: str) -> Any:  # noqa: ANN401 - any YAML value
        if not isinstance(value, list):
            return self._kind(_shown(value), "a list", path, "begin each entry with '- '")
        kept = [self._value(each, item, f"{path}[{index}]") for index, each in enumerate(value)]
        return [None if each is _WRONG else each for each in kept]

    def _named(self, value: Any, item: Shape, path: str) -> Any:  # noqa: ANN401 - any YAML value
        if not isinstance(value, dict):
            return self._kind(_shown(value), "names and values", path)
        kept = {key: self._value(each, item, f"{path}.{key}") for key, each in value.items()}
        return {key: each for key, each in kept.items() if each is not _WRONG}

    def _kind(self, seen: str, wanted: str, path: str, advice: str = "") -> object:
        self._add(path, f"expected {wanted}, found {seen}", advice)
        return _WRONG

    def _unknown(self, key: str, table: Table, path: str) -> None:
        close = get_close_matches(key, table, n=1, cutoff=0.6)
        advice = f"did you mean {close[0]}?" if close else f"known here: {', '.join(sorted(table))}"
        self._add(path, f"unknown field {key}", advice)

    def _add(self, path: str, what: str, advice: str = "") -> None:
        self._complaints.add(self._document.at(path), what, advice=advice)


def _shown(value: Any) -> str:  # noqa: ANN401 - any YAML value
    match value:
        case None:
            return "nothing"
        case bool():
            return f"{str(value).lower()} (yes, no, on and off are read as true and false too)"
        case str():
            return f"the text {value[:40]!r}"
        case int() | float():
            return f"the number {value}"
        case dict():
            return "fields"
        case _:
            return "a list"
