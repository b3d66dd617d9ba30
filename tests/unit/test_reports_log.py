"""The log as lines, plain and for GitHub."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from progressive_ci.model.document import Source
from progressive_ci.model.event import (
    Began,
    Ended,
    Event,
    Noted,
    Opened,
    Sampled,
    SecretSeen,
    Shifted,
    Stopped,
    Untrusted,
    Waiting,
    Warned,
)
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.model.weight import Weight
from progressive_ci.reports import github, plain
from progressive_ci.reports.ending import HEADLINE, ending
from progressive_ci.reports.format import Format
from progressive_ci.reports.story import Story, told

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
METRIC = Source("deploy/analysis.yaml", 14, "spec.metrics[0]")
WHY = "success-rate = 0.913, wanted result[0] >= 0.95: failed 4 times, the limit is 3"
BAD = Outcome(
    Result.UNHEALTHY,
    WHY,
    revision="6c8f7",
    previous_revision="5d9f7c",
    step=3,
    steps=9,
    source=METRIC,
    release="7f3c2a",
)
RUN: tuple[Event, ...] = (
    Began("preflight"),
    Noted("stable is ReplicaSet web-5d9f7c, 5 of 5 pods ready"),
    Opened("7f3c2a", "shop", "web"),
    Began("step 1/9 setWeight: 20"),
    Shifted(Weight(0), Weight(20)),
    Sampled("success-rate", "Failed", "0.913", "result[0] >= 0.95, 4 failed, limit 3", Weight(20), METRIC),
    Stopped("success-rate failed", METRIC),
    Ended(BAD),
)


def log_of(events: tuple[Event, ...], form: Format, *, apart: float = 1) -> list[str]:
    """Everything that is printed for events that come one after the other."""
    story, lines = Story(), list[str]()
    for number, event in enumerate(events):
        at = NOON + timedelta(seconds=number * apart)
        lines += form.lines(story, event, at, word="word")
        story = told(story, event, at)
    return lines


def test_a_plain_log_reads_like_a_story_and_ends_with_cause_state_and_next_step() -> None:
    lines = log_of(RUN, plain)
    assert lines == [
        "",
        "12:00:00  == preflight",
        "12:00:01  stable is ReplicaSet web-5d9f7c, 5 of 5 pods ready",
        "12:00:02  release 7f3c2a of shop/web",
        "",
        "12:00:03  == step 1/9 setWeight: 20",
        "12:00:04  traffic on the new version: 0 % -> 20 %",
        "12:00:05  success-rate = 0.913  BAD  (result[0] >= 0.95, 4 failed, limit 3)",
        "12:00:06  STOP: success-rate failed (deploy/analysis.yaml:14: spec.metrics[0])",
        "",
        "FAILED: rolled back, the new version is unhealthy (exit 10, rolled-back-unhealthy)",
        f"  why   {WHY} (deploy/analysis.yaml:14: spec.metrics[0])",
        "  now   all traffic is on the old version 5d9f7c, verified; the new version's pods are gone",
        "  next  fix the new version and run again; the samples above show what was measured",
        lines[-1],
    ]
    assert json.loads(lines[-1]) == {
        "result": "rolled-back-unhealthy",
        "exit": 10,
        "revision": "6c8f7",
        "previous": "5d9f7c",
        "step": 3,
        "steps": 9,
        "weight": 0,
        "reason": WHY,
        "release": "7f3c2a",
    }


def test_github_gets_groups_that_end_and_one_annotation_at_the_failing_metric() -> None:
    lines = log_of(RUN, github)
    title = "progressive-ci%3A rolled back%2C the new version is unhealthy"
    assert [line for line in lines if line.startswith("::")] == [
        "::group::12:00:00  preflight",
        "::endgroup::",
        "::group::12:00:03  step 1/9 setWeight: 20",
        "::endgroup::",
        f"::error file=deploy/analysis.yaml,line=14,title={title}::{WHY}",
    ]
    assert lines[-1].startswith('{"result"')


@pytest.mark.parametrize("result", Result, ids=lambda result: result.word)
def test_every_end_takes_at_most_five_lines(result: Result) -> None:
    recovered = "an older release was rolled back"
    outcome = Outcome(result, "a reason", revision="6c8f7", advice="do this", recovered=recovered)
    lines = ending(outcome)
    assert len(lines) <= 5
    assert HEADLINE[result][0] in lines[0]
    assert f"exit {result.code}" in lines[0]
    assert not any("{" in line for line in lines)


def test_a_run_that_is_cancelled_before_its_first_write_claims_no_rollback() -> None:
    lines = ending(Outcome(Result.CANCELLED, "SIGTERM arrived before the first write"))
    assert lines[0] == "FAILED: cancelled (exit 13, rolled-back-cancelled)"
    assert lines[2] == "  now   nothing was touched"


def test_of_several_workloads_each_ones_end_and_what_it_left_stand_above_the_ending() -> None:
    command = "Service shop/web: kubectl edit svc web"
    each = (
        Outcome(Result.RECOVERED, "died", workload="api"),
        Outcome(Result.INCOMPLETE, "no answer", advice="do it", left=(command,), workload="web"),
    )
    whole = Outcome(Result.INCOMPLETE, "2 journals in shop, 1 releases finished", each=each)
    lines = log_of((Ended(whole),), plain)
    assert lines[1:4] == [
        "api: recovered: died",
        "web: rollback-incomplete: no answer; do it",
        f"left: {command}",
    ]
    assert "  now   each workload's end stands on a line above" in lines


def test_what_is_left_behind_stands_above_the_ending_with_its_command() -> None:
    outcome = Outcome(Result.INCOMPLETE, "no answer", left=("Service shop/web: kubectl edit svc web",))
    lines = log_of((Ended(outcome),), plain)
    assert lines[1] == "left: Service shop/web: kubectl edit svc web"


HOSTILE = "\r::error::x\n::set-output name=a::b\x1b[2K##[add-mask]y"


@pytest.mark.parametrize(
    "event",
    [
        Noted(HOSTILE),
        Warned(HOSTILE),
        Stopped(HOSTILE),
        Began(HOSTILE),
        Sampled("m" + HOSTILE, "Error", HOSTILE, HOSTILE, Weight(5)),
        Waiting(HOSTILE, 1, 2, Weight(0)),
        Untrusted(HOSTILE, (HOSTILE,)),
        Ended(Outcome(Result.UNREADY, HOSTILE, details=(HOSTILE,), left=(HOSTILE,), advice=HOSTILE)),
    ],
    ids=lambda event: type(event).__name__,
)
def test_text_of_others_can_neither_command_the_runner_nor_the_terminal(event: Event) -> None:
    for form in (plain, github):
        lines = log_of((event,), form)
        assert not any(character in line for line in lines for character in "\r\n\x1b")
    own = ("::group::", "::warning ", "::error title", "::stop-commands::", "::word::")
    for line in log_of((event,), github):
        assert not line.lstrip().startswith("::") or line.startswith(own), line
        assert line.startswith(("::", "{")) or "##[" not in line


def test_quotes_stand_between_stop_commands_with_the_random_word() -> None:
    lines = log_of((Untrusted("log of pod web-1", ("::error::fake", "two")),), github)
    assert lines == [
        "::stop-commands::word",
        "12:00:00  log of pod web-1:",
        "          | ::error::fake",
        "          | two",
        "::word::",
    ]


def test_only_the_first_warnings_are_annotations() -> None:
    lines = log_of((*(Warned(f"w{number}", METRIC) for number in range(9)),), github)
    assert sum(line.startswith("::warning file=deploy/analysis.yaml,line=14,") for line in lines) == 4
    assert lines[-1] == "12:00:08  warning: w8 (deploy/analysis.yaml:14: spec.metrics[0])"


def test_a_secret_is_masked_at_github_line_by_line_and_shown_to_nobody_else() -> None:
    secret = SecretSeen("first line\nab\nsecond%line")
    assert log_of((secret,), plain) == []
    assert log_of((secret,), github) == ["::add-mask::first line", "::add-mask::second%25line"]


def test_a_log_hears_of_a_long_wait_every_thirty_seconds() -> None:
    events: tuple[Event, ...] = (
        Began("pause"),
        *(Waiting("pause 10m", 5.0 * n, 600, Weight(5)) for n in range(1, 25)),
    )
    lines = log_of(events, plain, apart=5)
    assert lines[2:] == [
        "12:00:30  pause 10m: 30 s of 10 min, 5 % on the new version",
        "12:01:00  pause 10m: 1 min of 10 min, 5 % on the new version",
        "12:01:30  pause 10m: 1 min 30 s of 10 min, 5 % on the new version",
        "12:02:00  pause 10m: 2 min of 10 min, 5 % on the new version",
    ]
