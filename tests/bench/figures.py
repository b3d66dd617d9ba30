"""What a figure looks like: JSON for machines, a table for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Figures = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should be at most, by its place in the JSON."""

    figure: str
    most: float


AIMS = (
    Aim("api_requests.total", 60),
    Aim("pause.requests_per_minute", 12),
    Aim("memory.most_mb", 70),
    Aim("safe_write.worst_seconds", 0.05),
    Aim("last_bad_answer.gateway.worst_seconds", 0.3),
    Aim("last_bad_answer.istio.worst_seconds", 0.3),
)


def seconds(taken: Sequence[float]) -> dict[str, object]:
    """Median and worst of repeated measurements."""
    return {
        "median_seconds": round(median(taken), 4),
        "worst_seconds": round(max(taken), 4),
        "runs": len(taken),
    }


def table(figures: Figures) -> str:
    """One line for each figure, with its aim where it has one."""
    aims = {aim.figure: f"aim: at most {aim.most:g}" for aim in AIMS}
    rows = list(_rows(figures, ""))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value:>10}  {aims.get(name, '')}".rstrip() for name, value in rows)


def _rows(figures: Figures, prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in figures.items():
        place = f"{prefix}{name}"
        match value:
            case Mapping():
                yield from _rows(value, f"{place}.")
            case float():
                yield place, f"{value:.4g}"
            case _:
                yield place, str(value)
