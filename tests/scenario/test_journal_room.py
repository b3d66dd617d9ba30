"""The journal has room for whatever may happen to a release, or the release does not begin."""

import json
import re
from dataclasses import replace

import pytest

from progressive_ci.model import kinds
from progressive_ci.model.codec import encode
from progressive_ci.model.journal import KEPT_OUTCOMES, KEPT_SAMPLES, Ending, Record
from progressive_ci.model.journal_size import LARGEST, SENTENCE, cut, rendered, worst_size
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Result
from progressive_ci.sandbox.faults import Exchange
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import given, then, when
from tests.scenario.documents import GUARD, metric, rollout, template
from tests.scenario.scene import NAMESPACE, Scene

CONFIG_MAP = "progressive-ci.web"


def serving_a_large_template(letters: int) -> Scene:
    """NAME keeps no history, and so the journal keeps its template."""
    scene = given.app()
    wanted = when.deployment(scene)
    wanted["spec"]["revisionHistoryLimit"] = 0
    wanted["spec"]["template"]["metadata"]["annotations"] = {"example.com/much": "x" * letters}
    scene.sandbox.apply(wanted)
    scene.sandbox.clock.run(60)
    return given.scene(scene.sandbox, "gateway")


def test_a_journal_that_could_just_fit_is_begun_and_one_byte_more_is_refused_before_anything_is_touched() -> (
    None
):
    first = serving_a_large_template(LARGEST).released(rollout("gateway"))
    assert first.outcome is not None
    found = re.search(
        r"the journal of this release could come to (\d+) bytes, more than 262144", first.outcome.reason
    )
    assert found, first.outcome
    fits = LARGEST - (int(found[1]) - LARGEST)
    over = serving_a_large_template(fits + 1)
    then.refused(
        over.released(rollout("gateway")),
        "ConfigMap shop/progressive-ci.web: the journal of this release could come to 262145 bytes, more than 262144; "
        "give web a revisionHistoryLimit above 0: without one its template is kept in the journal",
    )
    assert over.sandbox.get(kinds.LEASE, NAMESPACE, CONFIG_MAP) is None
    scene = serving_a_large_template(fits)
    then.ended(scene.released(rollout("gateway")), Result.PROMOTED)
    then.serves(scene, "2.0.0")
    then.nothing_left(scene)
    then.nobody_was_turned_away(scene)
    then.rules_held(scene)


STEPS = "- setWeight: 20\n- pause: {duration: 150s}\n- setWeight: 60\n- pause: {duration: 90s}\n"
MEASURED = (
    rollout("gateway", steps=STEPS, canary=GUARD.replace("startingStep: 1", "startingStep: 0"))
    + "---\n"
    + template(metric(count="", interval="1s"))
)


def test_no_journal_becomes_longer_than_was_reckoned_before_its_first_entry() -> None:
    scene = given.app()
    then.ended(scene.released(rollout("gateway", image="web:1.5.0")), Result.PROMOTED)
    many_endings(scene)
    scene.oracle.next_release()
    sizes: list[int] = []
    firsts: list[Record] = []

    def measure(done: Exchange) -> None:
        found, record = scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, CONFIG_MAP), scene.oracle.record
        if done.writes and CONFIG_MAP in done.call.path and found is not None and record is not None:
            sizes.append(len(found["data"]["journal.json"].encode()))
            firsts.append(record)

    scene.sandbox.faults.after_each(measure)
    when.later(scene, 190, lambda: scene.sandbox.clock.deliver("SIGTERM"))
    run = scene.released(MEASURED, Options(reason="ü" * LARGEST))
    then.ended(run, Result.CANCELLED)
    record = scene.oracle.record
    assert record is not None
    assert len(record.evidence) == KEPT_SAMPLES
    assert len(record.endings) == KEPT_OUTCOMES
    assert all(cut(each.reason) == each.reason for each in record.endings)
    assert record.why == "ü" * ((SENTENCE - 3) // 2) + "..."
    # What a signal and a passing check say is short; every other sentence may be as long as any.
    assert worst_size(firsts[0], ["success-rate"]) - 3 * SENTENCE - 5000 - KEPT_SAMPLES * 100 < max(sizes)
    assert max(sizes) <= worst_size(firsts[0], ["success-rate"])


def many_endings(scene: Scene) -> None:
    """Twenty earlier releases whose reasons quote whole pages, as versions wrote them that did not cut them."""
    found, record = scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, CONFIG_MAP), scene.oracle.record
    assert found is not None
    assert record is not None
    page = Ending("r0", Result.UNAVAILABLE, "page " * 400, "abc", record.updated)
    wanted = clone(found)
    wanted["data"]["journal.json"] = rendered(encode(replace(record, endings=(page,) * KEPT_OUTCOMES)))
    scene.sandbox.apply(wanted)


@pytest.mark.parametrize("letter", ["x", '"', "\n", "\x01", "ü", "\N{PILE OF POO}"])
def test_a_sentence_is_cut_where_its_room_ends_and_no_sooner(letter: str) -> None:
    room = len(json.dumps(letter, ensure_ascii=False).encode()) - 2
    full = letter * (SENTENCE // room) + "x" * (SENTENCE % room)
    assert cut(full) == full
    shorter = cut(full + "x")
    assert shorter.endswith("...")
    kept = len(json.dumps(shorter, ensure_ascii=False).encode()) - 2
    assert SENTENCE - room < kept <= SENTENCE
