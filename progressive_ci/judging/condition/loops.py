"""The builtins that walk over an array with a predicate."""

import functools
from collections.abc import Callable, Iterator, Sequence

from progressive_ci.judging.condition.arithmetic import arithmetic, compare
from progressive_ci.judging.condition.nodes import Builtin, Node
from progressive_ci.judging.condition.run import Frame, Run
from progressive_ci.judging.condition.values import (
    Grouped,
    Value,
    fault,
    is_array,
    type_name,
)

Evaluate = Callable[[Node, Run, Frame], Value]


def loop(  # noqa: C901, PLR0911 - one row for each loop
    node: Builtin, run: Run, frame: Frame, evaluate: Evaluate
) -> Value:
    """The value of a loop over `node.arguments[0]`."""
    collection = evaluate(node.arguments[0], run, frame)
    if not is_array(collection):
        raise fault(f"builtin {node.name} takes only array (got {type_name(collection)})")
    run.spend(len(collection))
    predicate = node.arguments[1] if len(node.arguments) > 1 else None

    def each(backwards: bool = False) -> Iterator[tuple[int, Value, Value]]:  # noqa: FBT001, FBT002 - local
        order = reversed(range(len(collection))) if backwards else range(len(collection))
        for index in order:
            element = collection[index]
            found = element if predicate is None else evaluate(predicate, run, frame.at(element, index))
            yield index, element, found

    match node.name:
        case "all" | "none" | "any":
            return _quantified(node.name, each())
        case "one" | "count":
            count = sum(_truth(found) for _, _, found in each())
            return count == 1 if node.name == "one" else count
        case "filter":
            chosen = [element for _, element, found in each() if _truth(found)]
            run.make(len(chosen))
            return chosen
        case "map":
            run.make(len(collection))
            return [found for _, _, found in each()]
        case "sum":
            return _sum(each())
        case "find" | "findIndex" | "findLast" | "findLastIndex":
            return _find(node.name, each("Last" in node.name))
        case "groupBy":
            return _grouped(each())
        case "sortBy":
            order = evaluate(node.arguments[2], run, frame) if len(node.arguments) > 2 else "asc"  # noqa: PLR2004
            run.make(len(collection))
            run.spend(len(collection) * len(collection).bit_length())
            keyed = [(found, element) for _, element, found in each()]
            return [element for _, element in ordered(keyed, order, key=lambda pair: pair[0])]
        case _:
            return _reduced(node, collection, run, frame, evaluate)


def _truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise fault(f"predicate should return boolean (got {type_name(value)})")
    return value


def _quantified(name: str, each: Iterator[tuple[int, Value, Value]]) -> bool:
    if name == "any":
        return any(_truth(found) for _, _, found in each)
    return all(_truth(found) == (name == "all") for _, _, found in each)


def _sum(each: Iterator[tuple[int, Value, Value]]) -> Value:
    total: Value = 0
    for _, _, found in each:
        total = arithmetic("+", found, total)
    return total


def _find(name: str, each: Iterator[tuple[int, Value, Value]]) -> Value:
    for index, element, found in each:
        if _truth(found):
            return index if name.endswith("Index") else element
    return None


def _grouped(each: Iterator[tuple[int, Value, Value]]) -> Grouped:
    groups = Grouped(())
    for _, element, found in each:
        groups.setdefault(found, []).append(element)
    return groups


def ordered(
    items: Sequence[Value], order: Value, key: Callable[[Value], Value] = lambda item: item
) -> list[Value]:
    """Sort by `<`; `order` is `asc` or `desc`."""
    if order not in ("asc", "desc"):
        raise fault(f"invalid order {order}, expected asc or desc")

    def difference(left: Value, right: Value) -> int:
        a, b = key(left), key(right)
        return -1 if compare("<", a, b) else int(compare("<", b, a))

    return sorted(items, key=functools.cmp_to_key(difference), reverse=order == "desc")


def _reduced(node: Builtin, collection: Sequence[Value], run: Run, frame: Frame, evaluate: Evaluate) -> Value:
    first = 0
    if len(node.arguments) > 2:  # noqa: PLR2004 - the third is the start value
        accumulated = evaluate(node.arguments[2], run, frame)
    elif collection:
        accumulated, first = collection[0], 1
    else:
        raise fault("reduce of empty array with no initial value")
    for index in range(first, len(collection)):
        accumulated = evaluate(node.arguments[1], run, frame.at(collection[index], index, accumulated))
    return accumulated
