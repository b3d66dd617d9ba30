"""Reads the user's files: names, folders and standard input, and nothing outside the workspace by a link."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from progressive_ci.errors import ProgressiveError, SpecInvalid

ENDINGS = (".yaml", ".yml", ".json")

LARGEST = 16 * 1024 * 1024
"""Bytes of one file that are read at most; the reader of specs refuses far smaller ones."""


def read(names: tuple[str, ...], *, workspace: str) -> tuple[tuple[str, bytes], ...]:
    """Name and content of every file, in a fixed order: as given, and by path within folders.

    Raises:
        SpecInvalid: no file, or files that cannot be read; all of them at once.
    """
    if not names:
        raise SpecInvalid(
            ProgressiveError("no spec was given", advice="name files or folders with --file, or - for stdin")
        )
    found: list[tuple[str, bytes]] = []
    complaints: list[ProgressiveError] = []
    for name in names:
        try:
            found.extend(_contents(name, _fence(name, workspace)))
        except ProgressiveError as complaint:
            complaints.append(complaint)
    if complaints:
        raise SpecInvalid(*complaints)
    return tuple(found)


def _contents(name: str, fence: Path) -> Iterator[tuple[str, bytes]]:
    """What a name stands for: standard input, a file, or every document file below a folder."""
    if name == "-":
        yield name, sys.stdin.buffer.read(LARGEST)
        return
    if not Path(name).is_dir():
        yield name, _content(Path(name), fence)
        return
    paths = sorted(path for path in Path(name).rglob("*") if _is_document(path, Path(name)))
    if not paths:
        raise ProgressiveError(
            "the folder holds no YAML or JSON file", where=name, advice="files end in .yaml, .yml or .json"
        )
    for path in paths:
        yield str(path), _content(path, fence)


def _is_document(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix in ENDINGS and not hidden and path.is_file()


def _fence(name: str, workspace: str) -> Path:
    """The folder that links may not leave: the workspace, or what the user named outside of it."""
    named, root = Path(os.path.abspath(name)), Path(os.path.abspath(workspace))  # noqa: PTH100 - keeps links
    if named.is_relative_to(root):
        return root.resolve()
    return (named if named.is_dir() else named.parent).resolve()


def _content(path: Path, fence: Path) -> bytes:
    """One file's bytes.

    Raises:
        ProgressiveError: it cannot be read, or leads out of the workspace.
    """
    if not path.resolve().is_relative_to(fence):
        raise ProgressiveError(
            "the link leads out of the workspace", where=str(path), advice=f"copy the file below {fence}"
        )
    try:
        with path.open("rb") as file:
            return file.read(LARGEST)
    except OSError as error:
        raise ProgressiveError(
            f"the file cannot be read: {error.strerror}",
            where=str(path),
            advice="check the path",
        ) from error
