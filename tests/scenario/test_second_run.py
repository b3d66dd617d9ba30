"""Two runs want to release one workload: the second waits, gives up or takes its place; an older commit never wins."""

import pytest

from progressive_ci.cli.run import QUEUE
from progressive_ci.model import kinds
from progressive_ci.model.event import Noted, Waiting
from progressive_ci.model.journal import Stage
from progressive_ci.model.options import IfLocked, Options
from progressive_ci.model.outcome import Result
from progressive_ci.model.position import Position
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.call import Call
from progressive_ci.sandbox.json_patch import clone
from tests.scenario import given, then, when
from tests.scenario.documents import rollout
from tests.scenario.rival import Rival
from tests.scenario.scene import NAMESPACE, Commits, Run, Scene

FIRST, SECOND = "web:1.5.0", "web:2.0.0"
PIPELINE = "https://ci.example/shop/.ci/deploy.yml"
OLD, NEW = "a" * 40, "b" * 40


def text(image: str = SECOND) -> str:
    return rollout("gateway", image=image, steps="- setWeight: 50\n- pause: {duration: 5s}\n")


def at(number: int | None, commit: str = "", source: str = PIPELINE) -> Position:
    return Position(number, source if number is not None else "", commit)


def after_a_release(position: Position | None = None) -> Scene:
    """A scene in which FIRST has been promoted."""
    scene = given.app()
    then.ended(scene.released(text(FIRST), Options(position=position or Position())), Result.PROMOTED)
    again(scene)
    return scene


def again(scene: Scene) -> None:
    scene.oracle.next_release()
    scene.before = given.snapshot(scene.sandbox)
    scene.before.pop("ConfigMap progressive-ci.web")


def promoted(scene: Scene, run: Run) -> None:
    then.ended(run, Result.PROMOTED)
    then.serves(scene, "2.0.0")
    then.nobody_was_turned_away(scene)
    then.nothing_left(scene)
    then.rules_held(scene)


def reason(run: Run) -> str:
    assert run.outcome is not None
    return f"{run.outcome.reason}; {run.outcome.advice}" if run.outcome.advice else run.outcome.reason


@pytest.mark.acceptance("F05")
@pytest.mark.parametrize(
    "end", [Result.PROMOTED, Result.UNHEALTHY, None], ids=["promoted", "rolled back", "dead"]
)
def test_a_second_run_waits_for_the_first_and_goes_on(end: Result | None) -> None:
    scene = after_a_release()
    rival = Rival(scene).begins()
    when.later(scene, 300, lambda: rival.ends(end) if end else rival.dies())
    began = scene.sandbox.clock.now()
    run = scene.released(text(), Options(lock_wait=1800))
    promoted(scene, run)
    wrote = next(done.time for done in run.requests if done.writes)
    assert 300 <= wrote - began < (305 if end else 335)
    assert [told for told in run.told if isinstance(told.event, Waiting) and "x1 of web" in told.event.text]


@pytest.mark.parametrize("seconds", [120.0, QUEUE], ids=["two minutes", "the default"])
def test_the_wait_of_a_queue_has_an_end(seconds: float) -> None:
    scene = after_a_release()
    Rival(scene).begins()
    began = scene.sandbox.clock.now()
    run = scene.released(text(), Options(lock_wait=seconds))
    assert seconds <= scene.sandbox.clock.now() - began < seconds + 10
    then.ended(run, Result.LOCKED)
    assert reason(run).startswith("Lease shop/progressive-ci.web: it is held by release x1 since ")
    assert reason(run).endswith("start again when that run has ended, or let this one wait with --lock-wait")
    then.nothing_was_written(run, but=())


@pytest.mark.acceptance("F05")
def test_a_second_run_that_must_not_wait_gives_up_as_soon_as_the_first_is_seen_alive() -> None:
    scene = after_a_release()
    Rival(scene).begins()
    began = scene.sandbox.clock.now()
    run = scene.released(text(), Options(if_locked=IfLocked.REFUSE))
    assert scene.sandbox.clock.now() - began < 15
    then.ended(run, Result.LOCKED)
    then.nothing_was_written(run, but=())


@pytest.mark.acceptance("F05")
def test_a_second_run_that_takes_the_place_of_the_first_asks_it_to_go_back() -> None:
    scene = after_a_release()
    rival = Rival(scene).begins()
    url = "https://ci.example/8"
    options = Options(if_locked=IfLocked.SUPERSEDE, lock_wait=600, run_url=url, reason="a hotfix")
    run = scene.released(text(), options)
    promoted(scene, run)
    (recall,) = rival.recalls
    assert recall["purpose"] == "SUPERSEDE"
    assert (recall["release"], recall["by"], recall["reason"]) == ("x1", f"release r2 ({url})", "a hotfix")
    told = [told.event.text for told in run.told if isinstance(told.event, Noted)]
    assert "this is release r2, which waits up to 10 min for release x1 of web to end" in told
    assert "release x1 is asked to go back, because this one takes its place" in told


def test_a_promotion_is_not_taken_the_place_of_before_it_is_finished() -> None:
    scene = after_a_release()
    rival = Rival(scene, stage=Stage.PROMOTING).begins()
    when.later(scene, 60, lambda: rival.ends(Result.PROMOTED))
    promoted(scene, scene.released(text(), Options(if_locked=IfLocked.SUPERSEDE, lock_wait=600)))
    assert len(rival.recalls) == 1


def test_a_third_run_that_was_quicker_is_asked_as_well() -> None:
    scene = after_a_release()
    rivals: list[Rival] = []

    def look(_: int, call: Call) -> None:
        # After the second has looked around, and before it takes the lease.
        if len(scene.runs) == 2 and "/leases" in call.path and call.method == "GET" and not rivals:
            rivals.append(Rival(scene, "x3").begins())

    scene.sandbox.faults.before_each(look)
    run = scene.released(text(), Options(if_locked=IfLocked.SUPERSEDE, lock_wait=600))
    promoted(scene, run)
    assert [recall["release"] for recall in rivals[0].recalls] == ["x3"]


@pytest.mark.parametrize("first", [True, False], ids=["without a journal", "after a release"])
def test_what_a_run_changes_that_begins_while_we_look_around_is_waited_for_and_not_refused(
    *, first: bool
) -> None:
    scene = given.app() if first else after_a_release()
    number = len(scene.runs) + 1
    quicker: list[Run] = []

    def look(_: int, call: Call) -> None:
        services = call.method == "GET" and call.path.endswith("/services")
        if services and len(scene.runs) == number and not quicker:
            quicker.append(Run(scene, 0))
            scene.sandbox.faults.plan(faults.kill_before(), when=lambda *_: carries_weight(scene))
            quicker[0] = scene.released(text("web:1.9.0"))

    scene.sandbox.faults.before_each(look)
    promoted(scene, scene.released(text(), Options(lock_wait=600)))
    assert quicker[0].outcome is None


def carries_weight(scene: Scene) -> bool:
    record = scene.oracle.record
    return record is not None and record.stage is Stage.STEPPING and record.weight > 0


def test_after_a_wait_new_services_are_found() -> None:
    scene = after_a_release()
    rivals: list[Rival] = []

    def new_service() -> None:
        found = scene.sandbox.get(kinds.SERVICE, NAMESPACE, "web")
        assert found is not None
        spec = {key: value for key, value in found["spec"].items() if not key.startswith("clusterIP")}
        metadata = {"name": "web-late", "namespace": NAMESPACE}
        scene.sandbox.apply(
            {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": clone(spec)}
        )
        again(scene)
        rivals[0].ends(Result.UNCHANGED)

    def look(_: int, call: Call) -> None:
        if len(scene.runs) == 2 and "/leases" in call.path and call.method == "GET" and not rivals:
            rivals.append(Rival(scene, "x3").begins())
            when.later(scene, 20, new_service)

    scene.sandbox.faults.before_each(look)
    run = scene.released(text(), Options(lock_wait=600))
    promoted(scene, run)
    pinned = [done for done in run.requests if done.writes and done.call.path.endswith("/services/web-late")]
    assert pinned


OLDER: dict[str, tuple[Position, Position, tuple[str, ...], str]] = {
    "a smaller number": (at(42), at(41), (), "run 41 is older than run 42, which is deployed"),
    "a smaller number of another commit": (
        at(42, OLD),
        at(41, NEW),
        (OLD, NEW),
        f"run 41 (commit {NEW[:12]}) is older than run 42 (commit {OLD[:12]}), which is deployed",
    ),
    "an ancestor, without numbers": (
        at(None, NEW),
        at(None, OLD),
        (OLD, NEW),
        f"commit {OLD[:12]} is older than commit {NEW[:12]}, which is deployed",
    ),
    "an ancestor, numbers of two pipelines": (
        at(7, NEW, "https://ci.example/other"),
        at(41, OLD),
        (OLD, NEW),
        f"run 41 (commit {OLD[:12]}) is older than run 7 (commit {NEW[:12]}), which is deployed",
    ),
}
ADVICE = "release a newer commit; if this one is meant, say so with --allow-older and --reason"


@pytest.mark.acceptance("F05")
@pytest.mark.parametrize(("deployed", "mine", "line", "told"), OLDER.values(), ids=OLDER)
def test_an_older_commit_never_replaces_a_newer_one(
    deployed: Position, mine: Position, line: tuple[str, ...], told: str
) -> None:
    scene = after_a_release(deployed)
    scene.history = Commits(line)
    run = scene.released(text(), Options(position=mine))
    then.ended(run, Result.OUTDATED)
    assert reason(run) == f"shop/web: {told}; {ADVICE}"
    then.nothing_was_written(run, but=())
    then.serves(scene, "1.5.0")


NOT_OLDER: dict[str, tuple[Position, Position, tuple[str, ...]]] = {
    "the same number, as a repeated run has": (at(42), at(42), ()),
    "a greater number": (at(42, NEW), at(43, OLD), (OLD, NEW)),
    "a descendant": (at(None, OLD), at(None, NEW), (OLD, NEW)),
    "the same commit": (at(None, OLD), at(None, OLD), ()),
    "nothing known of either": (Position(), Position(), ()),
    "nothing known of what is deployed": (Position(), at(1), ()),
}


@pytest.mark.parametrize(("deployed", "mine", "line"), NOT_OLDER.values(), ids=NOT_OLDER)
def test_a_commit_that_is_not_older_is_released_without_a_word(
    deployed: Position, mine: Position, line: tuple[str, ...]
) -> None:
    scene = after_a_release(deployed)
    scene.history = Commits(line)
    run = scene.released(text(), Options(position=mine))
    promoted(scene, run)
    assert not then.warnings(run)


UNKNOWN: dict[str, tuple[Position, Position, str]] = {
    "commits that the checkout lacks": (
        at(None, OLD),
        at(None, NEW),
        f"commit {NEW[:12]} is older than commit {OLD[:12]}",
    ),
    "numbers of two pipelines": (
        at(7, source="https://ci.example/other"),
        at(3),
        "run 3 is older than run 7",
    ),
    "nothing known of this run": (at(7), Position(), "a commit that nobody named is older than run 7"),
    "a number and a commit": (at(7), at(None, NEW), f"commit {NEW[:12]} is older than run 7"),
}


@pytest.mark.parametrize(("deployed", "mine", "told"), UNKNOWN.values(), ids=UNKNOWN)
def test_where_nobody_can_tell_which_is_older_that_is_said_and_the_release_goes_on(
    deployed: Position, mine: Position, told: str
) -> None:
    scene = after_a_release(deployed)
    run = scene.released(text(), Options(position=mine))
    promoted(scene, run)
    warned = then.warnings(run)
    assert warned == [f"shop/web: nobody can tell whether {told}, which is deployed"]


def test_an_older_commit_is_released_where_a_user_says_so_and_why() -> None:
    scene = after_a_release(at(42))
    options = Options(position=at(41), allow_older=True, reason="42 loses orders")
    run = scene.released(text(), options)
    promoted(scene, run)
    warned = then.warnings(run)
    assert warned == [
        "shop/web: run 41 is older than run 42, which is deployed; allowed because: 42 loses orders"
    ]
    record = scene.oracle.record
    assert record is not None
    assert record.deployed == at(41)
    assert record.override == "over a newer commit if there is one, because: 42 loses orders"


def test_a_release_that_is_rolled_back_leaves_the_order_as_it_was() -> None:
    scene = after_a_release(at(42))
    then.ended(scene.released(text("web:1.9.0-crash"), Options(position=at(50))), Result.UNREADY)
    scene.oracle.next_release()
    promoted(scene, scene.released(text(), Options(position=at(43))))


def test_an_older_commit_does_not_wait_for_a_newer_one_that_is_being_released() -> None:
    scene = after_a_release(at(40))
    Rival(scene, position=at(42)).begins()
    began = scene.sandbox.clock.now()
    run = scene.released(text(), Options(position=at(41), lock_wait=1800, if_locked=IfLocked.SUPERSEDE))
    assert scene.sandbox.clock.now() - began < 15
    then.ended(run, Result.OUTDATED)
    assert (
        reason(run) == f"shop/web: run 41 is older than run 42, which release x1 is releasing now; {ADVICE}"
    )
    then.nothing_was_written(run, but=())


def test_an_older_commit_finishes_what_a_newer_one_left_and_is_released_then() -> None:
    scene = after_a_release(at(40))

    def dies(_: int, call: Call) -> bool:
        record = scene.oracle.record
        ours = record is not None and record.release == "r2"
        return ours and carries_weight(scene) and call.method == "GET"

    scene.sandbox.faults.plan(faults.kill_after(), when=dies)
    assert scene.released(text("web:1.9.0"), Options(position=at(42))).outcome is None
    promoted(scene, scene.released(text(), Options(position=at(41))))


def test_what_was_promoted_while_a_run_waited_may_be_newer() -> None:
    scene = after_a_release(at(40))
    rivals: list[Rival] = []

    def look(_: int, call: Call) -> None:
        if len(scene.runs) == 2 and "/leases" in call.path and call.method == "GET" and not rivals:
            rivals.append(Rival(scene, "x3").begins())
            when.later(scene, 20, lambda: ends(rivals[0]))

    def ends(rival: Rival) -> None:
        rival.position = at(42)  # nobody could tell before
        rival.ends(Result.PROMOTED)

    scene.sandbox.faults.before_each(look)
    run = scene.released(text(), Options(position=at(41), lock_wait=600))
    then.ended(run, Result.OUTDATED)
    then.nothing_was_written(run)
    then.nothing_left(scene)


def test_a_lease_that_somebody_deletes_in_mid_release_is_made_again() -> None:
    scene = after_a_release()
    when.later(scene, 12, lambda: deleted(scene))
    promoted(scene, scene.released(text()))


def deleted(scene: Scene) -> None:
    found = scene.sandbox.get(kinds.LEASE, NAMESPACE, "progressive-ci.web")
    assert found is not None
    scene.sandbox.store.drop(kinds.LEASE, found)
