"""Every text of an analysis in which late arguments may stand. Pure."""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any

from progressive_ci.model.check import Text


def texts_of(value: Any) -> Iterable[Text]:  # noqa: ANN401 - walks any of our frozen values
    """The texts in a frozen value, depth first."""
    if isinstance(value, Text):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from texts_of(item)
    elif is_dataclass(value):
        for item in fields(value):
            yield from texts_of(getattr(value, item.name))
