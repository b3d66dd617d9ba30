"""Which cluster and which user: finds, reads and merges kubeconfig files as kubectl does."""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from progressive_ci.adapters.memory_file import path_of
from progressive_ci.errors import ProgressiveError, Refused

Entry = dict[str, Any]
"""A cluster's or user's settings in a kubeconfig."""

_ACTIONS_HOME = "/github/home"
_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_INLINE = ("certificate-authority", "client-certificate", "client-key")


@dataclass(frozen=True, slots=True)
class Choice:
    """One context, with absolute paths only.

    Attributes:
        context: its name.
        namespace: its namespace, empty where it names none.
        cluster: how to reach the server.
        user: how to log in.
        folder: of the file that holds the user.
        where: the files, for messages.
    """

    context: str
    namespace: str
    cluster: Entry
    user: Entry
    folder: Path
    where: str


def candidates(option: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The files to look at: the option's, else KUBECONFIG's, else the one in the home folder."""
    if option:
        return (option,)
    listed = tuple(path for path in environ.get("KUBECONFIG", "").split(os.pathsep) if path)
    home = environ.get("HOME", "")
    return listed or ((f"{home}/.kube/config",) if home else ())


def choose(paths: tuple[str, ...], context: str, environ: Mapping[str, str]) -> Choice:
    """Read the files that exist, and choose a context: the one named, else the current one.

    Raises:
        Refused: no file exists, one is empty or no kubeconfig, or it lacks what the context names.
    """
    found = [Path(path).expanduser() for path in paths if Path(path).expanduser().is_file()]
    if not found:
        raise nothing_found(paths, environ)
    files = [(path, _read(path)) for path in found]
    where = "kubeconfig " + ", ".join(str(path) for path in found)
    name = context or next(
        (str(body["current-context"]) for _, body in files if body.get("current-context")), ""
    )
    if not name:
        raise _refused("there is no current context", where, f"choose one with --context: {_names(files)}")
    chosen, _ = _entry(files, "contexts", name, where)
    cluster, cluster_file = _entry(files, "clusters", str(chosen.get("cluster", "")), where)
    login = str(chosen.get("user") or "")
    user, user_file = _entry(files, "users", login, where) if login else ({}, cluster_file)
    if not cluster.get("server"):
        raise _refused(f"cluster `{chosen.get('cluster')}` has no server", where, "write its address there")
    return Choice(
        name,
        str(chosen.get("namespace") or ""),
        resolved(cluster, cluster_file.parent, where),
        resolved(user, user_file.parent, where),
        user_file.parent,
        where,
    )


def nothing_found(paths: tuple[str, ...], environ: Mapping[str, str]) -> Refused:
    """There is no way to a cluster; names the places and, in a GitHub container action, the usual cause."""
    looked = f"looked at {', '.join(paths)}" if paths else "neither KUBECONFIG nor HOME is set"
    advice = "set KUBECONFIG, or give --kubeconfig FILE"
    if environ.get("GITHUB_ACTIONS") == "true" and environ.get("HOME") == _ACTIONS_HOME:
        advice = (
            f"a container action has {_ACTIONS_HOME} as its HOME and doesn't see the runner user's files: "
            "write the kubeconfig below $RUNNER_TEMP or the workspace, and set KUBECONFIG to that one path"
        )
    return _refused(f"no kubeconfig found ({looked})", "", advice)


def _read(path: Path) -> Entry:
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(f"it can't be read: {error}", f"kubeconfig {path}", "") from error
    if not content.strip():
        advice = "the secret that it is written from is probably not set: pull requests from forks get none"
        raise _refused("it is empty", f"kubeconfig {path}", advice)
    try:
        body = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise _refused("it is no valid YAML", f"kubeconfig {path}{line}", "write it again") from error
    if not isinstance(body, dict):
        advice = "decode it first: `base64 -d`" if _is_base64(content) else "write it again"
        raise _refused("it is no kubeconfig", f"kubeconfig {path}", advice)
    for family in ("contexts", "clusters", "users"):
        if not _is_list_of_entries(body.get(family) or [], family[:-1]):
            raise _refused(
                f"`{family}` is no list of names and entries", f"kubeconfig {path}", "write it again"
            )
    return body


def _is_list_of_entries(items: object, one: str) -> bool:
    return isinstance(items, list) and all(
        isinstance(item, dict) and isinstance(item.get(one) or {}, dict) for item in items
    )


def _is_base64(content: str) -> bool:
    try:
        return bool(base64.b64decode("".join(content.split()), validate=True))
    except (binascii.Error, ValueError):
        return False


def _entry(files: list[tuple[Path, Entry]], family: str, name: str, where: str) -> tuple[Entry, Path]:
    """The first entry of that name, as kubectl merges files, and the file it is from."""
    for path, body in files:
        for item in body.get(family) or []:
            if item.get("name") == name:
                return dict(item.get(family[:-1]) or {}), path
    one = family[:-1]
    advice = (
        f"its contexts are: {_names(files)}"
        if one == "context"
        else f"add it, or correct the context's {one}"
    )
    raise _refused(f"there is no {one} `{name}`", where, advice)


def _names(files: list[tuple[Path, Entry]]) -> str:
    items = [item for _, body in files for item in body.get("contexts") or []]
    return ", ".join(str(item.get("name")) for item in items) or "none"


def resolved(entry: Entry, folder: Path, where: str) -> Entry:
    """The entry with its inline texts as files, and its paths absolute: they are relative to their file."""
    entry = dict(entry)
    for field in _INLINE:
        inline = entry.pop(f"{field}-data", None)
        if inline:
            try:
                entry[field] = path_of(base64.b64decode("".join(str(inline).split()), validate=True))
            except (binascii.Error, ValueError) as error:
                raise _refused(f"`{field}-data` is no base64", where, "write it again") from error
    for field in _PATHS:
        if entry.get(field):
            path = folder.absolute() / str(entry[field])
            if not _is_file(path):
                raise _refused(
                    f"`{field}` names {path}, which doesn't exist here",
                    where,
                    "write the content inline: `kubectl config view --raw --flatten`",
                )
            entry[field] = str(path)
    return entry


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, a folder that may not be read
        return False


def _refused(what: str, where: str, advice: str) -> Refused:
    return Refused(ProgressiveError(what, where=where, advice=advice))
