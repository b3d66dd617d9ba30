"""Reads the user's files: names, folders and standard input, and nothing outside the workspace by a link."""

import os
import sys
from pathlib import Path

from progressive_ci.errors import ProgressiveError, SpecInvalid

ENDINGS = (".yaml", ".yml", ".json")
LARGEST = 16 * 1024 * 1024


def read(names: tuple[str, ...], *, workspace: str) -> tuple[tuple[str, str], ...]:
    """Name and text of every file, in a fixed order: as given, and by name within folders.

    Raises:
        SpecInvalid: no file, or files that cannot be read; all of them at once.
    """
    if not names:
        raise SpecInvalid(
            ProgressiveError("no spec was given", advice="name files or folders with --file, or - for stdin")
        )
    texts: list[tuple[str, str]] = []
    complaints: list[ProgressiveError] = []
    for name in names:
        for path in _expanded(name, complaints):
            try:
                texts.append((str(path), _text(path, _fence(name, workspace))))
            except ProgressiveError as complaint:
                complaints.append(complaint)
    if complaints:
        raise SpecInvalid(*complaints)
    return tuple(texts)


def _expanded(name: str, complaints: list[ProgressiveError]) -> tuple[str, ...]:
    """The files that a name stands for."""
    path = Path(name)
    if name == "-" or not path.is_dir():
        return (name,)
    found = tuple(
        str(Path(folder) / file)
        for folder, folders, files in os.walk(path)
        for file in sorted(files)
        if _wanted(folders) and file.endswith(ENDINGS) and not file.startswith(".")
    )
    if not found:
        complaints.append(
            ProgressiveError(
                "the folder holds no YAML or JSON file",
                where=name,
                advice="files end in .yaml, .yml or .json",
            )
        )
    return found


def _wanted(folders: list[str]) -> bool:
    """Keep os.walk out of hidden folders, and in order."""
    folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
    return True


def _fence(name: str, workspace: str) -> Path:
    """The folder that links may not leave: the workspace, or what the user named outside of it."""
    named, root = Path(os.path.abspath(name)), Path(os.path.abspath(workspace))  # noqa: PTH100 - links must stay
    if named.is_relative_to(root):
        return root.resolve()
    return (named if named.is_dir() else named.parent).resolve()


def _text(name: str, fence: Path) -> str:
    """One file's text.

    Raises:
        ProgressiveError: it cannot be read, leads out of the workspace, is too large or is not UTF-8.
    """
    if name == "-":
        raw = sys.stdin.buffer.read(LARGEST + 1)
    else:
        real = Path(name).resolve()
        if not real.is_relative_to(fence):
            raise ProgressiveError(
                "the link leads out of the workspace", where=name, advice=f"copy the file below {fence}"
            )
        try:
            with real.open("rb") as file:
                raw = file.read(LARGEST + 1)
        except OSError as error:
            raise ProgressiveError(
                f"cannot be read: {error.strerror}", where=name, advice="check the path given with --file"
            ) from error
    if len(raw) > LARGEST:
        raise ProgressiveError("is larger than 16 MiB", where=name, advice="name the release's own files")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ProgressiveError("is not UTF-8", where=f"{name}:{line}", advice="save it as UTF-8") from error
