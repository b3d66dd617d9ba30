"""Commands beside `run` and `rollback`, as the command line gives them."""

from collections.abc import Callable

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome
from progressive_ci.ports import Hands
from progressive_ci.release import rescue
from progressive_ci.release.abort import abort
from progressive_ci.release.by_hand import promote_held
from progressive_ci.release.endings import outcome_of
from progressive_ci.release.undo import undo
from tests.scenario.scene import NAME, NAMESPACE, Run, Scene

WHY = "errors since noon"


def recover(scene: Scene) -> Run:
    """`progressive-ci recover web`."""
    return told(scene, lambda hands: rescue.recover(NAMESPACE, NAME, Options(), hands))


def roll_back(scene: Scene) -> Run:
    """`progressive-ci rollback web`."""
    return told(scene, lambda hands: rescue.rollback(NAMESPACE, NAME, Options(), hands))


def promote(scene: Scene, reason: str = WHY) -> Run:
    """`progressive-ci promote web --reason ...`."""
    return told(scene, lambda hands: promote_held(NAMESPACE, NAME, Options(reason=reason), hands))


def call_off(scene: Scene, wait: float = 600.0) -> Run:
    """`progressive-ci abort web --reason ...`."""
    options = Options(reason=WHY, lock_wait=wait)
    return told(scene, lambda hands: abort(NAMESPACE, NAME, options, hands, by="ann"))


def undo_last(scene: Scene) -> Run:
    """`progressive-ci undo web --reason ...`."""
    release = f"u{len(scene.runs)}"
    return told(scene, lambda hands: undo(NAMESPACE, NAME, Options(reason=WHY), hands, release=release))


def told(scene: Scene, work: Callable[[Hands], Outcome]) -> Run:
    """Refusals are outcomes on the command line."""

    def command(hands: Hands) -> Outcome:
        try:
            return work(hands)
        except ProgressiveError as error:
            return outcome_of(error)

    return scene.act(command)
