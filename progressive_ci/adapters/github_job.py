"""Which of a GitHub run's jobs this one is, and how it ended: nothing inside a job tells its id of the API.

`GITHUB_JOB` is the workflow file's key, which the API doesn't have, and names are shared and made up by matrices. But
a runner does one job at a time, and the API names the runner of each job: the job that runs on ours is this one.
"""

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.document import JsonObject


class ThisJob:
    """Reads the answers to the question for an attempt's jobs, one after the other.

    Where the job can't be told from others (no runner's name, or more jobs than one page holds), its end is that of
    all of them.

    Args:
        runner: `RUNNER_NAME`.
    """

    def __init__(self, runner: str) -> None:
        self._runner = runner
        self._id: object = None

    def __call__(self, answer: JsonObject) -> str:
        """How it ended; empty while it runs.

        Raises:
            ProgressiveError: the answer lists no jobs.
        """
        listed = answer.get("jobs")
        if not isinstance(listed, list):
            raise ProgressiveError("its answer lists no jobs")
        jobs = [job for job in listed if isinstance(job, dict)]
        if self._id is None:
            self._id = self._found(jobs)
        if self._id is None:
            whole = bool(jobs) and answer.get("total_count") == len(jobs)
            return _ended(jobs[-1]) if whole and all(map(_ended, jobs)) else ""
        return next((_ended(job) for job in jobs if job.get("id") == self._id), "")

    def _found(self, jobs: list[JsonObject]) -> object:
        """The id, where one job alone runs on this runner; one that has ended there was an earlier one."""
        here = [job for job in jobs if job.get("runner_name") == self._runner and not _ended(job)]
        return here[0].get("id") if self._runner and len(here) == 1 else None


def _ended(job: JsonObject) -> str:
    """One that is being cancelled is `in_progress` until its last step is over: there is no status of its own."""
    return str(job.get("conclusion") or "completed") if job.get("status") == "completed" else ""
