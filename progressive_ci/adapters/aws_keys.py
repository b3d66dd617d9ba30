"""Where AWS access keys come from in a pipeline: variables, or a role that a job's OIDC token may assume.

In the order of the AWS SDKs (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html); shared
files, SSO and the metadata of machines are left to `aws` itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

from progressive_ci.adapters import oidc
from progressive_ci.adapters.aws_signature import Keys, Scope, signed
from progressive_ci.adapters.http import origin
from progressive_ci.adapters.oidc import GitHubToken, asked
from progressive_ci.adapters.server_time import Now
from progressive_ci.errors import Unauthorized
from progressive_ci.ports import HttpRequest

_ANSWER = re.compile(r"<(AccessKeyId|SecretAccessKey|SessionToken|Expiration)>\s*([^<\s]+)\s*</")
_CODE = re.compile(r"<Code>\s*(\w+)\s*</")
_FORM = "application/x-www-form-urlencoded"
_GITHUB_AUDIENCE = "sts.amazonaws.com"
_VERSION = "2011-06-15"


def suffix(region: str) -> str:
    """What the names of AWS's servers end with."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


@dataclass(frozen=True, slots=True)
class KeySource:
    """Gives keys that are valid now.

    Attributes:
        region: whose token server is asked.
        environ: of the process, and what the kubeconfig adds to it.
        now: by the server's clock.
        role: to assume with those keys, or empty.
    """

    region: str
    environ: Mapping[str, str]
    now: Now
    role: str = ""

    @property
    def kind(self) -> str:
        """Where they come from, in words."""
        if self.environ.get("AWS_ACCESS_KEY_ID"):
            return "AWS_ACCESS_KEY_ID"
        return self.environ.get("AWS_ROLE_ARN", "")

    def keys(self) -> Keys:
        """The keys.

        Raises:
            Unauthorized: there are none to be had.
            NoAnswer: nobody answered in time.
        """
        found = self._given() if self.environ.get("AWS_ACCESS_KEY_ID") else self._assumed()
        if not self.role:
            return found
        form = {"Action": "AssumeRole", "RoleArn": self.role}
        return self._issued(form, found)

    def _given(self) -> Keys:
        secret = self.environ.get("AWS_SECRET_ACCESS_KEY", "")
        if not secret:
            raise Unauthorized(
                "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not", advice="give the job both"
            )
        ends = self.environ.get("AWS_CREDENTIAL_EXPIRATION", "")
        return Keys(
            self.environ["AWS_ACCESS_KEY_ID"],
            secret,
            self.environ.get("AWS_SESSION_TOKEN", ""),
            datetime.fromisoformat(ends) if ends else None,
        )

    def _assumed(self) -> Keys:
        role = self.environ.get("AWS_ROLE_ARN", "")
        if not role:
            raise Unauthorized(
                "there are no AWS keys in this job",
                advice="set AWS_ROLE_ARN to a role that trusts the job's OIDC token, or AWS_ACCESS_KEY_ID, "
                "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN (docs/credentials.md)",
            )
        form = {"Action": "AssumeRoleWithWebIdentity", "RoleArn": role, "WebIdentityToken": self._identity()}
        return self._issued(form, None)

    def _identity(self) -> str:
        """The OIDC token of a file that the runner keeps, or GitHub's."""
        file = self.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE", "")
        if not file:
            return GitHubToken(_GITHUB_AUDIENCE, self.environ, self.now).ask().token
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Unauthorized(
                f"the token can't be read: {error}",
                where="AWS_WEB_IDENTITY_TOKEN_FILE",
                advice="write the job's OIDC token there first",
            ) from error

    def _issued(self, form: Mapping[str, str], keys: Keys | None) -> Keys:
        """Temporary keys of AWS's token server; the request is signed where there are keys already."""
        url = self.environ.get("AWS_ENDPOINT_URL_STS") or f"https://sts.{self.region}.{suffix(self.region)}/"
        name = self.environ.get("AWS_ROLE_SESSION_NAME") or "progressive-ci"
        body = urlencode({**form, "RoleSessionName": name, "Version": _VERSION}).encode()
        headers = {"content-type": _FORM}
        if keys is not None:
            scope = Scope(self.region, "sts", self.now())
            headers = signed("POST", url, headers, body, keys=keys, scope=scope)
        answer = asked(HttpRequest("POST", url, tuple(headers.items()), body))
        text = answer.body.decode(errors="replace")
        found = dict(_ANSWER.findall(text))
        if answer.status != HTTPStatus.OK or len(found) != 4:  # noqa: PLR2004 - the four fields that are asked for
            code = _CODE.search(text)
            raise Unauthorized(
                f"{origin(url)} gave no keys for {form['RoleArn']}: {answer.status} {code[1] if code else ''}".rstrip(),
                advice="check the role's trust policy: issuer, audience and subject of the job's OIDC token",
            )
        return Keys(
            found["AccessKeyId"],
            found["SecretAccessKey"],
            found["SessionToken"],
            datetime.fromisoformat(found["Expiration"]),
        )


def available(environ: Mapping[str, str]) -> bool:
    """Whether keys may be had from this environment."""
    web = environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") or oidc.offered(environ)
    return bool(environ.get("AWS_ACCESS_KEY_ID") or (environ.get("AWS_ROLE_ARN") and web))
