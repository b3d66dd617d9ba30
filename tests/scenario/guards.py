"""Guards in scenarios: the account they act with, the release that asks for one, and the watch itself."""

from collections.abc import Iterable

from progressive_ci.adapters.cluster import ONCE, KubeCluster
from progressive_ci.adapters.journal import ClusterJournal
from progressive_ci.adapters.lease import ClusterLease
from progressive_ci.adapters.recalls import ClusterRecalls
from progressive_ci.errors import ProgressiveError
from progressive_ci.model import kinds
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome
from progressive_ci.ports import Access, Hands
from progressive_ci.release.endings import outcome_of
from progressive_ci.release.guard import LOOK, Watch
from progressive_ci.release.guard_job import guard_name
from progressive_ci.release.rights import guard_rights
from progressive_ci.reports.role import rules
from progressive_ci.sandbox.watch import StoreWatch
from tests.scenario.login import Unending
from tests.scenario.scene import NAME, NAMESPACE, Run, Scene, planned

IMAGE = f"registry.example/progressive-ci@sha256:{'0' * 64}"
ASKED = Options(guard=IMAGE)
ACCOUNT = "guard"
JOB = Ref(kinds.JOB, NAMESPACE, guard_name(NAME))
WORD = f"PATCH {Ref(kinds.CONFIG_MAP, NAMESPACE, f'progressive-ci.{NAME}').path}"
"""The request by which a guard says that it watches."""


def account(scene: Scene, text: str) -> None:
    """What an administrator applies from `progressive-ci rbac --guard IMAGE`: a user with the smallest Role.

    The pod of a Job then says that it watches, as a real one does.
    """
    metadata = {"name": JOB.name, "namespace": NAMESPACE}
    scene.sandbox.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    grant(scene, guard_rights(planned(text)))
    scene.sandbox.world.jobs.runs = lambda: _first_look(scene)


def grant(scene: Scene, rights: Iterable[Access]) -> None:
    """Give the account these rights, and no other ones."""
    scene.sandbox.world.grant(ACCOUNT, rules(rights), NAMESPACE)


def _first_look(scene: Scene) -> None:
    _quick(scene).look()


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
    watch, ended = _quick(scene), list[Outcome]()

    def look() -> None:
        if is_there(scene) and not ended and (done := watch.look()) is not None:
            ended.append(done)

    scene.sandbox.clock.repeat(LOOK, look)
    return ended


def _quick(scene: Scene) -> Watch:
    """A guard at work while others are, which therefore never waits."""
    sandbox = scene.sandbox
    clock = sandbox.clock
    cluster = KubeCluster(sandbox.transport(ACCOUNT), clock, patience=ONCE)
    lease = ClusterLease(NAME, NAMESPACE, front=cluster, back=cluster, clock=clock, ticker=clock)
    journal = ClusterJournal(NAME, NAMESPACE, cluster=cluster)
    watch = StoreWatch(sandbox.store, clock)
    recalls = ClusterRecalls(NAME, NAMESPACE, cluster=cluster, watch=watch)
    told = Run(scene, len(sandbox.log))
    scene.beside.append(told)
    hands = Hands(cluster, sandbox.metrics, clock, journal, lease, told, recalls, scene.history, Unending())
    return Watch(NAMESPACE, NAME, Options(), hands, cluster)


def is_there(scene: Scene) -> bool:
    """Whether a guard's Job stands in the cluster."""
    return scene.sandbox.store.find(JOB) is not None
