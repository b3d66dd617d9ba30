"""Regular expressions in RE2's syntax, matched in linear time: no pattern can hang a release.

Python's own engine backtracks. This one follows all ways through the pattern at once (Thompson), so its time
is at most the length of the text times the size of the pattern; both are bounded too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from progressive_ci.errors import ConditionError
from progressive_ci.judging.condition.regex_parse import PatternReader
from progressive_ci.judging.condition.regex_tree import Assertion, Chars, Choice, Pattern, Repeat, Series

MOST_STATES = 5_000
_COST = 3
"""Steps that a state takes: about three nodes of a condition."""


@dataclass(frozen=True, slots=True)
class Split:
    """Go on at several states at once."""

    targets: tuple[int, ...]


State = Chars | Assertion | Split | None
"""None is the end: the pattern has matched. Every other state but Split goes on at the next one."""

Program = tuple[State, ...]


@lru_cache(maxsize=64)
def compile_pattern(text: str) -> Program:
    """The states of a pattern.

    Raises:
        ConditionError: it is no RE2 pattern, or too large.
    """
    states: list[State] = []
    _emit(PatternReader(text).read(), states)
    return (*states, None)


def _emit(pattern: Pattern, states: list[State]) -> None:
    if len(states) > MOST_STATES:
        raise ConditionError(f"the regular expression needs more than {MOST_STATES} states")
    match pattern:
        case Chars() | Assertion():
            states.append(pattern)
        case Series(items=items):
            for item in items:
                _emit(item, states)
        case Choice(items=items):
            _emit_choice(items, states)
        case Repeat():
            _emit_repeat(pattern, states)


def _emit_choice(items: tuple[Pattern, ...], states: list[State]) -> None:
    fork = len(states)
    states.append(None)
    starts: list[int] = []
    exits: list[int] = []
    for item in items:
        starts.append(len(states))
        _emit(item, states)
        exits.append(len(states))
        states.append(None)
    states[fork] = Split(tuple(starts))
    for leave in exits:
        states[leave] = Split((len(states),))


def _emit_repeat(pattern: Repeat, states: list[State]) -> None:
    for _ in range(pattern.least):
        _emit(pattern.item, states)
    if pattern.most is None:
        fork = len(states)
        states.append(None)
        _emit(pattern.item, states)
        states.append(Split((fork,)))
        states[fork] = Split((fork + 1, len(states)))
        return
    forks: list[int] = []
    for _ in range(pattern.most - pattern.least):
        forks.append(len(states))
        states.append(None)
        _emit(pattern.item, states)
    for fork in forks:
        states[fork] = Split((fork + 1, len(states)))


def search(pattern: str, text: str, spend: Callable[[int], None] = lambda _: None) -> bool:
    """Whether the pattern matches anywhere in the text.

    Args:
        pattern: in RE2's syntax.
        text: where to look.
        spend: told of each state looked at; raises where it is too much.

    Raises:
        ConditionError: the pattern is none, or too large.
    """
    program = compile_pattern(pattern)
    end = len(program) - 1
    spend(len(program))
    waiting: set[int] = set()
    for at in range(len(text) + 1):
        active = _closure(program, waiting | {0}, text, at)
        if end in active:
            return True
        spend(_COST * len(active) + 1)
        if at < len(text):
            waiting = {state + 1 for state in active if _takes(program[state], text[at])}
    return False


def _takes(state: State, char: str) -> bool:
    return isinstance(state, Chars) and state.holds(char)


def _closure(program: Program, states: set[int], text: str, at: int) -> set[int]:
    """Every state that is reached without taking a character."""
    reached: set[int] = set()
    stack = list(states)
    while stack:
        index = stack.pop()
        if index in reached:
            continue
        reached.add(index)
        state = program[index]
        if isinstance(state, Split):
            stack.extend(state.targets)
        elif isinstance(state, Assertion) and _holds(state.kind, text, at):
            stack.append(index + 1)
    return reached


def _holds(kind: str, text: str, at: int) -> bool:
    match kind:
        case "start":
            return at == 0
        case "end":
            return at == len(text)
        case "line start":
            return at == 0 or text[at - 1] == "\n"
        case "line end":
            return at == len(text) or text[at] == "\n"
        case _:
            edge = _is_word(text[at - 1 : at] if at else "") != _is_word(text[at : at + 1])
            return edge == (kind == "word edge")


def _is_word(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isalnum())
