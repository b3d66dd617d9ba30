"""The image, built once for a session, and a cluster for the tests that release something."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.stage import Stage, opened
from tests.image.engine import Engine, engine_in, missing


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The built image; fails where the machine lacks what that needs, and says what."""
    lacking = missing()
    assert not lacking, f"the image tests need {', '.join(lacking)}; .ci/run installs what Debian offers"
    cache = Path(os.environ.get("CACHE") or Path.home() / ".cache" / "progressive-ci")
    built = engine_in(cache / "image")
    built.build()
    return built


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A cluster of its own for each test."""
    with opened() as found:
        yield found
