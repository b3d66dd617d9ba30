"""Every command, once: what it is called, what it does, and the module that does it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from progressive_ci.cli.settings import Settings


@dataclass(frozen=True, slots=True)
class Command:
    """One word after `progressive-ci`.

    Attributes:
        name: the word.
        help: one sentence without a full stop.
        module: below `progressive_ci.cli`; its `main(settings)` gives the exit code. Imported only when used.
        named: whether the workload's name stands after the word.
        every: whether it may be left out, and then means every workload of the namespace.
        patient: whether a signal waits until its clock answers it; else it ends the process at once.
    """

    name: str
    help: str
    module: str
    named: bool = False
    every: bool = False
    patient: bool = True

    def start(self, settings: Settings) -> int:
        """Import the command and do it."""
        module = import_module(f"progressive_ci.cli.{self.module}")
        return cast("Callable[[Settings], int]", module.main)(settings)


TABLE: tuple[Command, ...] = (
    Command("run", "Release a new version step by step; roll back when its metrics are bad", "run"),
    Command("plan", "Show what a run would do, and what every query answers now; writes nothing", "plan"),
    Command("lint", "Check the documents without a cluster", "lint", patient=False),
    Command("rollback", "Bring an unfinished release back to the old version", "rollback", named=True),
    Command(
        "recover",
        "Finish what dead runs left, of one workload or of the whole namespace",
        "recover",
        named=True,
        every=True,
    ),
    Command("promote", "Promote a held release after all; needs a reason", "promote", named=True),
    Command("undo", "Return a finished release to its predecessor; needs a reason", "undo", named=True),
    Command("abort", "Ask a running release to go back; needs a reason", "abort", named=True),
    Command("status", "Show the release of a workload as its journal tells it", "status", named=True),
    Command("forget", "Delete the journal of a workload", "forget", named=True),
    Command(
        "guard", "Watch a release from within the cluster; what the Job of --guard runs", "guard", named=True
    ),
    Command("rbac", "Print the smallest Role that a run of these documents needs", "rbac", patient=False),
    Command("demo", "Two releases in a simulated cluster, one good and one bad", "demo", patient=False),
    Command("post", "After a job: finish what a killed run of the same job left", "post"),
    Command("version", "Print the version", "version", patient=False),
)
