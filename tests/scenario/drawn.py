"""Releases and what befalls them, drawn by hypothesis: a plan, and every fault, before anything runs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from hypothesis import strategies as st

from progressive_ci.model.options import Options
from progressive_ci.model.plan import Mode
from progressive_ci.ports import Access
from progressive_ci.release.rights import guard_rights, rights
from progressive_ci.reports.role import rules
from progressive_ci.sandbox import faults
from progressive_ci.sandbox.faults import Fault, during, nth
from progressive_ci.sandbox.json_patch import clone
from progressive_ci.sandbox.resources import ROLE
from tests.scenario import given, then
from tests.scenario.documents import GUARD, deployment, metric, rollout, template
from tests.scenario.scene import NAMESPACE, Scene, planned

SINGLE = (
    faults.lose_answer(),
    faults.drop(),
    faults.refuse(),
    faults.too_many(),
    faults.broken(),
    faults.delay(2.0),
    faults.delay(8.0),
)
DEATHS = (faults.kill_before(), faults.kill_after())
LASTING: tuple[Callable[[], Fault], ...] = (
    faults.drop,
    faults.refuse,
    faults.broken,
    lambda: faults.too_many(30),
)
IN_PLACE, ROLL = "in place", "roll"
USER = "ci"
WAY_BACK = 120.0
"""Seconds that a rollback takes at most by itself here: pods, drains, confirmations, a lease, a long back-off."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Nothing is answered for a while, from so many seconds after the start."""

    since: float
    seconds: float
    kind: int


@dataclass(frozen=True, slots=True)
class Denial:
    """One right is taken away for a while; `number` chooses it among those of the spec."""

    since: float
    seconds: float
    number: int


@dataclass(frozen=True, slots=True)
class Case:
    """What is released, and what befalls it.

    Attributes:
        way: a router, or a mode that is none.
        replicas: of the version that serves.
        version: the one that comes.
        steps: of a Rollout.
        guarded: whether an analysis runs in the background.
        faulty: requests by number, and what befalls each.
        deaths: requests by number at which the process is killed, before or after it was sent.
        follow: the commands that come after a death.
        outages: of the API server.
        denials: of rights.
        signal_at: seconds until SIGTERM.
    """

    way: str
    replicas: int
    version: str
    steps: tuple[str, ...]
    guarded: bool = False
    faulty: tuple[tuple[int, int], ...] = ()
    deaths: tuple[tuple[int, int], ...] = ()
    follow: tuple[str, ...] = ("recover",)
    outages: tuple[Outage, ...] = ()
    denials: tuple[Denial, ...] = ()
    signal_at: float | None = None

    @property
    def text(self) -> str:
        """The documents."""
        image = f"web:{self.version}"
        if self.way == IN_PLACE:
            return deployment(image=image) + ("---\n" + _judged() if self.guarded else "")
        steps = "".join(f"- {step}\n" for step in self.steps)
        canary = GUARD.replace("startingStep: 1", "startingStep: 0") if self.guarded else ""
        text = rollout(_router(self.way), image=image, steps=steps, canary=canary)
        if self.guarded:
            text += "---\n" + _measured("healthy", "")
        return text + ("---\n" + _measured("asked", "3") if ANALYSIS in self.steps else "")

    @property
    def analysis(self) -> str:
        """What judges a release in place."""
        return "healthy" if self.guarded and self.way == IN_PLACE else ""

    @property
    def struck(self) -> bool:
        """Whether anything befalls a request."""
        return bool(self.faulty or self.deaths or self.outages or self.denials)

    @property
    def quiet_after(self) -> float:
        """Seconds after the start when everything that lasts is over."""
        spans: tuple[Outage | Denial, ...] = (*self.outages, *self.denials)
        return max((each.since + each.seconds for each in spans), default=0.0)

    @property
    def rights(self) -> tuple[Access, ...]:
        """What its run needs."""
        return rights(planned(self.text, self.analysis), mode=Mode.ROLL if self.way == ROLL else None)

    @property
    def withdrawn(self) -> tuple[Access, ...]:
        """The right that each denial takes."""
        return tuple(self.rights[each.number % len(self.rights)] for each in self.denials)

    @property
    def may_end_20(self) -> bool:
        """Whether faults outlast a rollback's budget or deny a verb that it needs; known before the run.

        They count together, because they may follow one another.
        """
        needed = guard_rights(planned(self.text, self.analysis))
        denied = zip(self.denials, self.withdrawn, strict=True)
        lasting = sum(each.seconds for each in self.outages)
        lasting += sum(denial.seconds for denial, right in denied if right in needed)
        return lasting > Options().rollback_budget - WAY_BACK


def _router(way: str) -> str:
    return "gateway" if way == ROLL else way


def _measured(name: str, count: str) -> str:
    return template(metric(count=count, failureLimit="1")).replace("name: healthy", f"name: {name}")


def _judged() -> str:
    """A check that needs no argument, as nobody gives one to a Deployment's."""
    text = template(metric(count="3", interval="10s", query="vector(1)"))
    return text.replace("args: [{name: hash}]", "args: []")


ANALYSIS = (
    "analysis: {templates: [{templateName: asked}],"
    " args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]}"
)


def opened(case: Case) -> Scene:
    """The cluster before the release, in which everything will happen that was drawn."""
    scene = given.app(router="" if case.way == IN_PLACE else _router(case.way), replicas=case.replicas)
    if case.way == ROLL:
        given.policy_on_deployments(scene)
        scene.before = given.snapshot(scene.sandbox)
    sandbox, clock = scene.sandbox, scene.sandbox.clock
    start, first = clock.now(), len(sandbox.log)
    for number, kind in case.deaths:
        sandbox.faults.plan(DEATHS[kind], when=nth(first + number))
    for number, kind in case.faulty:
        sandbox.faults.plan(SINGLE[kind], when=nth(first + number))
    for each in case.outages:
        span = during(clock, start + each.since, start + each.since + each.seconds)
        sandbox.faults.plan(LASTING[each.kind](), when=span, times=100_000)
    if case.denials:
        _deny(scene, case)
    if case.signal_at is not None:
        clock.at(start + case.signal_at, lambda: clock.deliver("SIGTERM"))
    return scene


def _deny(scene: Scene, case: Case) -> None:
    """A Role that loses rights, and gets them back."""
    every = tuple(dict.fromkeys((*case.rights, *guard_rights(planned(case.text, case.analysis)))))
    scene.sandbox.world.grant(USER, rules(every), NAMESPACE)
    scene.user, gone, clock = USER, list[Access](), scene.sandbox.clock

    def now_without() -> None:
        found = scene.sandbox.get(ROLE, NAMESPACE, USER)
        assert found is not None
        left = [access for access in every if access not in gone]
        scene.sandbox.store.write(ROLE, {**clone(found), "rules": rules(left)})

    def take(right: Access) -> None:
        gone.append(right)
        now_without()

    def give(right: Access) -> None:
        gone.remove(right)
        now_without()

    for each, right in zip(case.denials, case.withdrawn, strict=True):
        clock.at(clock.now() + each.since, partial(take, right))
        clock.at(clock.now() + each.since + each.seconds, partial(give, right))


_WEIGHTS = st.integers(1, 100).map(lambda share: f"setWeight: {share}")
_PAUSES = st.integers(1, 40).map(lambda seconds: f"pause: {{duration: {seconds}s}}")
_SPANS = st.integers(1, 60) | st.integers(60, 1000)


def _at_requests(kinds: int, most: int) -> st.SearchStrategy[tuple[tuple[int, int], ...]]:
    pairs = st.tuples(st.integers(1, 300), st.integers(0, kinds - 1))
    return st.lists(pairs, max_size=most, unique_by=lambda pair: pair[0]).map(tuple)


CASES = st.builds(
    Case,
    way=st.sampled_from([*then.ROUTERS, ROLL, IN_PLACE]),
    replicas=st.integers(1, 6),
    version=st.sampled_from(["2.0.0", "2.0.0", "2.0.0", "2.0.0-err40", "2.0.0-crash", "2.0.0-start9"]),
    steps=st.lists(_WEIGHTS | _PAUSES | st.just(ANALYSIS), min_size=1, max_size=6).map(tuple),
    guarded=st.booleans(),
    faulty=_at_requests(len(SINGLE), 4),
    deaths=_at_requests(len(DEATHS), 2),
    follow=st.lists(st.sampled_from(["recover", "rollback", "run"]), min_size=1, max_size=3).map(tuple),
    outages=st.lists(
        st.builds(Outage, st.integers(0, 150), _SPANS, st.integers(0, len(LASTING) - 1)), max_size=2
    ).map(tuple),
    denials=st.lists(st.builds(Denial, st.integers(0, 150), _SPANS, st.integers(0, 60)), max_size=1).map(
        tuple
    ),
    signal_at=st.none() | st.floats(0.0, 120.0),
)
