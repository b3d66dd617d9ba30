"""Every way of writing the log."""

from progressive_ci.reports import github, plain
from progressive_ci.reports.format import Format

FORMATS: dict[str, Format] = {module.NAME: module for module in (plain, github)}
