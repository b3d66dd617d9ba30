"""The modes, by the plan's word for them."""

from collections.abc import Mapping

from progressive_ci.model.plan import Mode as Word
from progressive_ci.release.modes import adopt, in_place, roll
from progressive_ci.release.modes.mode import Mode

MODES: Mapping[Word, Mode] = {Word.ADOPT: adopt, Word.ROLL: roll, Word.IN_PLACE: in_place}
