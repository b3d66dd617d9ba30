"""A journal as text."""

from progressive_ci.model.journal import Record, State
from progressive_ci.model.recall import Recall

SHOWN = 5
"""Measurements and earlier releases; the journal holds more."""


def status_text(record: Record, recall: Recall | None = None) -> str:
    """Where a release stands, what is asked of it, what it writes, and how the ones before it ended."""
    rows = [
        ("release", f"{record.release} of {record.namespace}/{record.name}"),
        ("state", _state(record)),
        ("asked", f"to go back since {recall.at}: {recall.told}" if recall else ""),
        ("versions", f"{record.stable.hash or 'none'} -> {record.canary.hash}"),
        ("traffic", f"at most {record.weight} % on the new version"),
        ("step", f"{record.step} of {record.steps}"),
        ("started", f"{record.started}, last entry {record.updated}"),
        ("by", " ".join(part for part in (record.by, record.commit) if part)),
        ("order", f"{record.position} of {record.position.source}" if record.position.source else ""),
        ("allowed", record.override),
        ("reason", f"{record.reason} ({record.source})" if record.source.file else record.reason),
    ]
    lines = [f"{name:10}{text}" for name, text in rows if text]
    lines += _section(
        "Last measurements",
        [
            f"{row.at}  {row.check} = {row.value}  {row.phase}, {row.weight} % on the new version"
            for row in record.evidence[-SHOWN:]
        ],
    )
    lines += _section(
        "Earlier releases",
        [f"{row.at}  {row.release}  {row.result.word}  {row.reason}" for row in record.endings[-SHOWN:]],
    )
    return "\n".join(lines)


def _state(record: Record) -> str:
    if record.state is State.ENDED and record.result:
        return f"ended: {record.result.word}"
    return f"{record.state.value}, {record.stage.value}"


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, *(f"  {line}" for line in lines)] if lines else []
