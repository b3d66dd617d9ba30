"""A bad version is gone at once: users see only its own errors, and nothing of it stays."""

import statistics
import time
from collections.abc import Callable

import pytest

from tests.e2e import given, then, when
from tests.e2e.given import BAD, OLD, Shop

pytest_plugins = ["tests.e2e.cluster.fixtures", "tests.e2e.opening"]

_VERSION = "2.0.0-err30"


@pytest.mark.parametrize("router", ["gateway", "istio"])
def test_a_bad_version_is_taken_back_and_the_log_says_why(shop: Callable[..., Shop], router: str) -> None:
    place = shop(router)
    place.releases(BAD)
    before = then.pods(place, OLD)
    with when.users(place) as load:
        run = when.run(place)
        load.wait_for(requests=200)
        records = load.stop()
    then.ended(run, 10, "rolled-back-unhealthy")
    then.only_the_canary_failed(records, _VERSION)
    assert then.pods(place, OLD) == before
    assert before.untouched
    then.only_serves(place, OLD)
    then.nothing_of_ours_is_left(place)
    assert then.split(place) == {given.STABLE: 100, given.CANARY: 0}
    assert not then.pods(place, BAD).restarts
    last = "\n".join(text for _, text in run.lines[-8:])
    assert "success-rate" in last
    assert "analysistemplate.yaml:9" in last


@pytest.mark.parametrize("router", ["gateway", "istio"])
def test_users_see_the_verdict_within_half_a_second(shop: Callable[..., Shop], router: str) -> None:
    place = shop(router)
    place.releases(BAD, steps=given.setting(50, 60, pause="10s"))
    taken = [_seconds_from_verdict(place) for _ in range(5)]
    asked, felt = ([pair[index] for pair in taken] for index in (0, 1))
    assert statistics.median(felt) < 0.5, taken
    assert statistics.median(asked) < 0.3, taken


def _seconds_from_verdict(place: Shop) -> tuple[float, float]:
    """Seconds from the end of the deciding measurement to the safe write, and to the last bad answer."""
    began = time.time()
    with when.users(place) as load:
        run = when.run(place)
        load.wait_for(requests=50)
        records = load.stop()
    then.ended(run, 10, "rolled-back-unhealthy")
    then.only_the_canary_failed(records, _VERSION)
    verdict = then.verdict(then.asked(place, began))
    return verdict.safe_write - verdict.measured, (records.last_bad() or 0.0) - verdict.measured


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("2.0.0-missing", "ImagePullBackOff"),
        ("2.0.0-crash", "CrashLoopBackOff"),
        ("2.0.0-neverready", "ready"),
    ],
    ids=["an image that can't be pulled", "a crash loop", "pods that never become ready"],
)
def test_a_version_that_never_serves_is_taken_back(shop: Callable[..., Shop], tag: str, told: str) -> None:
    place = shop()
    place.releases(f"example/app:{tag}", ready_seconds=20)
    before = then.pods(place, OLD)
    with when.users(place) as load:
        run = when.run(place)
        records = load.stop()
    then.ended(run, 11, "rolled-back-unready")
    assert told in run.told["reason"], run.log
    then.no_request_failed(records)
    assert then.pods(place, OLD) == before
    then.only_serves(place, OLD)
    then.nothing_of_ours_is_left(place)


_HALFWAY = [{"setWeight": 20}, {"pause": {"duration": "30s"}}, *given.setting(50, 100)]
"""At step 2 the test has half a minute to take Prometheus away before the next weight."""


def test_prometheus_may_be_away_for_less_than_the_timeout(shop: Callable[..., Shop]) -> None:
    place = shop()
    place.releases(given.NEW, steps=_HALFWAY)
    with when.users(place) as load, when.start(place, "run", "--metrics-timeout", "300s") as tool:
        tool.wait_for("== step 2/")
        with given.no_prometheus(place.cluster):
            load.wait_for(requests=6000, seconds=200)  # a minute
            assert "-> 50 %" not in tool.log
        run = tool.end()
        records = load.stop()
    then.ended(run, 0, "promoted")
    then.no_request_failed(records)


def test_prometheus_away_for_longer_is_no_verdict_on_the_version(shop: Callable[..., Shop]) -> None:
    place = shop()
    place.releases(given.NEW, steps=_HALFWAY)
    with when.users(place) as load, when.start(place, "run", "--metrics-timeout", "20s") as tool:
        tool.wait_for("== step 2/")
        with given.no_prometheus(place.cluster):
            run = tool.end()
        records = load.stop()
    then.ended(run, 12, "rolled-back-unavailable")
    then.no_request_failed(records)
    then.only_serves(place, OLD)
    then.nothing_of_ours_is_left(place)
