"""`python -m tests.conformance [FOLDER] [-v]`: run the vectors below FOLDER; exit 1 when one fails."""

import sys
from pathlib import Path

from tests.conformance.result import Deviated, Failed, Passed
from tests.conformance.runner import HERE, Report, reports


def main(arguments: list[str]) -> int:
    """Print a line for each file and the total; with -v also why each vector failed or deviates."""
    verbose = "-v" in arguments
    folders = [argument for argument in arguments if argument != "-v"]
    folder = Path(folders[0]) if folders else HERE
    if not folder.exists():
        print(f"{folder} does not exist", file=sys.stderr)  # noqa: T201 - the command's output
        return 2
    passed = failed = 0
    for report in reports(folder):
        print(report.line)  # noqa: T201 - the command's output
        if verbose:
            _explain(report)
        passed += report.count(Passed)
        failed += report.count(Failed)
    print(f"{passed} passed, {failed} failed")  # noqa: T201 - the command's output
    return 1 if failed else 0


def _explain(report: Report) -> None:
    for result in report.results:
        match result:
            case Failed(name=name, why=why):
                print(f"  failed {name}: {why}")  # noqa: T201 - the command's output
            case Deviated(name=name, decision=decision):
                print(f"  deviates {name}: {decision}")  # noqa: T201 - the command's output
            case Passed():
                pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
