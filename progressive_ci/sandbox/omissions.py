"""What the API server leaves out when it stores a document: nulls, and of built-in kinds what is empty or zero."""

from typing import Any

_EMPTY = frozenset(
    {
        "annotations",
        "binaryData",
        "data",
        "labels",
        "limits",
        "matchLabels",
        "nodeSelector",
        "requests",
        "selector",
    }
)
"""Maps that are left out when they are empty."""

_ZERO = frozenset(
    {
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "initialDelaySeconds",
        "minReadySeconds",
        "paused",
        "publishNotReadyAddresses",
        "stdin",
        "tty",
    }
)
"""Numbers and booleans that are left out when they are 0 or false."""


def stored(value: Any, *, custom: bool) -> Any:  # noqa: ANN401 - any JSON value
    """A copy as it would be stored; custom resources lose their nulls only."""
    if isinstance(value, list):
        return [stored(each, custom=custom) for each in value]
    if not isinstance(value, dict):
        return value
    copied = {key: stored(each, custom=custom) for key, each in value.items() if each is not None}
    return copied if custom else {key: each for key, each in copied.items() if not _left_out(key, each)}


def _left_out(key: str, value: object) -> bool:
    return value == [] or (value == {} and key in _EMPTY) or (not value and key in _ZERO)
