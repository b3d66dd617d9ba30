"""Logs in to Amazon EKS without the `aws` command: a presigned request to AWS's token server is the bearer token.

The format is aws-iam-authenticator's (https://github.com/kubernetes-sigs/aws-iam-authenticator): good for 15
minutes from its date, whatever its own expiry says.
"""

import base64
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import PurePath
from typing import Any
from urllib.parse import quote, urlsplit

from progressive_ci.adapters.aws_keys import KeySource, suffix
from progressive_ci.adapters.aws_signature import Scope, presigned, signed
from progressive_ci.adapters.credential import Issued, Renewed, until
from progressive_ci.adapters.http import origin
from progressive_ci.adapters.oidc import asked
from progressive_ci.adapters.server_time import Now
from progressive_ci.errors import ProgressiveError, Refused, Unauthorized
from progressive_ci.model.json_text import parsed
from progressive_ci.ports import HttpRequest

_LIFE = timedelta(minutes=14)
_EXPIRES = 60
_ARN = re.compile(r"arn:[\w-]+:eks:(?P<region>[\w-]+):\d+:cluster/(?P<name>.+)")
_HOST = re.compile(r"\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.eks\.amazonaws\.com")
_NAMES = ("--cluster-name", "--cluster-id", "-i")
_ROLES = ("--role-arn", "--role", "-r")
_KNOWN = (*_NAMES, *_ROLES, "--region", "--output")


@dataclass(frozen=True, slots=True)
class EksToken:
    """Tokens for one cluster.

    Attributes:
        cluster: its name.
        source: of the keys.
        now: by the server's clock.
    """

    cluster: str
    source: KeySource
    now: Now

    def ask(self) -> Issued:
        """Sign the next one; only the keys may need somebody's answer."""
        keys, at = self.source.keys(), self.now()
        region = self.source.region
        address = f"https://sts.{region}.{suffix(region)}/?Action=GetCallerIdentity&Version=2011-06-15"
        url = presigned(
            address,
            {"x-k8s-aws-id": self.cluster},
            seconds=_EXPIRES,
            keys=keys,
            scope=Scope(region, "sts", at),
        )
        token = "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
        given = keys.ends if self.source.kind == "AWS_ACCESS_KEY_ID" and not self.source.role else None
        return until(Issued(token, last=given), min(at + _LIFE, keys.ends or at + _LIFE), at)


def credential(cluster: str, region: str, environ: Mapping[str, str], now: Now, *, role: str = "") -> Renewed:
    """The login to a cluster, by name or ARN.

    Raises:
        Refused: its region is nowhere to be found.
    """
    if found := _ARN.fullmatch(cluster):
        region, cluster = found["region"], found["name"]
    region = region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""
    if not region:
        raise Refused(
            ProgressiveError(
                "the cluster's AWS region is not known", where="--eks-cluster", advice="set AWS_REGION"
            )
        )
    source = KeySource(region, environ, now, role)
    asking = EksToken(cluster, source, now)
    return Renewed(
        asking.ask,
        kind=f"an EKS token for {cluster}, signed here" + (f" with {source.kind}" if source.kind else ""),
        now=now,
        advice="let the job assume a role by its OIDC token (AWS_ROLE_ARN), or ask for a longer session",
    )


def described(cluster: str, environ: Mapping[str, str], now: Now) -> dict[str, str]:
    """Server and authority of a cluster, as its API tells them to whoever may `eks:DescribeCluster`.

    Raises:
        Unauthorized: it doesn't tell.
        NoAnswer: nobody answered in time.
    """
    found = _ARN.fullmatch(cluster)
    name = found["name"] if found else cluster
    region = (
        found["region"] if found else environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""
    )
    server = environ.get("AWS_ENDPOINT_URL_EKS") or f"https://eks.{region}.{suffix(region)}"
    url = f"{server.rstrip('/')}/clusters/{quote(name, safe='')}"
    keys = KeySource(region, environ, now).keys()
    headers = signed("GET", url, {}, b"", keys=keys, scope=Scope(region, "eks", now()))
    answer = asked(HttpRequest("GET", url, tuple(headers.items())))
    try:
        told = parsed(answer.body)["cluster"] if answer.status == HTTPStatus.OK else {}
        return {
            "server": str(told["endpoint"]),
            "certificate-authority-data": str(told["certificateAuthority"]["data"]),
        }
    except (ValueError, KeyError, TypeError) as error:
        raise Unauthorized(
            f"{origin(url)} doesn't describe cluster {name}, its answer was {answer.status}",
            advice="allow the role `eks:DescribeCluster`, or give --server and --certificate-authority",
        ) from error


def of_plugin(
    settings: Mapping[str, Any], server: str, environ: Mapping[str, str], now: Now
) -> Renewed | None:
    """The same login as an `exec` entry that runs `aws eks get-token` or `aws-iam-authenticator token`.

    None where that command is installed, or where its arguments ask for more than is known here.
    """
    command = str(settings.get("command", ""))
    wanted = _arguments([str(word) for word in settings.get("args") or []], PurePath(command).name)
    if wanted is None or shutil.which(command, path=environ.get("PATH", "")):
        return None
    added = {str(item["name"]): str(item["value"]) for item in settings.get("env") or []}
    host = _HOST.search(urlsplit(server).hostname or "")
    region = wanted.get("--region") or (host["region"] if host else "")
    names = [wanted[flag] for flag in _NAMES if flag in wanted]
    role = next((wanted[flag] for flag in _ROLES if flag in wanted), "")
    return credential(names[0], region, {**environ, **added}, now, role=role) if names else None


def _arguments(words: list[str], command: str) -> dict[str, str] | None:
    """Flags and their values, where nothing but what is known stands there."""
    if command == "aws" and "get-token" in words and "eks" in words:
        words = [word for word in words if word not in {"eks", "get-token"}]
    elif command == "aws-iam-authenticator" and "token" in words:
        words = [word for word in words if word != "token"]
    else:
        return None
    split = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    found = dict(zip(split[::2], split[1::2], strict=False))
    return found if len(split) % 2 == 0 and set(found) <= set(_KNOWN) else None
