"""Quantities of resources, as the API server writes them. Pure.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from decimal import Decimal

_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?[0-9]{1,3}))?"
)
_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def quantity(text: object) -> Decimal:
    """500m, 1.5, 64Mi or 2e3 as a number; 0 for what is none, which the API server refuses anyway."""
    found = _QUANTITY.fullmatch(str(text).strip())
    if found is None:
        return Decimal()
    number, suffix, exponent = Decimal(found[1]), found[2], found[3]
    if suffix in _BINARY:
        return number * Decimal(1024) ** _BINARY[suffix]
    return number.scaleb(int(exponent) if exponent else _POWERS.get(suffix, 0))
