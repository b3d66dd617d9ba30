"""Texts that a library wants to read from a path: certificates and keys. They never reach a disk on Linux.

The container may have a read-only file system, and a key that was never written can't be left behind.
"""

import atexit
import os
import sys
import tempfile
from pathlib import Path

_paths: dict[bytes, str] = {}


def path_of(content: bytes) -> str:
    """A path under which this process can read the content, the same one for the same content."""
    if content not in _paths:
        _paths[content] = _in_memory(content) or _on_disk(content)
    return _paths[content]


def _in_memory(content: bytes) -> str:
    if sys.platform != "linux":
        return ""
    descriptor = os.memfd_create("progressive-ci")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    path = f"/proc/self/fd/{descriptor}"
    if not Path(path).is_file():  # no /proc in here
        os.close(descriptor)
        return ""
    return path


def _on_disk(content: bytes) -> str:
    descriptor, path = tempfile.mkstemp(prefix="progressive-ci-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    atexit.register(Path(path).unlink, missing_ok=True)
    return path
