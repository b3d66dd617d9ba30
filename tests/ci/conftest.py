"""The stage for every test here."""

from collections.abc import Iterator

import pytest

from tests.ci.stage import Stage, opened


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A cluster of its own for each test."""
    with opened() as found:
        yield found
