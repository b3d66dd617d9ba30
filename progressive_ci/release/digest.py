"""What a plan is to do, as one short text: equal for plans that take the same steps the same way. Pure."""

import hashlib
import json
from typing import Any

from progressive_ci.model.codec import encode
from progressive_ci.model.plan import Plan

_LENGTH = 16


def digest(plan: Plan) -> str:
    """A digest of steps, guards and route; where they stand in a file does not matter."""
    told = [plan.mode, plan.steps, plan.guards, plan.route, plan.drain_seconds, plan.abort_drain_seconds]
    text = json.dumps(_without_sources(encode(told)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def _without_sources(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return [_without_sources(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_sources(item) for key, item in value.items() if not _is_source(item)}
    return value


def _is_source(value: object) -> bool:
    return isinstance(value, dict) and value.get("is") == "Source"
