"""Static types of conditions: what is known of a value before it is computed, by expr-lang's rules."""

from dataclasses import dataclass
from enum import Enum, auto


class Shape(Enum):
    """What kind of value a type stands for."""

    NONE = auto()  # unknown, or nil
    BOOL = auto()
    INT = auto()
    INT64 = auto()
    FLOAT = auto()
    TEXT = auto()
    ARRAY = auto()
    MAP = auto()
    STRUCT = auto()
    POINTER = auto()
    FUNCTION = auto()
    INTERFACE = auto()


@dataclass(frozen=True, slots=True)
class Type:
    """A static type.

    Attributes:
        name: as messages write it, in Go's words.
        shape: kind of value.
        element: of an array or map, where it is known better than the name says.
        key: of a map.
    """

    name: str
    shape: Shape
    element: "Type | None" = None
    key: "Type | None" = None

    @property
    def is_unknown(self) -> bool:
        """Whether only evaluation tells the type."""
        return self is UNKNOWN or self.shape is Shape.INTERFACE

    @property
    def is_integer(self) -> bool:
        """Whether it is a plain integer; a duration is none."""
        return self.name in ("int", "int64")

    @property
    def is_number(self) -> bool:
        """Whether it is an integer or a float."""
        return self.is_integer or self is FLOAT

    @property
    def elements(self) -> "Type":
        """Type of the elements of an array or of the values of a map."""
        return UNKNOWN if self.element is None else self.element


UNKNOWN = Type("unknown", Shape.NONE)
NIL = Type("unknown", Shape.NONE, key=UNKNOWN)  # messages call both unknown; the key tells them apart
ANY = Type("interface {}", Shape.INTERFACE)
BOOL = Type("bool", Shape.BOOL)
INT = Type("int", Shape.INT)
INT64 = Type("int64", Shape.INT64)
FLOAT = Type("float64", Shape.FLOAT)
TEXT = Type("string", Shape.TEXT)
BYTES = Type("[]uint8", Shape.ARRAY, INT)
FLOATS = Type("[]float64", Shape.ARRAY, FLOAT)
TEXTS = Type("[]string", Shape.ARRAY, TEXT)
ARRAY = Type("[]interface {}", Shape.ARRAY, ANY)
MAP = Type("map[string]interface {}", Shape.MAP, ANY, TEXT)
ANY_MAP = Type("map[interface {}]interface {}", Shape.MAP, ANY, ANY)
TIME = Type("time.Time", Shape.STRUCT)
DURATION = Type("time.Duration", Shape.INT64)
ZONE = Type("*time.Location", Shape.POINTER)
FUNCTION = Type("func", Shape.FUNCTION)

_NILLABLE = (Shape.POINTER, Shape.INTERFACE, Shape.FUNCTION, Shape.MAP, Shape.ARRAY)


def array_of(element: Type) -> Type:
    """An array whose elements are known better than its name tells."""
    return Type(ARRAY.name, Shape.ARRAY, element)


def grouped(element: Type) -> Type:
    """What groupBy gives."""
    return Type("map[interface {}][]interface {}", Shape.MAP, element, ANY)


def is_assignable(value: Type, target: Type) -> bool:
    """Whether a value of one type may stand where the other is wanted."""
    if value is NIL and target.shape in _NILLABLE:
        return True
    if value.shape is Shape.NONE or target.shape is Shape.NONE:
        return False
    return target.shape is Shape.INTERFACE or (value.shape is target.shape and value.name == target.name)


def is_comparable(left: Type, right: Type) -> bool:
    """Whether `==` makes sense between two types."""
    return (
        left.is_unknown
        or right.is_unknown
        or NIL in (left, right)
        or (left.is_number and right.is_number)
        or left.shape is right.shape is Shape.ARRAY
        or is_assignable(left, right)
    )


def are_compatible(left: Type, right: Type, *wanted: Type) -> bool:
    """Whether one side is unknown and the other unknown too, or one of the wanted kinds.

    INT stands for every integer, FLOAT for every number.
    """
    if left.is_unknown and right.is_unknown:
        return True
    known = right if left.is_unknown else left
    return (left.is_unknown or right.is_unknown) and any(_is(known, kind) for kind in wanted)


def _is(found: Type, wanted: Type) -> bool:
    if wanted is INT:
        return found.is_integer
    return found.is_number if wanted is FLOAT else found is wanted


def type_of(value: object) -> Type:  # noqa: PLR0911 - one row for each kind of value
    """The type of a measured result: a tuple is a series of floats, a list is a JSON array."""
    match value:
        case None:
            return NIL
        case bool():
            return BOOL
        case int() | float():
            return FLOAT
        case str():
            return TEXT
        case tuple():
            return FLOATS
        case list():
            return ARRAY
        case _:
            return MAP
