"""Owns waiting: a condition with a deadline instead of a sleep."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class HopelessError(Exception):
    """What is waited for can't come any more; ends the waiting at once."""


def wait_until(what: str, condition: Callable[[], T | None], *, seconds: float = 60, every: float = 0.1) -> T:
    """Return the condition's first truthy answer; after `seconds` a TimeoutError names `what`.

    An exception of the condition counts as "not yet".
    """
    deadline = time.monotonic() + seconds
    last: Exception | None = None
    while True:
        try:
            answer = condition()
        except HopelessError:
            raise
        except Exception as error:  # noqa: BLE001  (whatever it is, the deadline ends it and the text shows it)
            last = error
        else:
            last = None
            if answer:
                return answer
        if time.monotonic() > deadline:
            text = f"after {seconds:g} s still not: {what}" + (
                f" (last: {type(last).__name__}: {last})" if last else ""
            )
            raise TimeoutError(text)
        time.sleep(every)
