"""What befalls one question to a metrics server, by its number, and releases that ask many."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from progressive_ci.model.check import Query
from progressive_ci.model.sample import Sample
from progressive_ci.ports import HttpResponse, Pending
from progressive_ci.sandbox.metrics import AskServer, Mishap, SandboxMetrics
from progressive_ci.sandbox.prometheus import FAILURES
from tests.scenario import given
from tests.scenario.documents import GUARD, IMAGE, deployment, metric, rollout, template
from tests.scenario.rows import ROWS, Row
from tests.scenario.scene import Mortal, Scene
from tests.scenario.then import ROUTERS

STEPS = """
- setWeight: 25
- pause: {duration: 5s}
- analysis:
    templates: [{templateName: healthy}]
    args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]
- setWeight: 75
- pause: {duration: 5s}
"""

_COUNTED = "progressive-ci/min-samples.success-rate: '1 sum(increase(http_requests_total[5s]))'"
_WATCHING = template(metric(count=""), notes=_COUNTED).replace("name: healthy,", "name: watch,")
_TEMPLATES = "---\n" + _WATCHING + "---\n" + template(metric())
"""One measures as long as the canary has users, and counts them too; the other is a step."""

_WHOLE = template(metric(query="vector(1)", count="10")).replace("args: [{name: hash}]", "args: []")
"""Judges a Deployment, by as many questions as the other rows need."""


def _judged(row: Row, router: str, image: str = IMAGE) -> Row:
    text = rollout(router, image=image, canary=GUARD.replace("healthy", "watch"), steps=STEPS)
    return replace(row, text=text + _TEMPLATES)


JUDGED: Mapping[str, Row] = {
    **{router: _judged(ROWS[router], router) for router in ROUTERS},
    "roll": _judged(ROWS["roll"], "gateway"),
    "an earlier version": _judged(ROWS["an earlier version"], "gateway", image="web:1.0.0"),
    "in place": Row(
        "in place",
        deployment() + "---\n" + _WHOLE,
        lambda: given.app(router=""),
        routed=False,
        analysis="healthy",
    ),
}

AWAY = 60.0
"""Longer than any question is waited for."""


def _lost(_: AskServer) -> HttpResponse:
    raise ConnectionError


def _lost_late(ask: AskServer) -> HttpResponse:
    ask()
    raise ConnectionError


def _twice(ask: AskServer) -> HttpResponse:
    ask()
    return ask()


def _wrong(kind: str) -> Mishap:
    return Mishap(lambda ask: FAILURES[kind](ask()))


def _body(text: str) -> Mishap:
    answer = HttpResponse(200, {"Content-Type": "application/json"}, text.encode())
    return Mishap(lambda _: answer)


MISHAPS: Mapping[str, Mishap] = {
    "it never arrives": Mishap(_lost),
    "its answer is lost": Mishap(_lost_late),
    "there is no answer in time": Mishap(seconds=AWAY),
    "it is answered three seconds late": Mishap(seconds=3.0),
    "it arrives twice": Mishap(_twice),
    "the server fails": _wrong("500"),
    "the server is away": _wrong("503"),
    "half an answer": _wrong("cut"),
    "a login page": _wrong("html"),
    "nothing": _body(""),
    "garbage": _body("\0\1\2"),
    "no values": _wrong("empty"),
    "two values": _wrong("two, the bad one first"),
    "not a number": _wrong("nan"),
    "another question's answer": _body('{"status":"success","data":["http_requests_total","up"]}'),
    "a text": _body('{"status":"success","data":{"resultType":"string","result":[0,"0"]}}'),
}


def struck(scene: Scene, mishap: Mishap, number: int) -> None:
    """Something befalls the question with this number, counted from now."""
    metrics = scene.sandbox.metrics
    metrics.plan(mishap, number=metrics.sent + number)


def old_answer(scene: Scene, number: int) -> None:
    """The question with this number gets the answer to the one before it, as from a cache."""
    kept: list[HttpResponse] = []

    def remember(ask: AskServer) -> HttpResponse:
        kept.append(ask())
        return kept[0]

    struck(scene, Mishap(remember), number - 1)
    struck(scene, Mishap(lambda ask: kept[0] if kept else ask()), number)


@dataclass(frozen=True, slots=True)
class Deadly:
    """`ports.Metrics` of a process that dies of one of its questions.

    Attributes:
        server: who answers.
        process: who dies.
        number: of which question, counted as the server does.
        moment: `before` it is sent, `during` its way, or `after` it was answered.
    """

    server: SandboxMetrics
    process: Mortal
    number: int
    moment: str

    def ask(self, query: Query, late: Mapping[str, str]) -> Pending:
        """Send a question now, if it is not the one."""
        deadly = self.server.sent + 1 == self.number
        if deadly and self.moment == "before":
            self.process.die()
        pending = self.server.ask(query, late)
        if deadly and self.moment == "during":
            self.process.die()
        return LastWord(pending, self.process) if deadly else pending


@dataclass(frozen=True, slots=True)
class LastWord:
    """`ports.Pending` whose answer nobody lives to judge."""

    pending: Pending
    process: Mortal

    def done(self) -> bool:
        """Die of the answer, once it is there."""
        if self.pending.done():
            self.process.die()
        return False

    def result(self) -> Sample:
        """Nobody gets here."""
        raise AssertionError

    def cancel(self) -> None:
        """Forget it."""
        self.pending.cancel()


def dies(moment: str, number: int) -> Callable[[Scene], None]:
    """The next process dies of its question with this number; those after it live."""

    def prepare(scene: Scene) -> None:
        metrics = scene.sandbox.metrics
        last = metrics.sent + number
        scene.asking = lambda _, process: Deadly(metrics, process, last, moment)

    return prepare
