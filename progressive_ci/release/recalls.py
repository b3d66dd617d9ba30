"""Recalls: how one process asks another's release to go back, and how a release hears of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Asked:
    """What a release is asked.

    Attributes:
        recall: the one that it hears of.
        earlier: whether somebody else had asked already.
    """

    recall: Recall
    earlier: bool

    @property
    def told(self) -> str:
        """For whoever asks."""
        if not self.earlier:
            return f"release {self.recall.release} is asked to go back"
        return f"release {self.recall.release} is asked to go back since {self.recall.at}: {self.recall.told}"


@contextmanager
def heard(hands: Hands, release: str) -> Iterator[None]:
    """Meanwhile a recall of this release calls the run off, in whatever state it is."""

    def listen(body: JsonObject) -> None:
        if (recall := _of(release, body)) is not None:
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
    return next(filter(None, (_of(release, body) for body in hands.recalls.read())), None)


def understood(body: JsonObject) -> Recall | None:
    """A recall from its JSON; what is none, and what a later version of this tool means, asks nothing."""
    try:
        recall = decode(Recall, body)
    except (ValueError, TypeError):
        return None
    return Recall(recall.purpose, recall.release, _short(recall.by), _short(recall.reason), recall.at)


def _of(release: str, body: JsonObject) -> Recall | None:
    """A recall of this release from its JSON."""
    found = understood(body)
    return found if found is not None and found.release == release else None


def ask(
    hands: Hands, purpose: Purpose, release: str, *, by: str, reason: str, runs: bool = True
) -> Asked | None:
    """Ask a release to go back, unless somebody has done so already: it can do so once, for one reason.

    Args:
        hands: the world.
        purpose: what for.
        release: its id.
        by: who asks.
        reason: why.
        runs: whether it is at work, and not one that waits for its turn.

    Returns:
        What stands there then; None where there is no journal to write that beside.

    Raises:
        Refused: too many that wait are asked already.
    """
    wanted = recall(hands, purpose, release, by=by, reason=reason)
    body = encode(wanted)
    found = hands.recalls.post(body, stands=lambda there: _of(release, there) is not None, runs=runs)
    if found is None:
        return None
    earlier = None if found is body else _of(release, found)
    return Asked(earlier or wanted, earlier is not None)


def recall(hands: Hands, purpose: Purpose, release: str, *, by: str, reason: str) -> Recall:
    """What is asked, now."""
    at = hands.clock.wall().strftime("%Y-%m-%dT%H:%M:%SZ")
    return Recall(purpose, release, _short(by), _short(reason), at)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
