"""Draws docs/run.svg from the JSON reports of real runs: `python -m tests.picture GOOD.json BAD.json`."""

import json
import sys
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from progressive_ci.reports.text import shorten

WIDTH, PANEL, LEFT, TOP, HEIGHT = 860, 400, 46, 54, 150
COLOURS = {"Successful": "#1a7f37", "Failed": "#cf222e"}
STYLE = (
    "text{font:12px ui-monospace,monospace;fill:#57606a}.t{font-weight:bold;fill:#24292f}"
    ".w{fill:#54aeff55;stroke:#0969da;stroke-width:2}.a{stroke:#d0d7de}"
)


def main() -> None:
    """Print one panel for each report."""
    panels = [panel(json.loads(Path(name).read_text()), number) for number, name in enumerate(sys.argv[1:])]
    sys.stdout.write(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 262" role="img" '
        f'aria-label="A good and a bad release over time"><style>{STYLE}</style>'
        f'<rect width="{WIDTH}" height="262" fill="#fff"/>{"".join(panels)}</svg>\n'
    )


def panel(report: dict[str, Any], number: int) -> str:
    """Weight over time as an area, measurements as dots, and the outcome in words."""
    outcome, phases = report["outcome"], report["phases"]
    began, ended = moment(report["began"]), moment(phases[-1]["ended"])
    scale = (PANEL - LEFT - 20) / (ended - began)
    left = number * (WIDTH - PANEL - 20) + LEFT

    def x(text: str) -> float:
        return round(left + (moment(text) - began) * scale, 1)

    def y(percent: float) -> float:
        return TOP + HEIGHT - HEIGHT * percent / 100

    dots = "".join(
        f'<circle cx="{x(row["at"])}" cy="{y(min(max(share(row["value"]), 0), 1) * 100)}" r="4" '
        f'fill="{COLOURS.get(row["phase"], "#9a6700")}"/>'
        for row in report["samples"]
    )
    lines = "".join(
        f'<path class="a" d="M{left} {y(percent)}H{left + PANEL - LEFT - 20}"/>'
        f'<text x="{left - 8}" y="{y(percent) + 4}" text-anchor="end">{percent}%</text>'
        for percent in (0, 50, 100)
    )
    title = f"new version {outcome['result']}, exit {outcome['exit']}"
    return (
        f'<text class="t" x="{left}" y="22">{escape(title)}</text>'
        f'<text x="{left}" y="40">area: its share of traffic; dots: success rate</text>'
        f'{lines}<path class="w" d="{area(phases, x, y)}"/>{dots}'
        f'<text x="{left}" y="{TOP + HEIGHT + 20}">{ended - began:.0f} s</text>'
        f'<text x="{left}" y="{TOP + HEIGHT + 38}">{escape(shorten(outcome["reason"], 48))}</text>'
    )


def area(phases: list[dict[str, Any]], x: Any, y: Any) -> str:  # noqa: ANN401 - two small functions
    """The outline below the weight, which is constant within a phase."""
    points = [f"M{x(phases[0]['began'])} {y(0)}"]
    for phase in phases:
        points += [f"V{y(phase['weight'])}", f"H{x(phase['ended'])}"]
    return "".join([*points, f"V{y(0)}Z"])


def moment(text: str) -> float:
    """Seconds."""
    return datetime.fromisoformat(text).timestamp()


def share(text: str) -> float:
    """The one number of `[0.92]`."""
    return float(text.strip("[]"))


if __name__ == "__main__":
    main()
