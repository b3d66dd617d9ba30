"""The share of traffic that the canary gets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Weight:
    """Whole percent, 0 to 100."""

    percent: int

    def __post_init__(self) -> None:
        if not 0 <= self.percent <= 100:  # noqa: PLR2004 - percent
            raise ValueError(f"a weight is 0 to 100 percent, not {self.percent}")

    def __str__(self) -> str:
        return f"{self.percent} %"

    @property
    def rest(self) -> "Weight":
        """What stable gets."""
        return Weight(100 - self.percent)


NONE = Weight(0)
ALL = Weight(100)
