"""Quantities of resources as documents write them."""

from decimal import Decimal

import pytest

from progressive_ci.model.quantity import quantity

WRITTEN = {
    "4": 4,
    "1.5": "1.5",
    ".5": "0.5",
    "500m": "0.5",
    "100n": "0.0000001",
    "2k": 2000,
    "64Mi": 64 * 1024**2,
    "1.5Gi": 1536 * 1024**2,
    "1G": 10**9,
    "1E": 10**18,
    "2e3": 2000,
    "5E-1": "0.5",
    "-1": -1,
    "": 0,
    "many": 0,
}


@pytest.mark.parametrize(("text", "value"), WRITTEN.items(), ids=WRITTEN)
def test_a_quantity_is_the_number_that_the_api_server_makes_of_it(text: str, value: str | int) -> None:
    assert quantity(text) == Decimal(value)


def test_a_number_is_its_own_quantity() -> None:
    assert quantity(2) == 2
    assert quantity(0.5) == Decimal("0.5")
