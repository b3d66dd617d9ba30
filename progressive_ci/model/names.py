"""What may be the name of an object or a namespace, so that a path with it leads to nothing else."""

import re

_SEGMENT = re.compile(r"[-.:@\w]+", re.ASCII)
"""More than Kubernetes allows for most kinds; nothing that ends, climbs or escapes in a URL's path."""


def is_name(text: str) -> bool:
    """Whether a text can stand as one segment of a path."""
    return _SEGMENT.fullmatch(text) is not None and text.strip(".") != ""
