"""AWS Signature Version 4 for one GET or POST: in its headers, or in its query (a presigned URL). Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key.

    Attributes:
        id: of the key; no secret.
        secret: the key.
        session: token of a temporary key, or empty.
        ends: when a temporary key ends, where it is known.
    """

    id: str
    secret: str
    session: str = ""
    ends: datetime | None = None

    def __repr__(self) -> str:
        """Nothing that may not be printed."""
        return f"Keys({self.id})"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for."""

    region: str
    service: str
    at: datetime

    @property
    def moment(self) -> str:
        """As AWS writes it."""
        return self.at.strftime("%Y%m%dT%H%M%SZ")

    @property
    def path(self) -> str:
        """The credential scope."""
        return f"{self.moment[:8]}/{self.region}/{self.service}/aws4_request"


def signed(
    method: str, url: str, headers: Mapping[str, str], body: bytes, *, keys: Keys, scope: Scope
) -> dict[str, str]:
    """All headers of a request with its signature among them."""
    named = {**headers, "host": urlsplit(url).netloc, "x-amz-date": scope.moment}
    if keys.session:
        named["x-amz-security-token"] = keys.session
    names, signature = _signature(
        method, url, named, hashlib.sha256(body).hexdigest(), keys=keys, scope=scope
    )
    login = f"Credential={keys.id}/{scope.path}, SignedHeaders={names}, Signature={signature}"
    return {**named, "authorization": f"{_ALGORITHM} {login}"}


def presigned(url: str, headers: Mapping[str, str], *, seconds: int, keys: Keys, scope: Scope) -> str:
    """A GET's address that carries its signature; whoever uses it must send these headers."""
    named = {**headers, "host": urlsplit(url).netloc}
    query = {
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{keys.id}/{scope.path}",
        "X-Amz-Date": scope.moment,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": ";".join(sorted(name.lower() for name in named)),
    }
    if keys.session:
        query["X-Amz-Security-Token"] = keys.session
    parts = urlsplit(url)
    joined = "&".join(part for part in (parts.query, _encoded(query.items())) if part)
    bare = urlunsplit(parts._replace(query=joined))
    _, signature = _signature("GET", bare, named, hashlib.sha256(b"").hexdigest(), keys=keys, scope=scope)
    return f"{bare}&X-Amz-Signature={signature}"


def _signature(
    method: str, url: str, headers: Mapping[str, str], digest: str, *, keys: Keys, scope: Scope
) -> tuple[str, str]:
    """Names of the signed headers, and the signature."""
    parts = urlsplit(url)
    lines = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
    names = ";".join(name for name, _ in lines)
    request = "\n".join(
        (
            method,
            quote(parts.path or "/", safe="/-_.~"),
            _encoded(parse_qsl(parts.query, keep_blank_values=True)),
            *(f"{name}:{value}" for name, value in lines),
            "",
            names,
            digest,
        )
    )
    text = "\n".join((_ALGORITHM, scope.moment, scope.path, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{keys.secret}".encode()
    for part in scope.path.split("/"):
        key = _hmac(key, part)
    return names, _hmac(key, text).hex()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _encoded(pairs: Iterable[tuple[str, str]]) -> str:
    found = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in found)
