"""What stands in the ConfigMap of a journal under the key of the recalls: one as it is, several as a list."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from progressive_ci.model.document import JsonObject
from progressive_ci.model.json_text import parsed

RECALL_KEY = "recall.json"
"""What others ask of a release stands beside its journal."""

_KEPT = timedelta(days=1)
"""Longer than a run waits for its turn: one that was asked and has gone leaves nothing that would take it away."""


def recalls_in(found: JsonObject | None) -> tuple[JsonObject, ...]:
    """What stands under the key, one or a list; whoever put something else there has asked nothing."""
    text = ((found or {}).get("data") or {}).get(RECALL_KEY)
    try:
        there = parsed(text) if isinstance(text, str) else None
    except ValueError:
        return ()
    each = there if isinstance(there, list) else [there]
    # Anything but a text would not even compare with the ids of releases, and so keep one from its last entry.
    return tuple(
        recall for recall in each if isinstance(recall, dict) and isinstance(recall.get("release"), str)
    )


def recall_text(recalls: Sequence[JsonObject]) -> str:
    """One stands there as it is: that is what an earlier version of this tool understands."""
    there = recalls[0] if len(recalls) == 1 else recalls
    return json.dumps(there, separators=(",", ":"), ensure_ascii=False)


def outlasting(recalls: Sequence[JsonObject], ended: JsonObject) -> str | None:
    """What stays when a release ends: others may still wait for their turn, and have not listened yet.

    Args:
        recalls: that stand there.
        ended: record of the release, with its last entry.

    Returns:
        The text for the key; None where none stays.
    """
    over = {ended.get("release"), *(row["release"] for row in ended.get("endings", ()))}
    left = [each for each in recalls if each.get("release") not in over and _is_recent(each, ended)]
    return recall_text(left) if left else None


def _is_recent(recall: JsonObject, ended: JsonObject) -> bool:
    try:
        at, now = (datetime.fromisoformat(text) for text in (recall["at"], ended["updated"]))
        return abs(now - at) < _KEPT
    except (KeyError, TypeError, ValueError):
        return False
