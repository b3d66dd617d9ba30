"""What later steps and other programs read: GitHub's outputs and state, and the JSON report."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from progressive_ci.model.event import Opened
from progressive_ci.reports import ending
from progressive_ci.reports.story import Chapter, Story

OUTPUTS = {
    "result": "How the run ended, as a word: promoted, unchanged, rolled-back-unhealthy and so on",
    "exit-code": "The exit code",
    "revision": "Hash of the version that was to be released",
    "previous-revision": "Hash of the version that served before",
    "weight": "Percent of the traffic on the new version",
    "step": "Number of the last step begun, counted from 1",
    "reason": "Why the run ended as it did, one sentence",
    "report": "Path of the JSON report, where one was asked for",
}
"""The action's outputs and what each means; action.yml and the README say the same."""


def outputs(story: Story, report: str) -> dict[str, str]:
    """What is known by now; a run that is killed leaves its last weight behind."""
    known = {"weight": str(story.weight.percent), "report": report}
    outcome = story.outcome
    if outcome is None:
        return known
    return {
        "result": outcome.result.word,
        "exit-code": str(outcome.result.code),
        "revision": outcome.revision,
        "previous-revision": outcome.previous_revision,
        "step": str(outcome.step),
        "reason": outcome.reason,
        **known,
    }


def state(opened: Opened) -> dict[str, str]:
    """What the post step needs to find the release; told before its lease is taken."""
    return {"release": opened.release, "workload": f"{opened.namespace}/{opened.name}"}


def heredoc(values: Mapping[str, str], delimiter: str) -> str:
    """Values as GitHub's command files take them. The delimiter is a word that nobody can guess."""
    return "".join(
        f"{name}<<{delimiter}\n{value.replace(delimiter, '')}\n{delimiter}\n"
        for name, value in values.items()
    )


def report(story: Story) -> str:
    """The whole run as JSON."""
    document = {
        "began": story.began.isoformat() if story.began else None,
        "outcome": ending.facts(story.outcome) if story.outcome else None,
        "details": [*story.outcome.details, *ending.left(story.outcome)] if story.outcome else [],
        "recovered": story.outcome.recovered if story.outcome else "",
        "workload": asdict(story.opened) if story.opened else None,
        "phases": [_phase(chapter) for chapter in story.chapters],
        "samples": [
            {
                "at": at.isoformat(),
                **asdict(sample),
                "weight": sample.weight.percent,
                "source": str(sample.source),
            }
            for at, sample in story.samples
        ],
        "warnings": [{"text": warning.text, "source": str(warning.source)} for warning in story.warnings],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _phase(chapter: Chapter) -> dict[str, object]:
    return {
        "title": chapter.title,
        "began": chapter.began.isoformat(),
        "ended": chapter.ended.isoformat(),
        "weight": chapter.weight.percent,
        "checks": [
            {"check": row.check, "measured": row.taken, "failed": row.bad, "without value": row.blind}
            for row in chapter.measurements
        ],
    }
