"""Owns the reading of JSON that somebody else has written: servers, plugins, whoever may edit a ConfigMap."""

import json
from typing import Any


def parsed(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The value.

    Raises:
        ValueError: it is no JSON, or nested deeper than anything that is meant to be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
