"""A simulated cluster with an application in it, and the runs of the tool against it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from progressive_ci.adapters.cluster import ONCE, KubeCluster
from progressive_ci.adapters.credential import Credential
from progressive_ci.adapters.journal import ClusterJournal
from progressive_ci.adapters.lease import ClusterLease
from progressive_ci.adapters.reach import Reach as Heard
from progressive_ci.adapters.recalls import ClusterRecalls
from progressive_ci.cli.spec import CHECKERS
from progressive_ci.model.document import JsonObject
from progressive_ci.model.event import Began, Event, Stopped
from progressive_ci.model.kinds import Ref
from progressive_ci.model.options import Options
from progressive_ci.model.outcome import Outcome
from progressive_ci.model.plan import Plan
from progressive_ci.ports import Hands, HttpResponse, Metrics, Transport, Watch
from progressive_ci.release import conductor, rescue
from progressive_ci.sandbox.access import ADMIN
from progressive_ci.sandbox.clock import Process as Clocked
from progressive_ci.sandbox.clock import VirtualClock
from progressive_ci.sandbox.cluster import Sandbox
from progressive_ci.sandbox.faults import Exchange, Killed
from progressive_ci.sandbox.watch import StoreWatch
from progressive_ci.specs.documents import parse
from progressive_ci.specs.read import read
from tests.scenario.login import TokenTransport, Unending, watched
from tests.scenario.oracle import Oracle
from tests.scenario.own_clock import OwnClock

NAMESPACE, NAME = "shop", "web"
Reach = Callable[[str], Hands]
"""The hands for the workload of this name."""


class Mortal:
    """A process's connection: once it is killed nothing of it is sent any more."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.dead = False

    def die(self) -> NoReturn:
        """The process dies here, between two requests."""
        self.dead = True
        raise Killed

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        body: object | None,
        content_type: str,
        timeout: float,
    ) -> HttpResponse:
        """Send one request, as long as the process lives."""
        if self.dead:
            raise Killed
        try:
            return self._transport.request(
                method, path, query=query, body=body, content_type=content_type, timeout=timeout
            )
        except Killed:
            self.dead = True
            raise


@dataclass(frozen=True, slots=True)
class Behind:
    """The connection of the lease's thread, which no signal reaches."""

    front: Mortal
    clock: VirtualClock

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        body: object | None,
        content_type: str,
        timeout: float,
    ) -> HttpResponse:
        """Send one request to its end."""
        with self.clock.undisturbed():
            return self.front.request(
                method, path, query=query, body=body, content_type=content_type, timeout=timeout
            )


@dataclass(frozen=True, slots=True)
class Commits:
    """A checkout with these commits, each resting on the one before."""

    line: tuple[str, ...] = ()

    def contains(self, commit: str, earlier: str) -> bool | None:
        """`ports.History`."""
        if commit not in self.line or earlier not in self.line:
            return None
        return self.line.index(earlier) <= self.line.index(commit)


@dataclass(slots=True)
class Life:
    """Of one process.

    Attributes:
        clocked: what the clock knows of it.
        stands_still: whether it is stopped, with all its threads.
        connection: what it sends by, once it has one.
    """

    clocked: Clocked
    stands_still: bool = False
    connection: Mortal | None = None

    def goes_on(self, clock: VirtualClock, callback: Callable[[], None]) -> None:
        """One of its threads does something, unless it is stopped."""
        if not self.stands_still:
            with clock.elsewhere(self.clocked):
                callback()


@dataclass(frozen=True, slots=True)
class Ticks:
    """What calls for renewals, as long as the process is not stopped."""

    clock: VirtualClock
    life: Life

    def repeat(self, seconds: float, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back every so many seconds until the answer is called."""
        return self.clock.repeat(seconds, lambda: self.life.goes_on(self.clock, callback))


@dataclass(frozen=True, slots=True)
class Ears:
    """What a process hears of an object's changes, as long as it is not stopped."""

    watch: Watch
    clock: VirtualClock
    life: Life
    run: "Run"

    def follow(self, ref: Ref, deliver: Callable[[JsonObject | None], None]) -> Callable[[], None]:
        """`ports.Watch`."""

        self.run.listens = self.clock.now()

        def hear(found: JsonObject | None) -> None:
            if self.life.stands_still:
                self.clock.at(self.clock.now() + 0.1, lambda: hear(found))
            else:
                self.life.goes_on(self.clock, lambda: deliver(found))

        return self.watch.follow(ref, hear)


@dataclass(slots=True)
class Told:
    """One event, and how many requests had been sent when it was told."""

    event: Event
    sent: int
    time: float


@dataclass(slots=True)
class Run:
    """One run of the tool.

    Attributes:
        scene: where.
        first: number of its first request less one.
        told: its events.
        outcome: None where it was killed.
        last: number of its last request.
        listens: since when it hears what is asked of the release that it is about.
    """

    scene: "Scene"
    first: int
    told: list[Told] = field(default_factory=list)
    outcome: Outcome | None = None
    last: int = 0
    listens: float = 0.0

    def emit(self, event: Event) -> None:
        """`ports.Reporter`."""
        sandbox = self.scene.sandbox
        self.told.append(Told(event, len(sandbox.log), sandbox.clock.now()))
        if isinstance(event, Began):
            self.scene.oracle.phase_began(event.phase)

    @property
    def requests(self) -> list[Exchange]:
        """What it sent, the lease's renewals included."""
        return self.scene.sandbox.log[self.first : self.last]

    @property
    def stopped(self) -> Told | None:
        """When it turned back."""
        return next((told for told in self.told if isinstance(told.event, Stopped)), None)


@dataclass(slots=True)
class Scene:
    """Everything that a scenario looks at.

    Attributes:
        sandbox: the cluster.
        router: row of the routers' table by its short name; empty for a plain Deployment.
        oracle: watches the rules that hold always.
        before: every object as it was at first.
        runs: of the tool.
        beside: what guards told that looked while others worked.
        user: whose credential the tool has.
        login: instead of a name, tokens that end.
        history: the checkout's commits.
        living: the process that is at work.
        machine: the clock of the tool's machine; None is the world's own.
        spoil: what becomes of the watch that a process has.
        asking: what becomes of its questions to metrics servers, some of which may end it.
    """

    sandbox: Sandbox
    router: str
    oracle: Oracle
    before: dict[str, JsonObject]
    runs: list[Run] = field(default_factory=list)
    beside: list[Run] = field(default_factory=list)
    user: str = ADMIN
    login: Credential | None = None
    history: Commits = field(default_factory=Commits)
    living: "Life | None" = None
    machine: OwnClock | None = None
    spoil: Callable[[Watch], Watch] = lambda watch: watch
    asking: Callable[[Metrics, Mortal], Metrics] = lambda metrics, _: metrics

    def released(
        self, text: str, options: Options | None = None, *, analysis: str = "", life: Life | None = None
    ) -> Run:
        """`progressive-ci run` with this input; `analysis` names what judges a plain Deployment."""
        plan = planned(text, analysis)
        release = "r" + str(len(self.runs) + 1)
        return self.act(lambda hands: conductor.run(plan, options or Options(), hands, release=release), life)

    def rescued(self, options: Options | None = None) -> Run:
        """`progressive-ci rollback web`."""
        return self.act(lambda hands: rescue.rollback(NAMESPACE, NAME, options or Options(), hands))

    def act(self, work: Callable[[Hands], Outcome], life: Life | None = None) -> Run:
        """One process of the tool; see `act_on_several`."""
        run = self.act_on_several(lambda reach: work(reach(NAME)), life)
        if run.outcome is not None:
            self.oracle.command_ended(run.outcome)
        return run

    def act_on_several(self, work: Callable[[Reach], Outcome], life: Life | None = None) -> Run:
        """One process of the tool that has hands for each workload that it names.

        One that is at work already is stopped meanwhile, unless this one has a life beside it.
        """
        if life is not None:
            return self._live(work, life)
        stopped = self.living
        if stopped is not None:
            stopped.stands_still = True
        try:
            with self.sandbox.clock.elsewhere() as clocked:
                self.living = Life(clocked)
                return self._live(work, self.living)
        finally:
            self.living = stopped
            if stopped is not None:
                stopped.stands_still = False

    def _live(self, work: Callable[[Reach], Outcome], life: Life) -> Run:
        run = Run(self, len(self.sandbox.log))
        self.runs.append(run)
        logged_in = (
            TokenTransport(self.sandbox, self.login) if self.login else self.sandbox.transport(self.user)
        )
        life.connection = Mortal(logged_in)
        process = Process(run, life, life.connection)
        try:
            run.outcome = work(process.reach)
        except Killed:
            for lease in process.leases:
                lease.stop()
        run.last = len(self.sandbox.log)
        return run


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the tool.

    Attributes:
        run: what it does.
        life: whether it is stopped.
        transport: its connection.
        leases: of the workloads that it has hands for.
    """

    run: Run
    life: Life
    transport: Mortal
    leases: list[ClusterLease] = field(default_factory=list)

    def reach(self, name: str) -> Hands:
        """The hands for the workload of this name."""
        scene, sandbox, clock = self.run.scene, self.run.scene.sandbox, self.run.scene.sandbox.clock
        own = scene.machine or clock
        heard = Heard(own)
        front = KubeCluster(self.transport, own, reach=heard)
        back = KubeCluster(Behind(self.transport, clock), clock, patience=ONCE, reach=heard)
        ticker = Ticks(clock, self.life)
        lease = ClusterLease(name, NAMESPACE, front=front, back=back, clock=own, ticker=ticker)
        self.leases.append(lease)
        cluster = KubeCluster(self.transport, own, guard=lease.secure, reach=heard)
        journal = ClusterJournal(name, NAMESPACE, cluster=cluster)
        watch = Ears(scene.spoil(StoreWatch(sandbox.store, clock)), clock, self.life, self.run)
        recalls = ClusterRecalls(name, NAMESPACE, cluster=front, watch=watch)
        credential = watched(sandbox, scene.login) if scene.login else Unending()
        metrics = scene.asking(sandbox.metrics, self.transport)
        return Hands(cluster, metrics, own, journal, lease, self.run, recalls, scene.history, credential)


def planned(text: str, analysis: str = "") -> Plan:
    """What the real reader of specs makes of an input."""
    return read(
        parse([("spec.yaml", text)]),
        analysis=analysis,
        checkers=CHECKERS,
    )
