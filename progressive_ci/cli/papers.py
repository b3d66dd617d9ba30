"""The files that a run keeps beside its log: GitHub's summary, outputs and state, and the JSON report."""

import json
from pathlib import Path

from progressive_ci.cli.ci import Job
from progressive_ci.cli.reporter import Paper
from progressive_ci.cli.settings import Settings
from progressive_ci.errors import ProgressiveError, SpecInvalid
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
    """What a run has written to its state file; nothing where there is none, or a run has only begun to write it.

    Raises:
        SpecInvalid: something else stands there, or nobody may read it: there may be a release to finish.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        found = json.loads(text) if text.strip() else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(found, dict):
        raise _unreadable(path, ValueError("no JSON object"))
    return {str(key): str(value) for key, value in found.items()}


def _unreadable(path: str, error: OSError | ValueError) -> SpecInvalid:
    why = error.strerror if isinstance(error, OSError) else error
    advice = "give the file that `run --state` wrote, or finish the release by name: `progressive-ci rollback NAME`"
    return SpecInvalid(ProgressiveError(f"it is no state of a run: {why}", where=path, advice=advice))


def _state_file(story: Story, _: str) -> str:
    return json.dumps(outputs.state(story.opened)) + "\n" if story.opened else ""


def _state(story: Story, delimiter: str) -> str:
    return outputs.heredoc(outputs.state(story.opened), delimiter) if story.opened else ""
