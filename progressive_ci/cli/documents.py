"""Reads the user's files: names, folders and standard input, and nothing outside the workspace by a link."""

import os
import stat
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

from progressive_ci.errors import ProgressiveError, SpecInvalid

ENDINGS = (".yaml", ".yml", ".json")

LARGEST = 16 * 1024 * 1024
"""Bytes of one file."""

MOST_BYTES = 64 * 1024 * 1024
MOST_FILES = 10_000
"""Of everything that is named."""


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
            for content in _contents(name, _fence(name, workspace)):
                found.append(content)
                _bound(name, found)
        except ProgressiveError as complaint:
            complaints.append(complaint)
    if complaints:
        raise SpecInvalid(*complaints)
    return tuple(found)


def _contents(name: str, fence: Path) -> Iterator[tuple[str, bytes]]:
    """What a name stands for: standard input, a file, or every document file below a folder."""
    if name == "-":
        yield name, _whole(sys.stdin.buffer, name)
        return
    if not Path(name).is_dir():
        yield name, _content(Path(name), fence)
        return
    paths = sorted(islice(_documents(Path(name)), MOST_FILES + 1))
    if not paths:
        raise ProgressiveError(
            "the folder holds no YAML or JSON file", where=name, advice="files end in .yaml, .yml or .json"
        )
    for path in paths:
        yield str(path), _content(path, fence)


def _bound(name: str, found: list[tuple[str, bytes]]) -> None:
    if len(found) > MOST_FILES or sum(len(content) for _, content in found) > MOST_BYTES:
        raise ProgressiveError(
            f"more than {MOST_FILES} files or {MOST_BYTES // 1024**2} MiB",
            where=name,
            advice="name only the release's own documents",
        )


def _documents(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if _is_document(path, folder))


def _is_document(path: Path, folder: Path) -> bool:
    """Whether a folder means it for us; a link to something else than a file is told about, not passed over."""
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix in ENDINGS and not hidden and (path.is_symlink() or path.is_file())


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
    try:
        real = path.resolve()
        if not real.is_relative_to(fence):
            raise ProgressiveError(
                "the link leads out of the workspace", where=str(path), advice=f"copy the file below {fence}"
            )
        with _opened(real if real.exists() else path, linked=not real.exists()) as file:
            return _whole(file, str(path))
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", "") or "its links lead in a circle"
        raise ProgressiveError(
            f"the file cannot be read: {why}", where=str(path), advice="check the path"
        ) from error


def _opened(path: Path, *, linked: bool) -> IO[bytes]:
    """Open what was looked at, and not what somebody has put in its place; a device is no document.

    A pipe is one: `-f <(helm template ...)` is how shells hand over what a command prints. It has no path but its
    link.
    """
    number = os.open(path, os.O_RDONLY | (0 if linked else os.O_NOFOLLOW))
    kind = os.fstat(number).st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind)):
        os.close(number)
        advice = "name a file, or - for standard input"
        raise ProgressiveError("it is no file", where=str(path), advice=advice)
    return os.fdopen(number, "rb")


def _whole(file: IO[bytes], name: str) -> bytes:
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ProgressiveError(
            f"it holds more than {LARGEST // 1024**2} MiB",
            where=name,
            advice="give only the release's own documents",
        )
    return content
