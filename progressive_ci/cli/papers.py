"""The files that a run keeps beside its log: GitHub's summary, outputs and state, and the JSON report."""

import json
from pathlib import Path

from progressive_ci.cli.ci import Job
from progressive_ci.cli.reporter import Paper
from progressive_ci.cli.settings import Settings
from progressive_ci.model.event import Began, Ended, Opened, Shifted
from progressive_ci.reports import outputs
from progressive_ci.reports.story import Story
from progressive_ci.reports.summary import summary


def of(settings: Settings, job: Job) -> tuple[Paper, ...]:
    """Those that the environment and the options ask for; the state first, since a post step rests on it."""

    def told_outputs(story: Story, delimiter: str) -> str:
        return outputs.heredoc(outputs.outputs(story, settings.report), delimiter)

    wanted = (
        Paper(job.state_file, _state, occasions=(Opened,), grows=True),
        Paper(settings.state, _state_file, occasions=(Opened,)),
        Paper(job.output_file, told_outputs, occasions=(Began, Shifted, Ended), grows=True),
        Paper(job.summary_file, lambda story, _: summary(story)),
        Paper(settings.report, lambda story, _: outputs.report(story)),
    )
    return tuple(paper for paper in wanted if paper.path)


def left_state(path: str) -> dict[str, str]:
    """What a run has written to its state file; nothing where there is none."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _state_file(story: Story, _: str) -> str:
    return json.dumps(outputs.state(story.opened)) + "\n" if story.opened else ""


def _state(story: Story, delimiter: str) -> str:
    return outputs.heredoc(outputs.state(story.opened), delimiter) if story.opened else ""
