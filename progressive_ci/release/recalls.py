"""Recalls: how one process asks another's release to go back, and how a release hears of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from progressive_ci.model.codec import decode, encode
from progressive_ci.model.document import JsonObject
from progressive_ci.model.outcome import Cause, Result
from progressive_ci.model.recall import Purpose, Recall
from progressive_ci.ports import Hands

_LONGEST = 300
"""Characters of who and why: whoever may edit the ConfigMap must not fill the journal with it."""

_ADVICE = {
    Purpose.ABORT: "run it again when you want the release after all",
    Purpose.SUPERSEDE: "nothing: the run that took its place goes on",
}


@contextmanager
def heard(hands: Hands, release: str) -> Iterator[None]:
    """Meanwhile a recall of this release calls the run off, in whatever state it is."""

    def listen(body: JsonObject) -> None:
        recall = understood(body)
        if recall is not None and recall.release == release:
            hands.clock.halt(cause(recall))

    stop = hands.recalls.follow(listen)
    try:
        yield
    finally:
        stop()


def cause(recall: Recall) -> Cause:
    """Why a release goes back that is recalled."""
    return Cause(Result.CANCELLED, recall.told, advice=_ADVICE[recall.purpose])


def pending(hands: Hands, release: str) -> Recall | None:
    """The recall of this release that stands there, if there is one."""
    body = hands.recalls.read()
    recall = understood(body) if body is not None else None
    return recall if recall is not None and recall.release == release else None


def understood(body: JsonObject) -> Recall | None:
    """A recall from its JSON; what is none, and what a later version of this tool means, asks nothing."""
    try:
        recall = decode(Recall, body)
    except (ValueError, TypeError):
        return None
    return Recall(recall.purpose, recall.release, _short(recall.by), _short(recall.reason), recall.at)


def ask(hands: Hands, purpose: Purpose, release: str, *, by: str, reason: str) -> bool:
    """Ask a release to go back; False where there is no journal to write that beside."""
    return hands.recalls.post(encode(recall(hands, purpose, release, by=by, reason=reason)))


def recall(hands: Hands, purpose: Purpose, release: str, *, by: str, reason: str) -> Recall:
    """What is asked, now."""
    at = hands.clock.wall().strftime("%Y-%m-%dT%H:%M:%SZ")
    return Recall(purpose, release, _short(by), _short(reason), at)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
