"""What every command with a cluster works with: settings, clock, reporter, and hands made of real adapters."""

import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import click

from progressive_ci.adapters.addresses import Addresses, parse
from progressive_ci.adapters.clock import RealClock, ThreadClock, ThreadTicker
from progressive_ci.adapters.cluster import ONCE, KubeCluster, Patience
from progressive_ci.adapters.connection import Connection, connect
from progressive_ci.adapters.credential_watch import WatchedCredential
from progressive_ci.adapters.history import GitHistory
from progressive_ci.adapters.journal import ClusterJournal
from progressive_ci.adapters.lease import ClusterLease
from progressive_ci.adapters.login import Access
from progressive_ci.adapters.metrics import HttpMetrics
from progressive_ci.adapters.reach import Reach
from progressive_ci.adapters.recalls import ClusterRecalls
from progressive_ci.adapters.transport import KubeTransport
from progressive_ci.adapters.watch import ThreadWatch
from progressive_ci.adapters.wire import Wire
from progressive_ci.adapters.worker import call
from progressive_ci.cli import ci, papers
from progressive_ci.cli.reporter import Listener, RunReporter
from progressive_ci.cli.screen import Screen
from progressive_ci.cli.settings import Settings
from progressive_ci.errors import ProgressiveError, SpecInvalid
from progressive_ci.model.event import Noted, SecretSeen, Warned
from progressive_ci.model.options import IfLocked, Options
from progressive_ci.model.outcome import Outcome
from progressive_ci.model.plan import Plan
from progressive_ci.model.position import DIGITS, Position, order_of
from progressive_ci.ports import Hands, Reporter
from progressive_ci.release.credential_end import described
from progressive_ci.release.endings import outcome_of
from progressive_ci.release.guard_job import checked_image
from progressive_ci.reports.table import FORMATS

CRASHED = 1
SHORTEST_LEASE = 3.0
READING = 600.0
"""Seconds for the user's files; standard input may be a chart that is being rendered."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One run of a command with a cluster."""

    settings: Settings
    job: ci.Job
    clock: RealClock
    reporter: Reporter
    hide: Callable[[str], str]

    @property
    def options(self) -> Options:
        """The user's choices as the release knows them."""
        settings = self.settings
        if settings.skip_analysis and not settings.reason:
            advice = "say why, as in --reason 'stable is down'"
            raise SpecInvalid(ProgressiveError("--skip-analysis needs --reason", advice=advice))
        if settings.allow_older and not settings.reason:
            advice = "say why, as in --reason 'back to what worked'"
            raise SpecInvalid(ProgressiveError("--allow-older needs --reason", advice=advice))
        return Options(
            pause_timeout=settings.pause_timeout,
            max_duration=settings.max_duration,
            metrics_timeout=settings.metrics_timeout,
            settle=settings.settle,
            leave_services=settings.leave_service,
            keep_annotations=settings.keep_annotation,
            skip_analysis=settings.skip_analysis,
            reason=settings.reason,
            apply_rest=settings.apply_rest,
            allowed_namespaces=settings.allow_namespace,
            guard=self._guard_image(),
            lock_wait=settings.lock_wait or 0.0,
            if_locked=IfLocked(settings.if_locked),
            position=self._position(),
            allow_older=settings.allow_older,
            rollback_budget=settings.rollback_budget,
            on_failure=settings.on_failure,
            resume=settings.resume,
            resume_within=settings.resume_within,
            run_url=self.job.run_url,
            commit=self.job.commit,
        )

    def _guard_image(self) -> str:
        """The guard's image, or none."""
        try:
            return checked_image(self.settings.guard)
        except ProgressiveError as error:
            raise SpecInvalid(error) from error

    def _lease_seconds(self) -> float:
        """How long the lease lasts; a write must end well within it."""
        if self.settings.lease < SHORTEST_LEASE:
            advice = f"give at least {SHORTEST_LEASE:g}s: it is renewed three times in that time"
            raise SpecInvalid(
                ProgressiveError(f"--lease {self.settings.lease:g}s is too short", advice=advice)
            )
        return self.settings.lease

    def _position(self) -> Position:
        """Where the commit stands: by the user's own number, else by the CI system's."""
        order, found = self.settings.commit_order, self.job.position
        if not order:
            return found
        if (number := order_of(order)) is None:
            advice = f"give a whole number of at most {DIGITS} digits that grows from commit to commit"
            raise SpecInvalid(
                ProgressiveError(f"--commit-order {order[:DIGITS]!r} is no such number", advice=advice)
            )
        return Position(number, "--commit-order", found.commit or self.job.commit)

    def plan(self) -> Plan:
        """Read the documents; a signal ends even a standard input that never does."""
        from progressive_ci.cli import spec  # noqa: PLC0415 - rollback and post need no reader of specs

        def read() -> Plan:
            return spec.plan(self.settings, workspace=self.job.workspace)

        return call(read, self.clock, timeout=READING, what="read the documents")

    def _connection(self) -> Connection:
        """The way to the API server, with the login that the user chose."""
        settings, emit = self.settings, self.reporter.emit
        access = Access(
            method=settings.auth,
            kubeconfig=settings.kubeconfig,
            context=settings.context,
            server=settings.server,
            authority=settings.certificate_authority,
            audience=settings.audience,
            variable=settings.token_variable,
            cluster=settings.eks_cluster,
        )
        connection = connect(
            self.clock,
            access,
            tell=lambda text: emit(Noted(text)),
            secret=lambda value: emit(SecretSeen(value, shared=False)),
        )
        # Several runs share a journal, each on a machine of its own.
        self.clock.set_by(connection.time.now)
        return connection

    def without_lease(self) -> KubeCluster:
        """For a guard, which removes its own Job when it has nothing to keep any more."""
        connection = self._connection()
        return KubeCluster(KubeTransport(Wire(connection), self.clock), self.clock)

    def hands(self, *, namespace: str, name: str) -> Hands:
        """Everything a release of this workload acts through."""
        return self.reach(namespace=namespace, name=name)[0]

    def reach(self, *, namespace: str, name: str) -> tuple[Hands, Addresses]:
        """The hands, and the ways on which its metrics are asked."""
        connection = self._connection()
        self.reporter.emit(Noted(f"logged in with {described(connection.look())}"))
        wire = Wire(connection)
        lease_seconds = self._lease_seconds()
        patience = Patience(write=min(Patience().write, lease_seconds / 3))
        front, reach = KubeTransport(wire, self.clock), Reach(self.clock)
        behind = ThreadClock(connection.time.now)
        lease = ClusterLease(
            name,
            namespace,
            front=KubeCluster(front, self.clock, reach=reach),
            back=KubeCluster(KubeTransport(wire, behind), behind, patience=ONCE, reach=reach),
            clock=self.clock,
            ticker=ThreadTicker(),
            seconds=lease_seconds,
            run=self.job.run_url,
            tell=lambda text: self.reporter.emit(Noted(text)),
        )
        cluster = KubeCluster(front, self.clock, guard=lease.secure, patience=patience, reach=reach)
        ways = addresses(self.settings, namespace, proxy=not connection.in_cluster)
        hands = Hands(
            cluster=cluster,
            metrics=HttpMetrics(
                self.clock,
                addresses=ways,
                proxy=wire,
            ),
            clock=self.clock,
            journal=ClusterJournal(name, namespace, cluster=cluster, hide=self.hide),
            lease=lease,
            reporter=self.reporter,
            recalls=self._recalls(name, namespace, wire, behind, reach),
            history=GitHistory(self.job.workspace, self.clock),
            credential=WatchedCredential(connection.look, ThreadTicker()),
        )
        return hands, ways

    def _recalls(
        self, name: str, namespace: str, wire: Wire, behind: ThreadClock, reach: Reach
    ) -> ClusterRecalls:
        """Asking needs no lease; listening goes on whatever the main thread waits for."""
        watch = ThreadWatch(
            wire,
            KubeCluster(KubeTransport(wire, behind), behind, patience=ONCE, reach=reach),
            tell=lambda text: self.reporter.emit(Warned(text)),
        )
        front = KubeCluster(KubeTransport(wire, self.clock), self.clock)
        return ClusterRecalls(name, namespace, cluster=front, watch=watch, hide=self.hide)


def conduct(settings: Settings, work: Callable[[Desk], Outcome]) -> int:
    """Do a piece of work that ends in an outcome, and tell it; the answer is the exit code."""
    clock = RealClock()
    clock.install()
    job = ci.job(os.environ)
    form = FORMATS[job.reporter if settings.reporter == "auto" else settings.reporter]
    screen = Screen(1, terminal=os.isatty(1))
    reporter = RunReporter(screen, form, papers=papers.of(settings, job))
    try:
        outcome = _outcome(Desk(settings, job, clock, reporter, reporter.hide), work)
        reporter.end(outcome)
    except Exception:  # noqa: BLE001 - a bug of ours before the first write; its words may hold what it was given
        click.echo(reporter.hide(traceback.format_exc()), err=True)
        return CRASHED
    finally:
        reporter.close()
    return outcome.result.code


def _outcome(desk: Desk, work: Callable[[Desk], Outcome]) -> Outcome:
    try:
        return work(desk)
    except ProgressiveError as error:
        return outcome_of(error)


def quietly(settings: Settings, work: Callable[[Desk], int]) -> int:
    """Do a piece of work whose product is what it prints; the answer is the exit code."""
    clock = RealClock()
    clock.install()
    listener = Listener()
    try:
        return work(Desk(settings, ci.job(os.environ), clock, listener, listener.hide))
    except ProgressiveError as error:
        outcome = outcome_of(error)
        text = f"{outcome.reason}; {outcome.advice}" if outcome.advice else outcome.reason
        click.echo(listener.mask.applied(text), file=sys.stderr)
        return outcome.result.code
    except Exception:  # noqa: BLE001 - as above
        click.echo(listener.mask.applied(traceback.format_exc()), err=True)
        return CRASHED


def addresses(settings: Settings, namespace: str, *, proxy: bool) -> Addresses:
    """The ways to metrics servers.

    Raises:
        SpecInvalid: an `--address` is none.
    """
    try:
        return Addresses(parse(settings.address), namespace, proxy, settings.allow_namespace)
    except ProgressiveError as error:
        raise SpecInvalid(error) from error
