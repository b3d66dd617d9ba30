"""Signatures as AWS publishes them and as botocore 1.43 makes them, and logins to EKS without the `aws` command."""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from progressive_ci.adapters import eks
from progressive_ci.adapters.aws_signature import Keys, Scope, presigned, signed
from progressive_ci.adapters.credential import Renewed
from progressive_ci.errors import NoAnswer, Refused, Unauthorized
from tests.unit.socket_server import Exchange, free_port, serve

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # noqa: S105 - AWS's own example
SESSION = "FwoGZXIvYXdzEB+/=token"
KEYS = Keys("AKIDEXAMPLE", SECRET)
TEMPORARY = Keys("AKIDEXAMPLE", SECRET, SESSION)
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GIVEN = {"AWS_ACCESS_KEY_ID": KEYS.id, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "eu-west-1"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
TEST_SUITE = Scope("us-east-1", "service", datetime(2015, 8, 30, 12, 36, tzinfo=UTC))
EKS, STS = Scope("eu-west-1", "eks", AT), Scope("eu-west-1", "sts", AT)
ROLE = "arn:aws:iam::123456789012:role/deploy"


def now() -> datetime:
    return AT


@pytest.mark.parametrize(
    ("method", "url", "headers", "body", "keys", "scope", "signature"),
    [
        (
            "GET", "https://example.amazonaws.com/", {}, b"", KEYS, TEST_SUITE,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", {}, b"", KEYS, TEST_SUITE,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "GET", "https://eks.eu-west-1.amazonaws.com/clusters/shop", {}, b"", KEYS, EKS,
            "febf15f355fe753f213655e0406308ce637b14b3cffa6de3152f2194efcbbb55",
        ),
        (
            "GET", "https://eks.eu-west-1.amazonaws.com/clusters/shop", {}, b"", TEMPORARY, EKS,
            "b66290212f4e9888ed462f0da5d18e00b3906134916e8dc9e8eec58337995138",
        ),
        (
            "POST", "https://sts.eu-west-1.amazonaws.com/", FORM, b"Action=AssumeRole&Version=2011-06-15",
            KEYS, STS, "fae3d05b0db17d655fbcc38000aca405e462fd9491a2ab95ab674c53b4f6312a",
        ),
        (
            "POST", "https://sts.eu-west-1.amazonaws.com/", FORM, b"Action=AssumeRole&Version=2011-06-15",
            TEMPORARY, STS, "6b8b2f38f0c5c44b905b8137c4ca54d02bc7c6212d7ba511733c08bbb2d958b8",
        ),
    ],
    ids=[
        "AWS: get-vanilla", "AWS: get-vanilla-query-order-key-case", "botocore: a GET", "botocore: temporary keys",
        "botocore: a POST", "botocore: a POST with temporary keys",
    ],
)  # fmt: skip
def test_a_request_is_signed_as_aws_wants_it(
    method: str, url: str, headers: Mapping[str, str], body: bytes, keys: Keys, scope: Scope, signature: str
) -> None:
    login = signed(method, url, headers, body, keys=keys, scope=scope)["authorization"]
    assert login.endswith(f"Signature={signature}")


@pytest.mark.parametrize(
    ("region", "keys", "signature"),
    [
        ("eu-west-1", KEYS, "1a557bd0d7a5fc7863b9a5977619e8d5ede05a45735cd8520c91f3ec4002d918"),
        ("us-east-1", KEYS, "c20f4e474823bfa758294e66c131414ddf10bb9269c110323eeb1afc78599e56"),
        ("eu-west-1", TEMPORARY, "644bcaaf58928eaa20751b42f3cc2cb3087f78a3a91359a265d81b0219fba342"),
        ("us-east-1", TEMPORARY, "820e1be344df8e527144562c6c1f77891aaa605d70a8f1d51fbf17f0c4d82af2"),
    ],
)
def test_an_address_is_presigned_as_botocore_does(region: str, keys: Keys, signature: str) -> None:
    address = f"https://sts.{region}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
    headers = {"x-k8s-aws-id": "shop"}
    url = presigned(address, headers, seconds=60, keys=keys, scope=Scope(region, "sts", AT))
    assert url.endswith(f"&X-Amz-Signature={signature}")


def url_of(token: str) -> str:
    coded = token.removeprefix("k8s-aws-v1.")
    assert coded != token
    return base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()


def test_a_token_is_a_presigned_question_who_we_are_for_one_cluster() -> None:
    issued = eks.credential("shop", "", GIVEN, now).current()
    url = url_of(issued.token)
    assert url.endswith("X-Amz-Signature=1a557bd0d7a5fc7863b9a5977619e8d5ede05a45735cd8520c91f3ec4002d918")
    assert issued.ends_at == AT + timedelta(minutes=14)
    assert issued.renew_at == AT + timedelta(minutes=9)


@pytest.mark.parametrize(
    ("cluster", "region", "environ", "host"),
    [
        ("shop", "eu-north-1", {}, "sts.eu-north-1.amazonaws.com"),
        ("shop", "", {"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-east-2"}, "sts.us-east-2.amazonaws.com"),
        ("arn:aws:eks:ap-south-1:123456789012:cluster/shop", "", {}, "sts.ap-south-1.amazonaws.com"),
        ("arn:aws-cn:eks:cn-north-1:123456789012:cluster/shop", "", {}, "sts.cn-north-1.amazonaws.com.cn"),
    ],
    ids=["asked for", "the second variable", "an ARN", "China"],
)
def test_the_region_comes_from_the_nearest_place(
    cluster: str, region: str, environ: dict[str, str], host: str
) -> None:
    token = eks.credential(cluster, region, {**GIVEN, **environ}, now).current().token
    assert urlsplit(url_of(token)).hostname == host


def test_a_region_that_nobody_names_is_refused() -> None:
    with pytest.raises(Refused, match="the cluster's AWS region is not known; set AWS_REGION"):
        eks.credential("shop", "", {}, now)


def test_keys_with_a_known_end_give_the_login_that_end() -> None:
    ends = AT + timedelta(minutes=50)
    credential = eks.credential("shop", "", {**GIVEN, "AWS_CREDENTIAL_EXPIRATION": ends.isoformat()}, now)
    credential.current()
    assert credential.ends() == ends


@pytest.mark.parametrize(
    ("environ", "what"),
    [
        ({}, "there are no AWS keys in this job; set AWS_ROLE_ARN"),
        ({"AWS_ACCESS_KEY_ID": "AKID"}, "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not"),
        (
            {"AWS_ROLE_ARN": ROLE},
            "ACTIONS_ID_TOKEN_REQUEST_URL: GitHub offers this job no OIDC token; add `perm",
        ),
        ({"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"}, "the token can't be read"),
    ],
    ids=["nothing", "half a key", "a role and no token", "a role and no file"],
)
def test_missing_keys_are_an_error_with_a_remedy(environ: dict[str, str], what: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        eks.credential("shop", "eu-west-1", environ, now).current()
    assert what in str(caught.value)


def answer(action: str) -> bytes:
    return (
        f"<{action}Response><{action}Result><Credentials><AccessKeyId>ASIA1</AccessKeyId>"
        f"<SecretAccessKey>s3cret</SecretAccessKey><SessionToken>sess/ion+=</SessionToken>"
        f"<Expiration>2026-01-02T04:04:05Z</Expiration></Credentials></{action}Result></{action}Response>"
    ).encode()


def aws(exchange: Exchange) -> None:
    """GitHub's token server and AWS's in one."""
    if exchange.method == "GET":
        exchange.answer(200, {"value": "github.jwt.token"})
    else:
        exchange.answer(200, answer(parse_qs(exchange.body.decode())["Action"][0]))


def test_a_role_is_assumed_with_the_token_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("file.jwt.token\n")
    with serve(aws) as server:
        environ = {
            "AWS_ROLE_ARN": ROLE,
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
            "AWS_ENDPOINT_URL_STS": server.url,
        }
        credential = eks.credential("shop", "eu-west-1", environ, now)
        token = credential.current().token
        [seen] = server.seen
    asked = parse_qs(seen.body.decode())
    assert asked["Action"] == ["AssumeRoleWithWebIdentity"]
    assert (asked["RoleArn"], asked["WebIdentityToken"]) == ([ROLE], ["file.jwt.token"])
    assert "authorization" not in seen.headers
    assert parse_qs(urlsplit(url_of(token)).query)["X-Amz-Security-Token"] == ["sess/ion+="]
    assert credential.ends() is None, "the role can be assumed again"
    assert ROLE in credential.kind


def test_a_role_is_assumed_with_githubs_token() -> None:
    with serve(aws) as server:
        environ = {
            "AWS_ROLE_ARN": ROLE,
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{server.url}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "r3quest",
            "AWS_ENDPOINT_URL_STS": server.url,
        }
        eks.credential("shop", "eu-west-1", environ, now).current()
        first, second = server.seen
    assert first.path == "/token?api-version=2.0&audience=sts.amazonaws.com"
    assert first.headers["authorization"] == "Bearer r3quest"
    assert parse_qs(second.body.decode())["WebIdentityToken"] == ["github.jwt.token"]


def test_a_role_of_the_kubeconfig_is_assumed_with_a_signed_request() -> None:
    with serve(aws) as server:
        environ = {**GIVEN, "AWS_ENDPOINT_URL_STS": server.url}
        eks.credential("shop", "", environ, now, role=ROLE).current()
        [seen] = server.seen
    assert parse_qs(seen.body.decode())["Action"] == ["AssumeRole"]
    assert seen.headers["authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-west-1/sts"
    )


def test_a_role_that_is_not_granted_is_an_error_that_quotes_no_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("file.jwt.token")

    def refuse(exchange: Exchange) -> None:
        exchange.answer(403, b"<Error><Code>AccessDenied</Code><Message>file.jwt.token</Message></Error>")

    with serve(refuse) as server:
        environ = {
            "AWS_ROLE_ARN": ROLE,
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
            "AWS_ENDPOINT_URL_STS": server.url,
        }
        with pytest.raises(Unauthorized) as caught:
            eks.credential("shop", "eu-west-1", environ, now).current()
    assert f"gave no keys for {ROLE}: 403 AccessDenied; check the role's trust policy" in str(caught.value)
    assert "file.jwt.token" not in str(caught.value)


def test_a_token_server_that_is_away_is_no_answer() -> None:
    environ = {**GIVEN, "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{free_port()}"}
    with pytest.raises(NoAnswer, match="no credential: "):
        eks.credential("shop", "", environ, now, role=ROLE).current()


def test_a_cluster_describes_itself() -> None:
    told = {"cluster": {"endpoint": "https://eks.example", "certificateAuthority": {"data": "Q0E="}}}
    with serve(lambda exchange: exchange.answer(200, told)) as server:
        found = eks.described("shop", {**GIVEN, "AWS_ENDPOINT_URL_EKS": server.url}, now)
        [seen] = server.seen
    assert found == {"server": "https://eks.example", "certificate-authority-data": "Q0E="}
    assert seen.path == "/clusters/shop"


@pytest.mark.parametrize("misbehave", [
    lambda exchange: exchange.answer(403, {"message": "no"}), lambda exchange: exchange.answer(200, b"<html>"),
])  # fmt: skip
def test_a_cluster_that_may_not_be_described_is_an_error(misbehave: Callable[[Exchange], None]) -> None:
    with (
        serve(misbehave) as server,
        pytest.raises(Unauthorized, match="allow the role `eks:DescribeCluster`"),
    ):
        eks.described("shop", {**GIVEN, "AWS_ENDPOINT_URL_EKS": server.url}, now)


SERVER = "https://0123ABCD.gr7.eu-west-1.eks.amazonaws.com"
UPDATE_KUBECONFIG = [
    "--region",
    "eu-west-1",
    "eks",
    "get-token",
    "--cluster-name",
    "shop",
    "--output",
    "json",
]


@pytest.mark.parametrize(
    ("command", "args", "cluster"),
    [
        ("aws", UPDATE_KUBECONFIG, "shop"),
        ("/usr/local/bin/aws", ["eks", "get-token", "--cluster-name=shop"], "shop"),
        ("aws-iam-authenticator", ["token", "-i", "shop"], "shop"),
        ("aws", [*UPDATE_KUBECONFIG, "--profile", "prod"], None),
        ("aws", ["sts", "get-caller-identity"], None),
        ("gke-gcloud-auth-plugin", [], None),
        ("aws", ["eks", "get-token", "--region", "eu-west-1"], None),
    ],
    ids=[
        "update-kubeconfig's",
        "a path",
        "the authenticator",
        "a profile",
        "not get-token",
        "another",
        "no cluster",
    ],
)
def test_a_plugin_for_eks_that_is_not_installed_is_understood(
    command: str, args: list[str], cluster: str | None
) -> None:
    found = eks.of_plugin({"command": command, "args": args}, SERVER, {**GIVEN, "PATH": "/nowhere"}, now)
    assert isinstance(found, Renewed) == (cluster is not None)
    if found is not None:
        assert url_of(found.current().token).startswith("https://sts.eu-west-1.amazonaws.com/")
        assert found.kind == f"an EKS token for {cluster}, signed here with AWS_ACCESS_KEY_ID"


def test_a_plugin_that_is_installed_is_run_as_the_kubeconfig_says(tmp_path: Path) -> None:
    (tmp_path / "aws").touch(mode=0o755)
    settings = {"command": "aws", "args": UPDATE_KUBECONFIG}
    assert eks.of_plugin(settings, SERVER, {**GIVEN, "PATH": str(tmp_path)}, now) is None


def test_keys_and_tokens_are_never_printed() -> None:
    assert SECRET not in repr(TEMPORARY)
    assert SESSION not in repr(TEMPORARY)
