"""Takes secrets out of text before anybody sees it."""

import base64
import json
from dataclasses import dataclass
from html import escape
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""A shorter value stands in too many innocent words; masking it would make the log unreadable."""

STARS = "***"


@dataclass(frozen=True, slots=True)
class Mask:
    """Secrets seen so far, longest first, in every spelling in which they may appear."""

    spellings: tuple[str, ...] = ()

    def knowing(self, secret: str) -> "Mask":
        """This mask and one secret more, each line of it for itself."""
        found = {spelling for line in (secret, *secret.splitlines()) for spelling in spellings_of(line)}
        return Mask(tuple(sorted(found.union(self.spellings), key=lambda text: (-len(text), text))))

    def applied(self, text: str) -> str:
        """The text with stars in place of secrets."""
        for spelling in self.spellings:
            text = text.replace(spelling, STARS)
        return text


def spellings_of(secret: str) -> tuple[str, ...]:
    """The value itself, in base64, in a URL, in JSON and in HTML."""
    bare = secret.strip()
    if len(bare) < SHORTEST:
        return ()
    return (
        bare,
        base64.b64encode(bare.encode()).decode(),
        base64.urlsafe_b64encode(bare.encode()).decode(),
        quote(bare, safe=""),
        quote_plus(bare),
        json.dumps(bare)[1:-1],
        escape(bare),
    )
