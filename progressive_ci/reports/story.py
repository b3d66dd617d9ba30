"""What a run has told so far, folded from its events; summaries and reports are pictures of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile

from progressive_ci.model.document import Source
from progressive_ci.model.event import (
    NO_DATA,
    Began,
    Ended,
    Event,
    Noted,
    Opened,
    Sampled,
    SecretSeen,
    Shifted,
    Stopped,
    Untrusted,
    Waiting,
    Warned,
)
from progressive_ci.model.outcome import Outcome
from progressive_ci.model.weight import NONE, Weight

LONGEST = 500
"""Entries of one kind that are kept; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Measurements:
    """One check within one phase.

    Attributes:
        check: name of the metric.
        taken: how many measurements.
        bad: how many of them failed.
        blind: how many of them gave no value.
        last: the last one.
        source: the metric's line.
    """

    check: str
    taken: int
    bad: int
    blind: int
    last: Sampled
    source: Source


@dataclass(frozen=True, slots=True)
class Chapter:
    """One phase as it went; its weight is the one at its end."""

    title: str
    began: datetime
    ended: datetime
    weight: Weight
    measurements: tuple[Measurements, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """Everything a summary needs. `began` is None until the first event."""

    began: datetime | None = None
    chapters: tuple[Chapter, ...] = ()
    weight: Weight = NONE
    warnings: tuple[Warned, ...] = ()
    quotes: tuple[Untrusted, ...] = ()
    samples: tuple[tuple[datetime, Sampled], ...] = ()
    opened: Opened | None = None
    stopped: Stopped | None = None
    outcome: Outcome | None = None
    heartbeat: datetime | None = None

    @property
    def chapter(self) -> Chapter | None:
        """The phase that goes on."""
        return self.chapters[-1] if self.chapters else None


def told(story: Story, event: Event, at: datetime) -> Story:  # noqa: C901, PLR0911 - one line for each event
    """The story and what has just happened."""
    story = _went_on(replace(story, began=story.began or at), at)
    match event:
        case Began(phase):
            chapter = Chapter(phase, at, at, story.weight)
            return replace(story, chapters=(*story.chapters, chapter)[-LONGEST:], heartbeat=at)
        case Shifted(_, after):
            return _rewritten(replace(story, weight=after, heartbeat=at), weight=after)
        case Sampled():
            samples = (*story.samples, (at, event))[-LONGEST:]
            return _measured(replace(story, samples=samples, heartbeat=at), event)
        case Warned():
            return replace(story, warnings=(*story.warnings, event)[-LONGEST:])
        case Untrusted():
            return replace(story, quotes=(*story.quotes, event)[-LONGEST:])
        case Opened():
            return replace(story, opened=event)
        case Stopped():
            return replace(story, stopped=event)
        case Ended(outcome):
            ended = Weight(outcome.weight)
            return _rewritten(replace(story, outcome=outcome, weight=ended), weight=ended)
        case SecretSeen():
            return story
        case Waiting():
            return replace(story, heartbeat=at) if heartbeat_due(story, at) else story
        case Noted():
            return replace(story, heartbeat=at)


def heartbeat_due(story: Story, at: datetime, *, every: float = 30.0) -> bool:
    """Whether a log has been silent for so long that it needs a sign of life."""
    return story.heartbeat is None or (at - story.heartbeat).total_seconds() >= every


def _went_on(story: Story, at: datetime) -> Story:
    """The running phase lasts until now."""
    if story.chapter is None:
        return story
    return replace(story, chapters=(*story.chapters[:-1], replace(story.chapter, ended=at)))


def _rewritten(story: Story, *, weight: Weight) -> Story:
    """The running phase with its new weight."""
    if story.chapter is None:
        return story
    return replace(story, chapters=(*story.chapters[:-1], replace(story.chapter, weight=weight)))


def _measured(story: Story, sample: Sampled) -> Story:
    """The running phase with one measurement more."""
    chapter = story.chapter
    if chapter is None:
        return story
    before = tuple(takewhile(lambda known: known.check != sample.check, chapter.measurements))
    known = chapter.measurements[len(before) : len(before) + 1]
    old = known[0] if known else Measurements(sample.check, 0, 0, 0, sample, sample.source)
    new = replace(
        old,
        taken=old.taken + 1,
        bad=old.bad + (sample.phase == "Failed"),
        blind=old.blind + (sample.phase in {"Error", "Inconclusive", NO_DATA}),
        last=sample,
    )
    rest = chapter.measurements[len(before) + 1 :]
    chapter = replace(chapter, measurements=(*before, new, *rest))
    return replace(story, chapters=(*story.chapters[:-1], chapter))
