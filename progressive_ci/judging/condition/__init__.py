"""The condition language: expr-lang 1.17.8 as Argo Rollouts uses it, with upstream's precedences and types.

A text is parsed once (`compile_condition`). Each evaluation first checks it against the type of the result,
as upstream does: `isNil(result) || result > 1` is an error for a nil result, not true.

Nothing here trusts its input. Texts, trees, steps, elements and strings are bounded, and regular expressions
are matched in linear time, so that no condition and no answer of a server can hang a release.
"""

from progressive_ci.judging.condition.compiled import (
    Condition,
    compile_condition,
    complaint,
    evaluate,
    evaluate_time,
    value_of,
)

__all__ = ["Condition", "compile_condition", "complaint", "evaluate", "evaluate_time", "value_of"]
