"""The log for GitHub Actions: a group a phase, few annotations, and foreign text that cannot command."""

from datetime import datetime

from progressive_ci.model.document import Source
from progressive_ci.model.event import Began, Ended, Event, SecretSeen, Untrusted, Warned
from progressive_ci.reports import ending, plain
from progressive_ci.reports.story import Story
from progressive_ci.reports.text import lines_of, one_line, place, shorten

NAME = "github"

ANNOTATIONS = 4
"""Warnings that get an annotation; the runner keeps ten of a kind for each step, and readers fewer."""

LONGEST = 4096
"""Characters after which the runner cuts an annotation."""


def lines(story: Story, event: Event, at: datetime, *, word: str) -> tuple[str, ...]:
    """The lines of one event (see `reports.format`)."""
    match event:
        case Began(phase):
            return (*end_of_group(story), f"::group::{data(f'{plain.clock(at)}  {one_line(phase)}')}")
        case Ended():
            *head, last = plain.lines(story, event, at, word=word)
            return (
                *end_of_group(story),
                *harmless(tuple(head)),
                *verdict(event),
                last.replace("##[", r"#\u0023["),
            )
        case Warned(text, source) if len(story.warnings) < ANNOTATIONS:
            return (annotation("warning", text, source, title="progressive-ci"),)
        case SecretSeen(value, shared=True):
            return tuple(f"::add-mask::{data(line)}" for line in value.splitlines() if len(line.strip()) > 3)  # noqa: PLR2004 - shorter ones would mask innocent words
        case Untrusted():
            quoted = harmless(plain.lines(story, event, at, word=word))
            return (f"::stop-commands::{word}", *quoted, f"::{word}::")
        case _:
            return harmless(plain.lines(story, event, at, word=word))


def end_of_group(story: Story) -> tuple[str, ...]:
    """Groups do not nest: the one before ends where the next begins."""
    return ("::endgroup::",) if story.chapter else ()


def verdict(event: Ended) -> tuple[str, ...]:
    """Why the job is red, at the line that decided; a few annotations where there are several reasons."""
    outcome = event.outcome
    if outcome.result.code == 0:
        return ()
    problems = ending.problems_of(outcome)
    if len(problems) > 1:
        return tuple(complaint(problem) for problem in problems[:ANNOTATIONS])
    headline, _ = ending.headline_of(outcome)
    return (
        annotation("error", outcome.reason or headline, outcome.source, title=f"progressive-ci: {headline}"),
    )


def complaint(text: str) -> str:
    """An annotation for an error that begins with `file:line:`."""
    found = place(text.split(" ", 1)[0].removesuffix(":"))
    source = Source(*found) if found else Source()
    return annotation("error", text, source, title="progressive-ci")


def annotation(level: str, text: str, source: Source, *, title: str) -> str:
    """A workflow command that shows a message at a line of a file."""
    places = [f"file={prop(source.file)}"] if source.file and source.file != "-" else []
    if places and source.line:
        places.append(f"line={source.line}")
    where = f"{source}: " if source.file and not places else ""
    message = shorten(where + "\n".join(lines_of(text)), LONGEST)
    return f"::{level} {','.join([*places, f'title={prop(one_line(title))}'])}::{data(message)}"


def harmless(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Lines that hold no command, in neither of the two notations that the runner obeys."""
    spaced = (text.replace("##[", "## [") for text in texts)
    return tuple(f". {text}" if text.lstrip().startswith("::") else text for text in spaced)


def data(text: str) -> str:
    """A command's message, escaped as the runner unescapes it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def prop(text: str) -> str:
    """A command's property, escaped as the runner unescapes it."""
    return data(text).replace(":", "%3A").replace(",", "%2C")
