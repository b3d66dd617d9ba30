"""The guard's Job: how its parts are named, and what image it may run."""

import pytest

from progressive_ci.errors import ProgressiveError
from progressive_ci.release.guard_job import checked_image, guard_name

DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize("image", [f"example.com/tool@{DIGEST}", f"example.com:5000/a/tool:1.2@{DIGEST}", ""])
def test_an_image_named_by_digest_or_none_at_all_is_taken(image: str) -> None:
    assert checked_image(image) == image


@pytest.mark.parametrize(
    "image", ["example.com/tool", "example.com/tool:1.2", f"@{DIGEST}", "tool@sha256:123", f"tool@{DIGEST}0"]
)
def test_an_image_that_may_change_is_refused_with_what_to_write(image: str) -> None:
    with pytest.raises(ProgressiveError) as caught:
        checked_image(image)
    assert f"--guard {image} does not name its image by digest" in str(caught.value)
    assert "write IMAGE@sha256:DIGEST" in caught.value.advice


@pytest.mark.parametrize("length", [1, 42, 43, 63, 253])
def test_a_name_fits_into_a_label_and_tells_workloads_apart(length: int) -> None:
    one, other = "a" * length, "a" * (length - 1) + "b"
    assert len(guard_name(one)) <= 63
    assert guard_name(one).startswith("progressive-ci-a")
    assert guard_name(one).endswith("-guard")
    assert guard_name(one) != guard_name(other)
