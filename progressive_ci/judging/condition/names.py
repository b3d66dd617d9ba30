"""The names that conditions know: variables, functions, loops."""

ENVIRONMENT = frozenset(("result", "asInt", "asFloat", "isNaN", "isInf", "isNil", "default"))
"""What Argo Rollouts adds to the language; these win over builtins of the same name."""

TIME_ENVIRONMENT = frozenset(("isNaN", "isInf"))
"""What the texts of rangeQuery.start and end know beside the builtins."""

LOOPS = {
    "all": (2, 2),
    "none": (2, 2),
    "any": (2, 2),
    "one": (2, 2),
    "filter": (2, 2),
    "map": (2, 2),
    "count": (1, 2),
    "sum": (1, 2),
    "find": (2, 2),
    "findIndex": (2, 2),
    "findLast": (2, 2),
    "findLastIndex": (2, 2),
    "groupBy": (2, 2),
    "sortBy": (2, 3),
    "reduce": (2, 3),
}
"""Builtins that take a predicate as second argument: least and most arguments."""

_BITS = ("bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr", "bitnot")
_TEXT = (
    "trim", "trimPrefix", "trimSuffix", "upper", "lower", "split", "splitAfter", "replace", "repeat", "join",
    "indexOf", "lastIndexOf", "hasPrefix", "hasSuffix", "toJSON", "fromJSON", "toBase64", "fromBase64",
)  # fmt: skip
_NUMBERS = ("abs", "ceil", "floor", "round", "int", "float", "max", "min", "mean", "median")
_TIME = ("now", "duration", "date", "timezone")
_COLLECTIONS = (
    "len", "type", "string", "first", "last", "get", "take", "keys", "values", "toPairs", "fromPairs",
    "reverse", "uniq", "concat", "flatten", "sort",
)  # fmt: skip

BUILTINS = frozenset((*LOOPS, *_BITS, *_TEXT, *_NUMBERS, *_TIME, *_COLLECTIONS))
"""Every function of expr-lang 1.17.8."""
