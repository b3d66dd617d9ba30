"""Rule 11 as far as requests show it: no token that opens the API server stands in what is sent to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from progressive_ci.sandbox.call import Call

if TYPE_CHECKING:
    from tests.scenario.oracle import Oracle


def before(oracle: Oracle, call: Call) -> None:
    """Path, query and body; the header that carries it is no part of what is recorded."""
    said = json.dumps([call.path, call.query, call.body], default=str)
    for token in oracle.sandbox.api.tokens.known:
        if token in said:
            oracle.say("11", f"{call.method} {call.path} tells a token")
