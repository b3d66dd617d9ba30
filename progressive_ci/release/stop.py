"""The one way in which a release says that it cannot go on."""

from progressive_ci.errors import NotFound, ProgressiveError
from progressive_ci.model.document import Source
from progressive_ci.model.outcome import Cause, Result


class Stop(ProgressiveError):
    """Raised on the forward path, answered by the conductor with the rollback."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.reason, where=str(cause.source), advice=cause.advice)
        self.cause = cause


def unready(reason: str, *, advice: str = "", details: tuple[str, ...] = ()) -> Stop:
    """The new pods can't serve."""
    return Stop(Cause(Result.UNREADY, reason, advice=advice, details=details))


def unavailable(reason: str, *, advice: str = "", source: Source | None = None) -> Stop:
    """No answer in time from something the release needs."""
    return Stop(Cause(Result.UNAVAILABLE, reason, source=source or Source(), advice=advice))


def cancelled(reason: str, *, advice: str = "") -> Stop:
    """A signal, the hard end of the run, or somebody else's hand."""
    return Stop(Cause(Result.CANCELLED, reason, advice=advice))


def cause_of(error: ProgressiveError) -> Cause:
    """Why a release stops that met this error after its first write."""
    if isinstance(error, Stop):
        return error.cause
    if isinstance(error, NotFound):
        return cancelled(f"somebody has deleted {error.where or error.what}, which this release needs").cause
    return unavailable(f"refused or not answered: {error}", advice=error.advice).cause


class Overdue(ProgressiveError):
    """The rollback has used up its own time; a human must look."""
