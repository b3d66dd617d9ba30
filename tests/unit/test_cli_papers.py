"""The state file that a run leaves for its post step."""

from pathlib import Path

import pytest

from progressive_ci.cli.papers import left_state
from progressive_ci.errors import SpecInvalid


def test_what_a_run_has_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text('{"release": "7f3c2a", "workload": "shop/web"}\n')
    assert left_state(str(path)) == {"release": "7f3c2a", "workload": "shop/web"}


def test_a_run_that_has_written_nothing_has_left_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state"
    assert left_state(str(path)) == {}
    path.touch()
    assert left_state(str(path)) == {}


@pytest.mark.parametrize("text", ["garbage", "[]", '{"release": '])
def test_a_file_that_is_no_state_is_not_taken_for_no_release(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state"
    path.write_text(text)
    with pytest.raises(SpecInvalid, match="it is no state of a run"):
        left_state(str(path))


def test_a_file_that_can_not_be_read_is_not_taken_for_no_release(tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid, match="Is a directory"):
        left_state(str(tmp_path))
