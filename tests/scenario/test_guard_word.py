"""A guard counts when it has said that it watches: a pod that runs is not enough."""

import json
from collections.abc import Callable

import pytest

from progressive_ci import __version__
from progressive_ci.model import kinds
from progressive_ci.model.outcome import Result
from progressive_ci.release.guard_word import KEY
from progressive_ci.release.rights import guard_rights
from tests.scenario import guards, then
from tests.scenario.rows import ROWS
from tests.scenario.scene import NAMESPACE, Run, Scene, planned
from tests.scenario.test_guard import guarded

ROW = ROWS["gateway"]
JOURNAL = "progressive-ci.web"
MUTE = (
    "the pod of Job shop/progressive-ci-web-guard runs, and has not said after 600 s that it watches",
    "see why: kubectl -n shop logs -l job-name=progressive-ci-web-guard; give --guard the image of this version",
)


def says(scene: Scene, text: Callable[[str], str]) -> None:
    """What stands beside the journal as soon as the pod runs, made of its Job's uid."""

    def put() -> None:
        job, journal = scene.sandbox.store.find(guards.JOB), found(scene)
        assert job is not None
        data = {**journal["data"], KEY: text(job["metadata"]["uid"])}
        scene.sandbox.apply({**journal, "data": data})

    scene.sandbox.world.jobs.runs = put


def found(scene: Scene) -> dict[str, dict[str, str]]:
    journal = scene.sandbox.get(kinds.CONFIG_MAP, NAMESPACE, JOURNAL)
    assert journal is not None
    return journal


def is_given_to_nobody(scene: Scene, run: Run) -> None:
    then.ended(run, Result.UNREADY)
    assert run.outcome is not None
    assert (run.outcome.reason, run.outcome.advice) == MUTE
    assert not [done for done in run.requests if done.writes and done.call.path.endswith("/replicasets")]
    then.serves(scene, ROW.old)
    then.all_is_as_before(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


def test_a_release_begins_when_its_guard_has_said_that_it_watches_and_takes_its_word_away() -> None:
    scene = guarded(ROW)
    run = scene.released(ROW.text, guards.ASKED)
    then.ended(run, Result.PROMOTED)
    sent = [
        f"{done.call.method} {done.call.path}" for done in run.requests if done.writes and not done.call.dry
    ]
    word, canary = (
        sent.index(guards.WORD, 1),
        next(n for n, each in enumerate(sent) if each.endswith("/replicasets")),
    )
    assert word < canary
    assert sorted(found(scene)["data"]) == ["journal.json"]
    assert not [text for text in then.warnings(run) if "guard" in text]


WORDS: dict[str, Callable[[str], str]] = {
    "no word": lambda _: "",
    "no JSON": lambda _: "yes",
    "no object": lambda _: "[]",
    "of an earlier Job": lambda _: json.dumps({"job": "other", "version": __version__}),
    "without a version": lambda uid: json.dumps({"job": uid}),
}


@pytest.mark.parametrize("text", WORDS.values(), ids=WORDS)
def test_a_pod_that_runs_and_says_nothing_watches_over_nothing(text: Callable[[str], str]) -> None:
    scene = guarded(ROW)
    says(scene, text)
    is_given_to_nobody(scene, scene.released(ROW.text, guards.ASKED))


NEEDED = (
    ("get", "leases"),
    ("patch", "leases"),
    ("get", "configmaps"),
    ("patch", "configmaps"),
    ("get", "jobs"),
    ("get", "deployments"),
    ("patch", "deployments"),
    ("get", "services"),
    ("patch", "services"),
    ("get", "httproutes"),
    ("patch", "httproutes"),
)


@pytest.mark.parametrize(("verb", "resource"), NEEDED, ids=lambda each: each)
def test_a_guard_that_lacks_a_right_does_not_count_and_says_which(verb: str, resource: str) -> None:
    scene = guarded(ROW)
    rights = guard_rights(planned(ROW.text))
    guards.grant(scene, [one for one in rights if (one.verb, one.resource) != (verb, resource)])
    is_given_to_nobody(scene, scene.released(ROW.text, guards.ASKED))
    [told] = {text for each in scene.beside for text in then.warnings(each)}
    assert f"{verb} {resource}" in told or f'cannot {verb} resource "{resource}"' in told


def test_a_guard_that_nobody_knows_does_not_count() -> None:
    scene = guarded(ROW)
    guards.grant(scene, ())
    is_given_to_nobody(scene, scene.released(ROW.text, guards.ASKED))


@pytest.mark.parametrize("version", ["0.0.9", "9.0.0\n::error::x"], ids=["earlier", "later, on two lines"])
def test_a_guard_of_another_version_counts_and_is_warned_of(version: str) -> None:
    scene = guarded(ROW)
    says(scene, lambda uid: json.dumps({"job": uid, "version": version}))
    run = scene.released(ROW.text, guards.ASKED)
    then.ended(run, Result.PROMOTED)
    told = (
        f"the guard is version {' '.join(version.split())} of this tool, and this run version {__version__}"
    )
    assert f"{told}: give both the same image, or it may not know what to do" in then.warnings(run)


def test_a_guard_that_is_started_again_does_not_repeat_itself() -> None:
    scene = guarded(ROW)
    first = scene.sandbox.world.jobs.runs

    def twice() -> None:
        first()
        first()

    scene.sandbox.world.jobs.runs = twice
    run = scene.released(ROW.text, guards.ASKED)
    then.ended(run, Result.PROMOTED)
    words = [
        done for done in run.requests if done.call.user == guards.ACCOUNT and done.call.method == "PATCH"
    ]
    assert len(words) == 1
