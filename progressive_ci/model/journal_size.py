"""Owns how large a journal may become: sentences are cut, and whatever grows is reckoned at its fullest."""

import json
from collections.abc import Iterable
from dataclasses import replace

from progressive_ci.model.codec import encode
from progressive_ci.model.document import JsonObject
from progressive_ci.model.journal import (
    KEPT_OUTCOMES,
    KEPT_SAMPLES,
    Ending,
    Evidence,
    PassedStep,
    Record,
    Stage,
    State,
)
from progressive_ci.model.outcome import Result

LARGEST = 256 * 1024
"""Bytes of a journal."""

SENTENCE = 1000
"""Bytes of one of its sentences, which may quote servers and people."""

_CUT = "..."
_VALUE = 80
"""Characters of a measured value (`judging/texts.py`)."""
_SPARE = 4096
"""For what is small and differs from entry to entry: a line of the spec, numbers, times."""


def rendered(body: JsonObject) -> str:
    """A record as it is stored."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def _brief(record: Record) -> Record:
    """The record with none of its sentences longer than it may be."""
    return replace(
        record,
        reason=cut(record.reason),
        why=cut(record.why),
        override=cut(record.override),
        endings=tuple(replace(each, reason=cut(each.reason)) for each in record.endings),
    )


def cut(sentence: str) -> str:
    """A sentence that takes no more room than one may."""
    if _room(sentence) <= SENTENCE:
        return sentence
    left, kept = SENTENCE - len(_CUT), 0
    for letter in sentence:
        left -= _room(letter)
        if left < 0:
            break
        kept += 1
    return sentence[:kept] + _CUT


def _room(text: str) -> int:
    """Bytes of a text within JSON."""
    return len(json.dumps(text, ensure_ascii=False).encode(errors="surrogatepass")) - len('""')


def worst_size(record: Record, checks: Iterable[str]) -> int:
    """Bytes that the journal of a release may come to, whatever happens to it.

    Args:
        record: as it is before the first write.
        checks: names of everything that may be measured.
    """
    return len(rendered(encode(_fullest(_brief(record), checks))).encode()) + _SPARE


def _fullest(record: Record, checks: Iterable[str]) -> Record:
    sentence, longest = "x" * SENTENCE, max(Result, key=lambda result: len(result.name))
    sample = Evidence(
        max(checks, key=_room, default=""), "no data, or an error", "x" * _VALUE, 100, record.updated
    )
    ending = Ending(record.release, longest, sentence, record.canary.hash, record.updated, record.by)
    return replace(
        record,
        state=State.RUNNING,
        stage=max(Stage, key=lambda stage: len(stage.name)),
        weight=100,
        step=record.steps,
        result=longest,
        reason=sentence,
        why=sentence,
        asserted=tuple(f"{entry.ref} {each.path}" for entry in record.objects for each in entry.originals),
        passed=tuple(PassedStep(index + 1, record.updated) for index in range(record.steps)),
        evidence=(sample,) * KEPT_SAMPLES,
        endings=(*record.endings, ending)[-KEPT_OUTCOMES:],
    )
