"""Owns the digest of what a journal must not change: every object that a release writes carries it.

Who may edit ConfigMaps may edit the journal; who may edit a ConfigMap may not edit the workload. So the journal's
word about what to restore and where counts only as far as the objects themselves vouch for it (`release.trust`).
"""

import json
from hashlib import sha256

from progressive_ci.model.document import JsonObject

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

_LENGTH = 32


def seal_of(body: JsonObject) -> str:
    """The digest of a record as the journal holds it, whatever tool wrote it.

    Args:
        body: the encoded record; fields that an older tool did not know are absent and stay so.
    """
    kept = {name: body[name] for name in FIXED if name in body}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:_LENGTH]
