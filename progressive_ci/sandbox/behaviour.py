"""How the pods of a version behave, as the tag of its image says."""

import re
from dataclasses import dataclass
from enum import Enum

from progressive_ci.model.document import JsonObject


class Fate(Enum):
    """What becomes of a container."""

    SERVES = "serves"
    MISSING = "missing"
    CRASHES = "crash"
    KILLED = "outofmemory"
    NEVER_READY = "neverready"
    FLAPS = "flap"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One version.

    Attributes:
        version: the image's tag.
        fate: what becomes of its container.
        error_rate: share of requests answered with 500.
        latency: mean seconds an answer takes.
        start: seconds from the start of the container to its first answer.
    """

    version: str
    fate: Fate
    error_rate: float
    latency: float
    start: float


START = 1.0
LATENCY = 0.02

_ERRORS = re.compile(r"-err(\d+(?:\.\d+)?)")
_SLOW = re.compile(r"-slow(\d+)")
_START = re.compile(r"-start(\d+(?:\.\d+)?)")


def of_image(image: str) -> Behaviour:
    """Read the tag: `2.0.0-err8-slow500-start5`, or one with the word of a fate in it."""
    version = image.rpartition("/")[2].partition(":")[2] or "latest"
    fates = [fate for fate in Fate if fate.value in version and fate is not Fate.SERVES]
    errors, slow, start = (pattern.search(version) for pattern in (_ERRORS, _SLOW, _START))
    return Behaviour(
        version,
        fates[0] if fates else Fate.SERVES,
        float(errors[1]) / 100 if errors else 0.0,
        float(slow[1]) / 1000 if slow else LATENCY,
        float(start[1]) if start else START,
    )


def of_pod(pod: JsonObject) -> Behaviour:
    """The behaviour of the pod's first container."""
    return of_image(pod["spec"]["containers"][0]["image"])
