"""What the users of the simulated cluster see, as lines of text."""

from dataclasses import dataclass

from progressive_ci.sandbox.traffic import Traffic

WIDTH = 30
_NOTICEABLE = 0.005


@dataclass(frozen=True, slots=True)
class Split:
    """How the requests of a moment are spread.

    Attributes:
        shares: part of each version, oldest first; what no version answers is left out.
        errors: part that is answered with an error.
    """

    shares: tuple[tuple[str, float], ...]
    errors: float

    def differs(self, other: "Split | None") -> bool:
        """Whether somebody who looks would notice."""
        if other is None or len(self.shares) != len(other.shares):
            return True
        pairs = zip(self.shares, other.shares, strict=True)
        return any(abs(mine[1] - theirs[1]) > _NOTICEABLE for mine, theirs in pairs)


def split(traffic: Traffic, users: str) -> Split:
    """How the requests of these users are spread right now."""
    rates = traffic.rates(users)
    whole = sum(rates.values()) or 1.0
    versions = dict.fromkeys(cell.version for cell in traffic.lines if cell.version)
    shares = {
        version: sum(rate for cell, rate in rates.items() if cell.version == version) for version in versions
    }
    errors = sum(rate for cell, rate in rates.items() if cell.status >= 500)  # noqa: PLR2004 - HTTP
    shown = tuple((version, rate / whole) for version, rate in shares.items() if rate)
    return Split(shown, errors / whole)


def line(now: Split) -> str:
    """`users  1.0.0 ########## 80 %  2.0.0 ### 20 %   errors 0.4 %`."""
    parts = [f"{version} {'#' * max(1, round(share * WIDTH))} {share:.0%}" for version, share in now.shares]
    return f"users  {'  '.join(parts)}   errors {now.errors:.1%}"
