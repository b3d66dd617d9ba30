"""What a credential plugin says of its failure, without what may be a secret: it can hold some that only it knows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

from progressive_ci.reports.mask import STARS, Mask

_QUOTED = 600
_LOOKED_AT = 8192
"""A plugin may write without end; no pattern shall take its time over that."""
_NAME = r"(?:token|secret|passw(?:or)?d|passphrase|credential|key|jwt|assertion)"
_SECRET = re.compile(rf"{_NAME}s?\b|{_NAME}_", re.IGNORECASE)
_NO_SECRET = re.compile(r"[_-](?:file|path|url|uri|dir|id|name|lifetime|expiration)$", re.IGNORECASE)
"""Ends of names whose values help to see the fault: where a token lies, not what it is."""

_LIKE_SECRETS = tuple(
    (re.compile(pattern), rf"\g<before>{STARS}")
    for pattern in (
        r"(?s)(?P<before>)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
        r"(?P<before>://)[^/\s@]+(?=@)",
        rf"(?i)(?P<before>{_NAME}\w*[\"']?\s*=\s*[\"']?)[^\s\"',;&]+",
        rf"(?i)(?P<before>[\"'][\w-]*{_NAME}\w*[\"']\s*:\s*[\"'])[^\"']+",
        rf"(?i)(?P<before>{_NAME}\s*:\s+)(?=\S*\d)[^\s\"',;:]{{6,}}(?![\w:])",
        r"(?i)(?P<before>\b(?:bearer|basic)\s+)(?=\S*\d)[\w.~+/=-]{8,}",
        r"(?P<before>)\beyJ[\w-]{5,}(?:\.[\w-]+)*",
        r"(?P<before>)\b(?:gh[a-z]_|github_pat_|glpat-|k8s-aws-v1\.|ya29\.)[\w-]+",
        r"(?P<before>)(?<![\w+=-])(?=[\w+=-]*\d)(?=[\w+=-]*[a-z])(?=[\w+=-]*[A-Z])[\w+=-]{32,}",
        r"(?P<before>)\b[0-9a-f]{40,}\b",
    )
)


def told(stderr: bytes, settings: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """The end of what it said, on one line, fit for everybody's eyes.

    Args:
        stderr: as it was written.
        settings: the kubeconfig's `exec` entry, whose arguments and variables the plugin had.
        environ: every variable that the plugin had.
    """
    text = stderr[-_LOOKED_AT:].decode(errors="replace")
    text = reduce(Mask.knowing, _given(settings, environ), Mask()).applied(text)
    for pattern, shown in _LIKE_SECRETS:
        text = pattern.sub(shown, text)
    # Cut at the end: a part of a secret is no spelling of it.
    return " ".join(text.split())[-_QUOTED:] or "nothing"


def _given(settings: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[str]:
    """Secrets that it was started with."""
    yield from (value for name, value in environ.items() if _is_secret(name))
    arguments = [str(argument) for argument in settings.get("args") or []]
    yield from _of_options(arguments)


def _of_options(arguments: Sequence[str]) -> Iterator[str]:
    """Values of `--client-secret VALUE` and of `--client-secret=VALUE`."""
    for argument, following in zip(arguments, (*arguments[1:], ""), strict=False):
        name, joined, value = argument.partition("=")
        if _is_secret(name):
            yield value if joined else following


def _is_secret(name: str) -> bool:
    return bool(_SECRET.search(name)) and not _NO_SECRET.search(name)
