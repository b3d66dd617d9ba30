"""What every mode offers to the conductor and to the rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from progressive_ci.release.findings import Findings
from progressive_ci.release.release import Release

if TYPE_CHECKING:
    from progressive_ci.release.vigil import Vigil


class Mode(Protocol):
    """A module. Every function brings the cluster to a state, whatever it finds, and can be called again."""

    def prepare(self, vigil: Vigil, found: Findings) -> None:
        """From the snapshot to a canary that could take its first traffic."""

    def size(self, release: Release) -> int:
        """Pods that 100 % needs now, by a fresh read.

        Raises:
            Stop: somebody else has put another version into the workload.
        """

    def scale(self, vigil: Vigil, pods: int) -> None:
        """Have at least this many canary pods ready behind the canary Service."""

    def grow(self, release: Release, pods: int) -> None:
        """Ask for at least this many canary pods, without waiting for them."""

    def promote(self, release: Release) -> None:
        """From a canary that passed to the commit point. Signals are only noted by now."""

    def finish(self, release: Release) -> None:
        """From the commit point to a cluster in which nothing of ours is needed."""

    def committed(self, release: Release) -> bool:
        """Whether the commit point lies behind, by fresh reads."""

    def restore(self, release: Release) -> None:
        """From anywhere before the commit point to the version that served before."""
