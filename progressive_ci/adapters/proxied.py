"""A question to a Service inside the cluster, sent through the API server (`services/NAME/proxy`)."""

from http import HTTPStatus
from urllib.parse import parse_qsl

from progressive_ci.adapters.addresses import Proxied
from progressive_ci.errors import ProgressiveError
from progressive_ci.model.json_text import parsed
from progressive_ci.ports import HttpRequest, HttpResponse, Transport

NEUTRAL = {"accept", "content-type"}
"""Headers that a question can do without."""


def send(transport: Transport, way: Proxied, request: HttpRequest) -> HttpResponse:
    """The Service's answer.

    Args:
        transport: to the API server.
        way: to the Service.
        request: a GET, or a POSTed form, which goes as a GET: that right is the smaller one.

    Raises:
        NoAnswer: the API server gave none.
        ProgressiveError: the API server did not pass the question on, or could not pass it on whole.
    """
    lost = sorted({name for name, _ in request.headers if name.lower() not in NEUTRAL})
    if request.token is not None or lost:
        raise ProgressiveError(
            f"the API server's service proxy passes on no credentials and no headers ({', '.join(lost) or 'token'})",
            where=way.target,
            advice="give the server an address that this job can reach, with --address FROM=TO",
        )
    form = parse_qsl(request.body.decode(), keep_blank_values=True)
    response = transport.request(
        "GET",
        way.api_path,
        query=dict(parse_qsl(way.query, keep_blank_values=True) + form),
        body=None,
        content_type="application/json",
        timeout=request.timeout,
    )
    refused = _refusal(response)
    if refused:
        raise ProgressiveError(
            f"the API server did not pass the question on ({response.status}): {refused}",
            where=f"Service {way.namespace}/{way.target}",
            advice=_advice(way, response.status),
        )
    return response


def _refusal(response: HttpResponse) -> str:
    """What the API server itself says; empty for an answer of the Service, errors included."""
    if response.status < HTTPStatus.BAD_REQUEST:
        return ""
    try:
        body = parsed(response.body)
    except ValueError:
        return ""
    if not isinstance(body, dict) or body.get("kind") != "Status":
        return ""
    return str(body.get("message") or body.get("reason") or "no reason")


def _advice(way: Proxied, status: int) -> str:
    elsewhere = "or map its address with --address FROM=TO"
    match status:
        case HTTPStatus.FORBIDDEN:
            return (
                f"grant `get` on `services/proxy` named `{way.target}` in {way.namespace} "
                f"(`progressive-ci rbac` prints it), {elsewhere}"
            )
        case HTTPStatus.UNAUTHORIZED:
            return "the credential is wrong or has expired: give the job a fresh one"
        case _:
            return f"check the Service's name, port and pods, {elsewhere}"
