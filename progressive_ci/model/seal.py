"""Owns the digest of what a journal must not change: every object that a release writes carries it.

Whoever may edit ConfigMaps may edit the journal, without being allowed to touch the workload. So the journal's
word about what to restore and where counts only as far as the objects themselves vouch for it (`release.trust`).
At rest no object carries a mark of ours; then the Lease vouches for what an undoing needs.
"""

import json
from dataclasses import MISSING, Field, fields, is_dataclass
from hashlib import sha256
from typing import Any

from progressive_ci.model.codec import encode
from progressive_ci.model.journal import Finished, Record
from progressive_ci.model.kinds import Kind

FIXED = (
    "release",
    "namespace",
    "name",
    "mode",
    "stable",
    "canary",
    "size",
    "held",
    "autoscaled",
    "surge",
    "unavailable",
    "route",
    "objects",
    "pinned",
    "wanted",
)
"""Fields of a record that stand from its first entry to its last."""

AT_REST = "progressive-ci/promoted"
"""Annotation of the Lease: the digest of what the journal says of the release that was promoted last."""

_LENGTH = 32


def seal_of(record: Record) -> str:
    """The digest; the same for every version of this tool that gives new fields a default."""
    return _digest({name: _written(getattr(record, name)) for name in FIXED})


def seal_at_rest(finished: Finished) -> str:
    """The digest of what an undoing goes by."""
    return _digest(_written(finished))


def _digest(value: Any) -> str:  # noqa: ANN401 - what JSON can hold
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:_LENGTH]


def _written(value: Any) -> Any:  # noqa: ANN401 - any of our frozen values
    """A value as JSON, without the fields that have their default."""
    if is_dataclass(value) and not isinstance(value, type | Kind):
        found = {item.name: getattr(value, item.name) for item in fields(value)}
        defaults = {item.name: _default(item) for item in fields(value)}
        body = {name: _written(each) for name, each in found.items() if each != defaults[name]}
        return {"is": type(value).__name__, **body}
    if isinstance(value, tuple):
        return [_written(item) for item in value]
    return encode(value)


def _default(item: Field[Any]) -> Any:  # noqa: ANN401 - of a field of any type
    return item.default_factory() if item.default_factory is not MISSING else item.default
