"""Every error the tool raises on purpose, and what each one means for the run.

ProgressiveError            what happened, where, what to do next
|-- ConditionError          a condition can't be read, or not evaluated for this result
|-- SpecInvalid             the user's documents or options are wrong       exit 2
|-- Refused                 preflight said no                               exit 3
|-- Locked                  another release holds a live lease              exit 4
|-- Outdated                this commit is older than what is deployed      exit 5
|-- ReleaseFailed           the new version cannot go on: roll back         exit 10..14
|-- LeaseLost               another run has taken the release over          exit 22
|-- Interrupted             a signal, or another call to stop, came while something was awaited
`-- ApiError                the API server's answer, by status
    |-- NoAnswer            none in time, or the connection broke: unknown, never "absent"
    |-- Unauthorized        401
    |-- Forbidden           403
    |-- NotFound            404
    |-- Conflict            409: read again, decide again
    |-- AlreadyExists       409 on create
    |-- Unprocessable       422: a failed `test` of a patch, or an invalid object
    |-- TooManyRequests     429, with what Retry-After asked for
    `-- ServerError         5xx: unknown, never "absent"
"""


class ProgressiveError(Exception):
    """Something cannot go on.

    Args:
        what: what happened, one sentence without a full stop.
        where: file:line and field, or object and field; empty when the sentence says it.
        advice: what to do next; empty when there is nothing to do.
    """

    def __init__(self, what: str, *, where: str = "", advice: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.advice = advice

    def __str__(self) -> str:
        """One line: where, what, advice."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}; {self.advice}" if self.advice else head


class ConditionError(ProgressiveError):
    """A text in the condition language can't be read, or can't be evaluated for this result.

    Args:
        what: what is wrong with it.
        text: the condition.
        column: where in it, first character is 1; 0 where no place is to blame.
        stage: `compile` for what the text and the type of the result already show, `run` for what
            evaluation met, `outcome` for an answer that is no bool.
    """

    def __init__(self, what: str, *, text: str = "", column: int = 0, stage: str = "compile") -> None:
        place = f", column {column}" if column else ""
        super().__init__(what, where=f"condition `{text}`{place}" if text else "")
        self.text = text
        self.column = column
        self.stage = stage


class SpecInvalid(ProgressiveError):
    """The documents or the options are wrong; nothing was touched. Carries every complaint at once."""

    def __init__(self, *complaints: ProgressiveError) -> None:
        super().__init__("\n".join(str(complaint) for complaint in complaints))
        self.complaints = complaints


class Refused(ProgressiveError):
    """Preflight said no; nothing was touched. Carries every reason at once."""

    def __init__(self, *reasons: ProgressiveError) -> None:
        super().__init__("\n".join(str(reason) for reason in reasons))
        self.reasons = reasons


class Unfinished(ProgressiveError):
    """An earlier release could not be brought to its end before this one; its users may have either version.

    Attributes:
        left: object and command for each thing that a person has to put right.
        weight: percent of the traffic on that release's new version.
    """

    def __init__(self, what: str, *, advice: str, left: tuple[str, ...], weight: int) -> None:
        super().__init__(what, advice=advice)
        self.left = left
        self.weight = weight


class Locked(ProgressiveError):
    """Another release holds a live lease; nothing was touched and trying again is safe."""


class Outdated(ProgressiveError):
    """A newer commit is deployed or on its way; nothing was touched and trying again changes nothing."""


class LeaseLost(ProgressiveError):
    """The lease is gone or too short for another request: nothing may be sent any more."""


class Interrupted(ProgressiveError):
    """A call to stop came while a request or a pause was awaited."""


class ApiError(ProgressiveError):
    """The API server's answer to one request, other than success."""

    def __init__(
        self, what: str, *, where: str = "", advice: str = "", status: int = 0, reason: str = ""
    ) -> None:
        super().__init__(what, where=where, advice=advice)
        self.status = status
        self.reason = reason


NOT_SENT = "NotSent"
"""Reason of a NoAnswer that proves that the other side never saw the request."""


class NoAnswer(ApiError):
    """No answer in time or a broken connection: what the server did is unknown.

    Unless its reason is NOT_SENT: then it did nothing.
    """


class Unauthorized(ApiError):
    """401."""


class Forbidden(ApiError):
    """403."""


class NotFound(ApiError):
    """404 where the object must exist."""


class Conflict(ApiError):
    """409: somebody else wrote first."""


class AlreadyExists(ApiError):
    """409 on create."""


class Unprocessable(ApiError):
    """422: a `test` operation failed, or the object is not valid."""


class TooManyRequests(ApiError):
    """429."""

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        advice: str = "",
        status: int = 429,
        reason: str = "",
        retry_after: float = 1.0,
    ) -> None:
        super().__init__(what, where=where, advice=advice, status=status, reason=reason)
        self.retry_after = retry_after


class ServerError(ApiError):
    """5xx: what the server did is unknown."""
