"""Puts the values of late arguments into texts that have no grammar: addresses, headers, credentials."""

import re
from collections.abc import Mapping

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.check import Text

TAG = re.compile(r"\{\{\s*args\.([^{}\s]+)\s*\}\}")
"""`{{args.name}}`, blanks allowed."""


def needed(text: Text, late: Mapping[str, str]) -> dict[str, str]:
    """The values of a text's late arguments.

    Raises:
        ProgressiveError: one of them has no value.
    """
    missing = [name for name, _ in text.late if name not in late]
    if missing:
        raise ProgressiveError(
            f"the argument {missing[0]} has no value", advice="see where it comes from: valueFrom"
        )
    return {name: late[name] for name, _ in text.late}


def plain(text: Text, late: Mapping[str, str]) -> str:
    """A text with its late arguments in place, as they are.

    Raises:
        ProgressiveError: one of them has no value.
    """
    values = needed(text, late)
    return TAG.sub(lambda tag: values.get(tag[1], tag[0]), text.raw)
