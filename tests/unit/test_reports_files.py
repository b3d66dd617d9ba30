"""The summary, the outputs, the report: what is left of a run beside its log."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from progressive_ci.model.document import Source
from progressive_ci.model.event import Began, Ended, Event, Opened, Sampled, Shifted, Untrusted, Warned
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.model.weight import Weight
from progressive_ci.reports.mask import STARS, Mask
from progressive_ci.reports.outputs import OUTPUTS, heredoc, outputs, report, state
from progressive_ci.reports.story import Story, told
from progressive_ci.reports.summary import BUDGET, summary
from progressive_ci.reports.text import duration, place, shorten

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
METRIC = Source("deploy/analysis.yaml", 14, "spec.metrics[0]")
OPENED = Opened("7f3c2a", "shop", "web")
RUN: tuple[Event, ...] = (
    OPENED,
    Began("preflight"),
    Began("step 1/2 setWeight: 20"),
    Shifted(Weight(0), Weight(20)),
    Sampled("success-rate", "Successful", "0.99", "", Weight(20), METRIC),
    Sampled("success-rate", "Failed", "0.9 | <b>", "", Weight(20), METRIC),
    Warned("the route is old", METRIC),
    Untrusted("log of pod web-1", ("<script>", "x" * 5000)),
)
END = Ended(Outcome(Result.UNHEALTHY, "success-rate = 0.9", "new", "old", step=1, steps=2, source=METRIC))


def story_of(*events: Event) -> Story:
    """The story of events that come a minute apart."""
    story = Story()
    for number, event in enumerate(events):
        story = told(story, event, NOON + timedelta(minutes=number))
    return story


def test_the_summary_has_verdict_and_a_row_for_each_phase() -> None:
    text = summary(story_of(*RUN, END))
    assert text.startswith("## Release of shop/web\n")
    assert (
        ":x: **FAILED: rolled back, the new version is unhealthy (exit 10, rolled\\-back\\-unhealthy)**"
        in text
    )
    assert "| 12:01:00 | preflight | 1 min | 0 % |  |" in text
    assert (
        "| 12:02:00 | step 1/2 setWeight: 20 | 6 min | 0 % "
        r"| success\-rate = 0.9 \| \<b\> BAD (2 measured, 1 bad) |"
    ) in text
    assert "&lt;script&gt;" in text
    assert "<script>" not in text


def test_the_summary_of_a_run_that_goes_on_is_whole() -> None:
    assert "Running." in summary(story_of(*RUN))


def test_a_post_step_with_nothing_to_do_leaves_no_summary() -> None:
    assert summary(story_of(Ended(Outcome(Result.NOTHING_TO_DO, "this job began no release")))) == ""


def test_no_summary_is_large_enough_to_be_dropped() -> None:
    wide = tuple(
        event
        for number in range(400)
        for event in (
            Began(f"step {number} " + "é" * 3000),
            Untrusted("log", ("<" * 400,) * 60),
            Sampled(f"check {number}", "Successful", "&" * 5000, "", Weight(5)),
        )
    )
    assert len(summary(story_of(*wide)).encode()) <= BUDGET


def test_outputs_tell_the_weight_while_the_run_goes_on_and_everything_at_its_end() -> None:
    assert outputs(story_of(*RUN), "r.json") == {"weight": "20", "report": "r.json"}
    assert outputs(story_of(*RUN, END), "r.json") == {
        "result": "rolled-back-unhealthy",
        "exit-code": "10",
        "revision": "new",
        "previous-revision": "old",
        "weight": "0",
        "step": "1",
        "reason": "success-rate = 0.9",
        "report": "r.json",
    }
    assert set(outputs(story_of(*RUN, END), "")) == set(OUTPUTS)


def test_state_names_release_and_workload() -> None:
    assert state(OPENED) == {"release": "7f3c2a", "workload": "shop/web"}


@given(st.text(), st.text())
def test_no_value_ends_its_heredoc_early(first: str, second: str) -> None:
    text = heredoc({"a": first, "b": f"{second}\nEND\nc=injected"}, "END")
    lines = text.split("\n")
    assert lines[0] == "a<<END"
    assert lines.count("END") == 2
    assert lines[-2:] == ["END", ""]


def test_the_report_holds_phases_samples_and_outcome() -> None:
    found = json.loads(report(story_of(*RUN, END)))
    assert found["outcome"]["exit"] == 10
    assert found["workload"] == {"release": "7f3c2a", "namespace": "shop", "name": "web"}
    assert [phase["title"] for phase in found["phases"]] == ["preflight", "step 1/2 setWeight: 20"]
    assert found["phases"][1]["checks"] == [
        {"check": "success-rate", "measured": 2, "failed": 1, "without value": 0}
    ]
    assert found["samples"][0] == {
        "at": "2026-01-02T12:04:00+00:00",
        "check": "success-rate",
        "phase": "Successful",
        "value": "0.99",
        "detail": "",
        "weight": 20,
        "source": "deploy/analysis.yaml:14: spec.metrics[0]",
    }


def test_a_secret_is_masked_in_every_spelling() -> None:
    mask = Mask().knowing('p@ss "word"')
    for spelling in (
        'p@ss "word"',
        "cEBzcyAid29yZCI=",
        "p%40ss%20%22word%22",
        "p%40ss+%22word%22",
        json.dumps({"x": 'p@ss "word"'}),
        "p@ss &quot;word&quot;",
    ):
        assert STARS in mask.applied(f"a {spelling} b"), spelling


def test_a_longer_secret_is_masked_before_a_shorter_one_that_it_holds() -> None:
    mask = Mask().knowing("abcd").knowing("abcdefgh")
    assert mask.applied("abcdefgh abcd") == f"{STARS} {STARS}"


def test_a_very_short_value_is_no_secret_worth_an_unreadable_log() -> None:
    assert Mask().knowing("abc").applied("abc") == "abc"


def test_durations_have_two_units_at_most() -> None:
    seconds = (0.2, 8, 90, 600, 3600, 3900)
    assert [duration(value) for value in seconds] == [
        "0.2 s",
        "8 s",
        "1 min 30 s",
        "10 min",
        "1 h",
        "1 h 5 min",
    ]


def test_a_place_is_a_file_and_a_line() -> None:
    assert place("deploy/a.yaml:14: spec.x") == ("deploy/a.yaml", 14)
    assert place("deploy/a.yaml:14") == ("deploy/a.yaml", 14)
    assert place("Service shop/web: spec.selector") is None


def test_what_is_cut_says_so() -> None:
    assert shorten("abcdefghij", 8) == "abcd ..."
