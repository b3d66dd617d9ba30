"""One analysis at work: asks when a check is due, hands the answers to the judge, tells what it saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from progressive_ci.judging import analysis as judge
from progressive_ci.model import kinds
from progressive_ci.model.check import Analysis, Check
from progressive_ci.model.event import NO_DATA, Sampled
from progressive_ci.model.journal import Evidence, Side
from progressive_ci.model.outcome import Cause, Result
from progressive_ci.model.plan import Mode
from progressive_ci.model.verdict import FailedCheck, NoVerdict, Passed, Undecided
from progressive_ci.model.weight import Weight
from progressive_ci.ports import Pending
from progressive_ci.release.questions import late_values
from progressive_ci.release.release import Release
from progressive_ci.release.stop import Stop
from progressive_ci.release.workload import HASH_LABEL, labels_of, replicas_of


@dataclass(frozen=True, slots=True)
class Question:
    """A check on the way: its value, and the count of what the value rests on where that is asked for."""

    at: float
    value: Pending
    counted: Pending | None

    def done(self) -> bool:
        """Whether every part has come."""
        return self.value.done() and (self.counted is None or self.counted.done())

    def cancel(self) -> None:
        """Forget it."""
        self.value.cancel()
        if self.counted is not None:
            self.counted.cancel()


@dataclass(slots=True)
class AnalysisRun:
    """Analyses run one beside the other and beside the steps; nothing here blocks.

    Attributes:
        release: for which version.
        analysis: what is measured.
        state: the judge's.
        late: values of arguments that only the cluster knows.
        asked: questions on the way, by check.
    """

    release: Release
    analysis: Analysis
    state: judge.AnalysisState
    late: Mapping[str, str]
    asked: dict[str, Question] = field(default_factory=dict)

    @classmethod
    def begin(cls, release: Release, analysis: Analysis) -> "AnalysisRun":
        """Start measuring now."""
        record = release.record
        late = late_values(
            analysis, release.hands, namespace=record.namespace, stable=record.stable, canary=_canary(release)
        )
        return cls(release, analysis, judge.begin(analysis, release.hands.clock.now()), late)

    def serve(self) -> None:
        """Take the answers that came, and ask what is due."""
        for name, question in list(self.asked.items()):
            if question.done():
                del self.asked[name]
                self._take(name, question)
        now = self.release.hands.clock.now()
        for check in judge.due(self.state, now):
            if check.name not in self.asked:
                self.asked[check.name] = self._ask(check, now)

    def _ask(self, check: Check, now: float) -> Question:
        ask = self.release.hands.metrics.ask
        counted = ask(check.samples_query, self.late) if check.samples_query is not None else None
        return Question(now, ask(check.query, self.late), counted)

    def _take(self, name: str, question: Question) -> None:
        self.state, seen = judge.record(
            self.state,
            name,
            question.value.result(),
            asked_at=question.at,
            now=self.release.hands.clock.now(),
            counted=question.counted.result() if question.counted else None,
            wall=self.release.hands.clock.wall(),
        )
        weight, check = self.release.record.weight, self._check(name)
        word = NO_DATA if seen.is_empty else str(seen.phase)
        self.release.hands.reporter.emit(
            Sampled(
                name,
                word,
                seen.value,
                seen.message.removeprefix(f"{NO_DATA}: "),
                Weight(weight),
                check.source,
            )
        )
        wall = self.release.hands.clock.wall().strftime("%Y-%m-%dT%H:%M:%SZ")
        self.release.evidence.append(Evidence(name, word, seen.value, weight, wall))

    def _check(self, name: str) -> Check:
        return next(check for check in self.analysis.checks if check.name == name)

    def judge(self) -> bool:
        """Whether it has passed; stops the release where it has failed or can't be answered."""
        verdict = self._verdict()
        match verdict:
            case Undecided():
                return False
            case Passed():
                return True
            case FailedCheck() | NoVerdict():
                self.cancel()
                raise self._stop(verdict)
            case _:
                assert_never(verdict)

    def _verdict(self) -> Undecided | Passed | FailedCheck | NoVerdict:
        return judge.verdict(self.state, self.release.hands.clock.now(), self.release.options.metrics_timeout)

    def _stop(self, verdict: FailedCheck | NoVerdict) -> Stop:
        result = Result.UNHEALTHY if isinstance(verdict, FailedCheck) else Result.UNAVAILABLE
        source = self._check(verdict.check).source if verdict.check else self.analysis.source
        return Stop(Cause(result, verdict.reason, source=source, at=verdict.at))

    def blind(self) -> bool:
        """Whether errors or no data stand unbroken now."""
        verdict = self._verdict()
        return isinstance(verdict, Undecided) and verdict.blind_since is not None

    def fresh(self, since: float) -> bool:
        """Whether every required check has a value taken after `since`."""
        return judge.fresh_since(self.state, since)

    def next_wake(self) -> float:
        """When something is due, if no answer comes before; now where one came while another wait went on."""
        if any(question.done() for question in self.asked.values()):
            return self.release.hands.clock.now()
        due = judge.next_due(self.state, besides=self.asked)
        return float("inf") if due is None else due

    def longest_round(self) -> float:
        """Seconds from one value of the slowest check to its next."""
        checks = self.analysis.checks
        return max((check.query.timeout + (check.interval or 0.0) for check in checks), default=0.0)

    def finish(self) -> None:
        """End it; what was never measured is no pass."""
        self.cancel()
        self.state = judge.finish(self.state, self.release.hands.clock.now())
        self.judge()

    def cancel(self) -> None:
        """Forget every question on the way."""
        for question in self.asked.values():
            question.cancel()
        self.asked.clear()


def _canary(release: Release) -> Side:
    """The canary with the hash that its pods carry: outside of adopt a Deployment's controller has chosen it."""
    side = release.record.canary
    if release.record.mode is Mode.ADOPT:
        return side
    sets = release.hands.cluster.list(kinds.REPLICA_SET, release.record.namespace, labels=side.selector)
    newest = max(sets, key=replicas_of, default=None)
    return replace(side, hash=labels_of(newest)[HASH_LABEL]) if newest else side
