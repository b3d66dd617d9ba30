"""Owns `fieldRef`: a value of the Rollout by its path, as upstream reads paths."""

import re
from typing import Any

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.document import JsonObject

_KEYED = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
_METADATA = ("metadata.name", "metadata.namespace", "metadata.uid")


def value(subject: JsonObject, path: str) -> str:
    """The value at a path.

    Raises:
        ProgressiveError: there is none, or it is a list or an object.
    """
    if path.startswith("metadata"):
        return _metadata(subject.get("metadata") or {}, path)
    found: Any = subject
    for section in filter(None, re.split(r"[.\[\]]+", path)):
        found = _below(found, section, path)
    if found is None:
        raise ProgressiveError(f"the workload has no {path}", advice="name a field that the document holds")
    if isinstance(found, dict | list):
        raise ProgressiveError(f"{path} is no single value", advice="name a field further down")
    return str(found).lower() if isinstance(found, bool) else str(found)


def _below(found: Any, section: str, path: str) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(found, dict):
        return found.get(section)
    if not isinstance(found, list):
        raise ProgressiveError(f"the workload has no {path}", advice="name a field that the document holds")
    if not section.isascii() or not section.isdigit():
        raise ProgressiveError(f"{section} in {path} is no index of a list", advice="write a number")
    if len(section) > 9 or int(section) >= len(found):  # noqa: PLR2004 - digits; no list is that long
        raise ProgressiveError(f"index {section} in {path} is beyond the list's {len(found)} entries")
    return found[int(section)]


def _metadata(metadata: JsonObject, path: str) -> str:
    keyed = _KEYED.fullmatch(path)
    if keyed is None and path not in _METADATA:
        raise ProgressiveError(
            f"{path} is no field of metadata that can be referred to",
            advice="use name, namespace, uid, labels['KEY'] or annotations['KEY'] of metadata",
        )
    found = (
        (metadata.get(keyed[1]) or {}).get(keyed[2])
        if keyed
        else metadata.get(path.removeprefix("metadata."))
    )
    if not isinstance(found, str):
        raise ProgressiveError(f"the workload has no {path}", advice="add it to the document, or use value")
    return found
