"""What an answer of the API server means: a JSON object, or one of the errors in `errors.py`.

An answer counts as the API server's own only when it is JSON that says what it is. A load balancer's HTML
page, whatever its code, says nothing about the object: unknown, never "absent".
"""

from dataclasses import dataclass
from http import HTTPStatus

from progressive_ci.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    NotFound,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unprocessable,
)
from progressive_ci.model.document import JsonObject
from progressive_ci.model.json_text import parsed
from progressive_ci.ports import HttpResponse

_QUOTED = 400
"""Characters of a message: some quote the whole object."""

_CLASSES: dict[int, type[ApiError]] = {
    HTTPStatus.UNAUTHORIZED: Unauthorized,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.UNPROCESSABLE_ENTITY: Unprocessable,
}
_REASONS: dict[str, type[ApiError]] = {"NotFound": NotFound, "AlreadyExists": AlreadyExists}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: the words of a message.

    Attributes:
        verb: as roles write it: get, list, create, patch, delete.
        where: the object, or the collection.
        secret: whether the object's values must not be quoted.
    """

    verb: str
    where: str
    secret: bool = False


def decode(response: HttpResponse, asked: Asked) -> JsonObject:
    """The body of a success.

    Raises:
        ApiError: every other answer, by its status.
    """
    body = _json(response)
    if body is None or not _succeeded(response):
        raise refusal(response, body, asked)
    return body


def text(response: HttpResponse, asked: Asked) -> str:
    """The body of a success that is plain text."""
    if not _succeeded(response):
        raise refusal(response, _json(response), asked)
    return response.body.decode(errors="replace")


def refusal(response: HttpResponse, body: JsonObject | None, asked: Asked) -> ApiError:
    """The error that an answer stands for."""
    status = response.status
    if body is None or body.get("kind") != "Status":
        return _foreign(response, asked)
    reason = str(body.get("reason", ""))
    said = str(body.get("message", "")) or reason
    if asked.secret and status == HTTPStatus.UNPROCESSABLE_ENTITY:
        said = ", ".join(_fields(body)) or reason  # the message quotes the object's values
    what = f"the API server refused `{asked.verb}` ({status} {reason}): {_short(said)}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TooManyRequests(what, where=asked.where, reason=reason, retry_after=retry_after(response))
    unknown = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.NOT_FOUND
    kind = _REASONS.get(reason) or _CLASSES.get(status) or (ServerError if unknown else ApiError)
    return kind(what, where=asked.where, advice=_advice(status, said, asked), status=status, reason=reason)


def _succeeded(response: HttpResponse) -> bool:
    return HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES


def _json(response: HttpResponse) -> JsonObject | None:
    try:
        body = parsed(response.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _foreign(response: HttpResponse, asked: Asked) -> ApiError:
    """Something on the way answered, or the API server in a way that says nothing."""
    words = response.body[: 4 * _QUOTED].decode(errors="replace").split()
    said = _short(" ".join(words)) or "an empty body"
    what = f"`{asked.verb}` was answered with {response.status} and no API server's answer: {said}"
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        return TooManyRequests(what, where=asked.where, retry_after=retry_after(response))
    advice = (
        "look for a proxy or a login page between this job and the API server, and check the server's address"
    )
    kind = Unauthorized if response.status == HTTPStatus.UNAUTHORIZED else ServerError
    return kind(what, where=asked.where, advice=advice, status=response.status)


def _advice(status: int, said: str, asked: Asked) -> str:
    match status:
        case 401:
            return "the credential is wrong or has expired: give the job a fresh one"
        case 403 if f" cannot {asked.verb} " in said:
            return f"grant `{asked.verb}`; `progressive-ci rbac` prints the Role that is needed"
        case _:
            return ""


def _short(said: str) -> str:
    return said if len(said) <= _QUOTED else f"{said[:_QUOTED]}..."


def _fields(body: JsonObject) -> list[str]:
    causes = (body.get("details") or {}).get("causes") or []
    return [str(cause.get("field", "")) for cause in causes]


def retry_after(response: HttpResponse) -> float:
    """Seconds for which the server asks not to be asked again."""
    for name, value in response.headers.items():
        if name.lower() == "retry-after" and value.isascii() and value.isdigit():
            return float(value)
    return 1.0
