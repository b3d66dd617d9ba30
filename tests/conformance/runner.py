"""Finds files of vectors, runs each through its module, and adds up."""

import importlib
import importlib.util
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tests.conformance.result import Deviated, Failed, Json, Passed, Result, Vectors, is_vectors

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Report:
    """The results of one file."""

    file: str
    results: tuple[Result, ...]

    def count(self, kind: type[Result]) -> int:
        """How many vectors came to this."""
        return sum(isinstance(result, kind) for result in self.results)

    @property
    def line(self) -> str:
        """The file's line in the command's output."""
        counts = (
            f"{self.count(Passed)} passed, {self.count(Failed)} failed, {self.count(Deviated)} deviations"
        )
        return f"{self.file}: {counts}"


def reports(folder: Path) -> Iterator[Report]:
    """Every file of vectors below a folder, in order of their names."""
    paths = [folder] if folder.is_file() else sorted(folder.rglob("*.json"))
    for path in paths:
        name = path.name if path == folder else path.relative_to(folder).as_posix()
        yield Report(name, run(path))


def run(path: Path) -> tuple[Result, ...]:
    """Run one file."""
    data = json.loads(path.read_text(encoding="utf-8"))
    try:
        module = module_of(path)
        results = tuple(module.run(data)) if module else None
    except Exception as error:  # noqa: BLE001 - a file that breaks its module must not hide the other files
        return tuple(Failed(name, f"{type(error).__name__}: {error}") for name in names(data))
    if results is None:
        return tuple(Failed(name, "no code for this file") for name in names(data))
    missing = len(tuple(names(data))) - len(results)
    lost = (Failed(f"vector {index + 1} of those left out", "never run") for index in range(missing))
    return (*results, *lost)


def module_of(path: Path) -> Vectors | None:
    """The module for a file, by the file's name and whether its folder is Flagger's."""
    prefix = "flagger_" if path.resolve().parent.name == "flagger" else ""
    name = f"tests.conformance.vectors.{prefix}{path.stem}"
    if importlib.util.find_spec(name) is None:
        return None
    return cast("Vectors", importlib.import_module(name))


def names(data: Json, path: str = "") -> Iterator[str]:
    """Names of the vectors that a file holds: the items of its outermost lists of objects."""
    if is_vectors(data):
        yield from (f"{path}[{index}]" for index in range(len(data)))
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from names(value, f"{path}.{key}".lstrip("."))
