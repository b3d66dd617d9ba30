"""The step summary of GitHub: verdict, a table of the phases, and what others said, in Markdown."""

import re
from html import escape

from progressive_ci.model.outcome import Outcome, Result
from progressive_ci.reports import ending
from progressive_ci.reports.plain import MARK, quote
from progressive_ci.reports.story import Chapter, Measurements, Story
from progressive_ci.reports.text import duration, one_line, shorten

BUDGET = 900_000
"""Bytes; a summary of 1 MiB or more is dropped as a whole."""

ROWS = 200
SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~!&@-])")


def summary(story: Story) -> str:
    """The run so far; whole at any time, since the file is rewritten. Nothing where nothing was to do."""
    if story.outcome and story.outcome.result is Result.NOTHING_TO_DO:
        return ""
    parts = [_title(story), _verdict(story.outcome), _table(story.chapters), _warnings(story), _quotes(story)]
    return within("\n".join(part for part in parts if part))


def within(text: str, budget: int = BUDGET) -> str:
    """The text, cut with a notice where it would lose the whole summary."""
    encoded = text.encode()
    if len(encoded) <= budget:
        return text
    kept = encoded[: budget - 100].decode(errors="ignore")
    return f"{kept}\n\n(cut here: the log has the rest)\n"


def markdown(text: str) -> str:
    """A text that means only itself in a table's cell."""
    return SPECIAL.sub(r"\\\1", one_line(text))


def _title(story: Story) -> str:
    opened = story.opened
    return (
        f"## Release of {markdown(f'{opened.namespace}/{opened.name}')}\n"
        if opened
        else "## progressive-ci\n"
    )


def _verdict(outcome: Outcome | None) -> str:
    if outcome is None:
        return "Running.\n"
    sign = ":white_check_mark:" if outcome.result.code == 0 else ":x:"
    head, *rest = ending.ending(outcome)
    lines = [f"{sign} **{markdown(head)}**", *(f"- {markdown(line)}" for line in rest)]
    lines += [f"- {markdown(line)}" for line in ending.details(outcome)]
    return "\n".join([lines[0], "", *lines[1:], ""])


def _table(chapters: tuple[Chapter, ...]) -> str:
    if not chapters:
        return ""
    head = "| began (UTC) | phase | took | new version | metrics |\n|---|---|---:|---:|---|"
    return "\n".join([head, *(_row(chapter) for chapter in chapters[-ROWS:]), ""])


def _row(chapter: Chapter) -> str:
    took = duration((chapter.ended - chapter.began).total_seconds())
    metrics = "<br>".join(_metric(row) for row in chapter.measurements)
    return f"| {chapter.began:%H:%M:%S} | {markdown(chapter.title)} | {took} | {chapter.weight} | {metrics} |"


def _metric(row: Measurements) -> str:
    mark = MARK.get(row.last.phase, row.last.phase)
    value = f" = {shorten(row.last.value, 40)}" if row.last.value else ""
    counts = f"{row.taken} measured" + (f", {row.bad} bad" if row.bad else "")
    counts += f", {row.blind} without value" if row.blind else ""
    return markdown(f"{row.check}{value} {mark} ({counts})")


def _warnings(story: Story) -> str:
    if not story.warnings:
        return ""
    lines = (f"- {markdown(f'{row.text} {row.source}'.strip())}" for row in story.warnings[:20])
    return "\n".join(["### Warnings", "", *lines, ""])


def _quotes(story: Story) -> str:
    blocks = (
        f"<details><summary>{escape(one_line(row.title))}</summary>\n\n<pre>"
        + escape("\n".join(shorten(line, 300) for line in quote(row.lines)[-50:]))
        + "</pre></details>\n"
        for row in story.quotes[-10:]
    )
    return "\n".join(blocks)
