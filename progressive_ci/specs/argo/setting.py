"""Owns what the parts of an analysis are read with."""

from dataclasses import dataclass

from progressive_ci.model.document import JsonObject
from progressive_ci.specs.reading import Reading


@dataclass(frozen=True, slots=True)
class Setting:
    """Where an analysis is read.

    Attributes:
        reading: the work at hand.
        subject: the workload's document with namespace and chosen images, to which fieldRef refers.
        advice: how an argument gets a value, with its name as `NAME`.
    """

    reading: Reading
    subject: JsonObject
    advice: str = "add to args: - {name: NAME, value: ...}"
