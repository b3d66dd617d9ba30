"""What a vector came to, and the comparison that leaves no key of an expectation out."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Json = Any
Predicate = Callable[[Json], bool]


@dataclass(frozen=True, slots=True)
class Passed:
    """Our code gives what the vector expects."""

    name: str


@dataclass(frozen=True, slots=True)
class Failed:
    """It does not, or nothing of ours answers this vector."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Deviated:
    """Our code gives exactly what a declared decision makes of the input."""

    name: str
    decision: str


NOTES = ("source", "notes", "note", "encoding", "legend", "origin")
"""Keys of a file that explain it."""

Result = Passed | Failed | Deviated


@dataclass(frozen=True, slots=True)
class Deviation:
    """What a decision makes of one input.

    Attributes:
        decision: first cell of a row under `## Deviations` in docs/compatibility.md.
        expect: what the decision gives for the keys in which it differs from upstream.
    """

    decision: str
    expect: Mapping[str, Json]


class Vectors(Protocol):
    """What each module in `tests.conformance.vectors` offers."""

    @staticmethod
    def run(data: Mapping[str, Json]) -> Iterable[Result]:
        """One result for each vector of a decoded file."""


def judge(
    name: str, expect: Mapping[str, Json], actual: Mapping[str, Json], *, deviation: Deviation | None = None
) -> Result:
    """Compare every key of an expectation.

    Args:
        name: of the vector.
        expect: the expectation; a key of it that `actual` lacks was never compared and fails the vector.
        actual: what our code gives under the same keys. A callable is a predicate over the expected value.
        deviation: what a decision of ours makes of this very input, computed from the input.
    """
    why = difference(expect, actual)
    if why is None:
        return Passed(name)
    if deviation is not None and difference({**expect, **deviation.expect}, actual) is None:
        return Deviated(name, deviation.decision)
    return Failed(name, why)


def difference(expect: Json, actual: Json, path: str = "") -> str | None:
    """The first place where two values differ, as a sentence; None where they are equal."""
    if callable(actual):
        return None if actual(expect) else f"{path}: {expect!r} does not hold"
    if isinstance(expect, Mapping) and isinstance(actual, Mapping):
        return _first(
            difference(value, actual[key], f"{path}.{key}")
            if key in actual
            else f"{path}.{key}: never compared"
            for key, value in expect.items()
        )
    if isinstance(expect, list) and isinstance(actual, list | tuple):
        if len(expect) != len(actual):
            return f"{path}: {len(expect)} wanted, {len(actual)} given: {actual!r}"
        pairs = enumerate(zip(expect, actual, strict=True))
        return _first(difference(left, right, f"{path}[{index}]") for index, (left, right) in pairs)
    same = isinstance(expect, bool) == isinstance(actual, bool) and expect == actual
    return None if same else f"{path}: wanted {expect!r}, got {actual!r}"


def _first(findings: Iterator[str | None]) -> str | None:
    return next((finding for finding in findings if finding is not None), None)


def by_section(
    sections: Mapping[str, Json], table: Mapping[str, Callable[[Mapping[str, Json]], Result]]
) -> Iterator[Result]:
    """Run each list of vectors through its row of the table.

    A list that has no row fails vector by vector, and so does a vector over which our code stumbles;
    anything else that is no note about the file fails too: nobody would compare it.
    """
    for section, vectors in sections.items():
        if not is_vectors(vectors):
            if section not in NOTES:
                yield Failed(section, "never compared")
            continue
        for index, vector in enumerate(vectors):
            name = f"{section}[{index}] {vector.get('name', '')}".rstrip()
            if section not in table:
                yield Failed(name, "no code for this section")
                continue
            try:
                result = table[section](vector)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong, it is this vector that failed
                yield Failed(name, f"{type(error).__name__}: {error}")
            else:
                yield _named(result, name)


def _named(result: Result, name: str) -> Result:
    match result:
        case Passed():
            return Passed(name)
        case Failed(why=why):
            return Failed(name, why)
        case Deviated(decision=decision):
            return Deviated(name, decision)


def is_vectors(value: Json) -> bool:
    """Whether a value is a list of vectors: objects, at least one."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)
