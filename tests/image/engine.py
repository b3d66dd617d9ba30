"""Builds the image without a registry of images, and runs it: debootstrap, buildah, podman."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BASE = "localhost/progressive-ci-base"
IMAGE = "localhost/progressive-ci"
PROGRAMS = ("debootstrap", "buildah", "podman", "runc")
SUITE = "bookworm"
MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
LIMITS = ("--ulimit", "nofile=20000:20000", "--ulimit", "nproc=1000:1000")


@dataclass(frozen=True, slots=True)
class Engine:
    """Buildah and podman on a storage of their own, outside the checkout.

    Attributes:
        folder: for the base and the storage.
        driver: of the storage.
    """

    folder: Path
    driver: str

    @property
    def storage(self) -> tuple[str, ...]:
        """The options that both programs share."""
        root, run = self.folder / f"storage-{self.driver}", f"/run/progressive-ci-image-{self.driver}"
        return ("--root", str(root), "--runroot", run, "--storage-driver", self.driver)

    def buildah(self, *arguments: str) -> None:
        """Build something; its output is shown when it fails."""
        _must(("buildah", *self.storage, *arguments))

    def podman(self, *arguments: str, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        """Run podman to its end."""
        command = ("podman", *self.storage, "--runtime", "runc", "--cgroup-manager", "cgroupfs", *arguments)
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)

    def run(
        self, *arguments: str, options: tuple[str, ...] = (), environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the image to its end, on this machine's network."""
        return self.podman("run", "--rm", *self.options(options, environment), IMAGE, *arguments)

    def options(
        self, options: tuple[str, ...] = (), environment: Mapping[str, str] | None = None
    ) -> tuple[str, ...]:
        """What every run of the image needs here."""
        given = (f"--env={name}={value}" for name, value in (environment or {}).items())
        return ("--network", "host", *LIMITS, *given, *options)

    def build(self) -> None:
        """A base like `python:slim` from Debian's packages, and on it the image."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._bootstrap()
        recipe = self.folder / "Base"
        recipe.write_text("FROM scratch\nCOPY rootfs/ /\n")
        self.buildah("bud", "--isolation=chroot", "--tag", BASE, "--file", str(recipe), str(self.folder))
        self.buildah(
            "bud",
            "--isolation=chroot",
            "--network=host",
            "--no-cache",
            f"--build-arg=BASE_IMAGE={BASE}",
            "--tag",
            IMAGE,
            str(ROOT),
        )

    def _bootstrap(self) -> None:
        """Python on Debian, once; with this machine's idea of whom to trust and where packages are."""
        root, done = self.folder / "rootfs", self.folder / "bootstrapped"
        if not done.exists():
            shutil.rmtree(root, ignore_errors=True)
            wanted = "--include=python3,python3-venv,ca-certificates"
            _must(("debootstrap", "--variant=minbase", wanted, SUITE, str(root), MIRROR))
            done.touch()
        lines = ["[global]"]
        if CERTIFICATES.exists():
            shutil.copyfile(CERTIFICATES, root / "etc" / "ssl" / "certs" / "builder.crt")
            lines.append("cert = /etc/ssl/certs/builder.crt")
        lines += [f"{name} = {value}" for name, value in _index().items()]
        (root / "etc" / "pip.conf").write_text("\n".join(lines) + "\n")


def engine_in(folder: Path) -> Engine:
    """With layers where the kernel has them; whole copies work everywhere, and take their time."""
    layered = Engine(folder, "overlay")
    tried = subprocess.run(("buildah", *layered.storage, "info"), capture_output=True, check=False)
    return layered if tried.returncode == 0 else Engine(folder, "vfs")


def missing() -> list[str]:
    """What this machine lacks."""
    lacking = [program for program in PROGRAMS if shutil.which(program) is None]
    return lacking + (["root"] if os.geteuid() else [])


def _index() -> dict[str, str]:
    """Where this machine's pip finds packages, if not where every pip does."""
    names = {"PIP_INDEX_URL": "index-url", "PIP_EXTRA_INDEX_URL": "extra-index-url"}
    return {names[name]: os.environ[name] for name in names if os.environ.get(name)}


def _must(command: tuple[str, ...]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}"
