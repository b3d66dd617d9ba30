"""Guards in scenarios: the account they act with, the release that asks for one, and the watch itself."""

from dataclasses import replace

from progressive_ci.adapters.cluster import ONCE, KubeCluster
from progressive_ci.adapters.journal import ClusterJournal
from progressive_ci.adapters.lease import ClusterLease
from progressive_ci.errors import ProgressiveError
from progressive_ci.model import kinds
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.ports import Hands
from progressive_ci.release.endings import outcome_of
from progressive_ci.release.guard import LOOK, Watch
from progressive_ci.release.guard_job import guard_name
from progressive_ci.release.rights import guard_rights
from progressive_ci.reports.role import rules
from tests.scenario.scene import NAME, NAMESPACE, Run, Scene, planned

IMAGE = f"registry.example/progressive-ci@sha256:{'0' * 64}"
ASKED = Options(guard=IMAGE)
ACCOUNT = "guard"
JOB = Ref(kinds.JOB, NAMESPACE, guard_name(NAME))


def account(scene: Scene, text: str) -> None:
    """What an administrator applies from `progressive-ci rbac --guard IMAGE`: a user with the smallest Role."""
    metadata = {"name": JOB.name, "namespace": NAMESPACE}
    scene.sandbox.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    scene.sandbox.world.grant(ACCOUNT, rules(guard_rights(planned(text))), NAMESPACE)


def watched(scene: Scene) -> Run:
    """`progressive-ci guard web`, as the Job's pod runs it, until it ends or is killed."""
    own = KubeCluster(scene.sandbox.transport(ACCOUNT), scene.sandbox.clock)

    def keep(hands: Hands) -> Outcome:
        try:
            return Watch(NAMESPACE, NAME, Options(), hands, own).keep()
        except ProgressiveError as error:
            return outcome_of(error)

    before, scene.user = scene.user, ACCOUNT
    try:
        return scene.act(keep)
    finally:
        scene.user = before


def beside(scene: Scene) -> list[Outcome]:
    """A guard that looks every few seconds while others work; whatever made it wait would fail the scenario.

    Returns:
        Where its outcome will stand.
    """
    sandbox, usual = scene.sandbox, list[Hands]()
    cluster = KubeCluster(sandbox.transport(ACCOUNT), sandbox.clock, patience=ONCE)

    def take(hands: Hands) -> Outcome:
        usual.append(hands)
        return Outcome(Result.NOTHING_TO_DO, "it has not begun to watch")

    scene.act(take)
    clock = sandbox.clock
    lease = ClusterLease(NAME, NAMESPACE, front=cluster, back=cluster, clock=clock, ticker=clock)
    journal = ClusterJournal(NAME, NAMESPACE, cluster=cluster)
    hands = replace(usual[0], cluster=cluster, lease=lease, journal=journal)
    watch, ended = Watch(NAMESPACE, NAME, Options(), hands, cluster), list[Outcome]()

    def look() -> None:
        if is_there(scene) and not ended and (done := watch.look()) is not None:
            ended.append(done)

    sandbox.clock.repeat(LOOK, look)
    return ended


def is_there(scene: Scene) -> bool:
    """Whether a guard's Job stands in the cluster."""
    return scene.sandbox.store.find(JOB) is not None
