"""Owns the arguments of an analysis: declared by templates, given by the Rollout, put into texts."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from progressive_ci.errors import ProgressiveError
from progressive_ci.model.check import HashOf, LateArg, SecretKey, Text
from progressive_ci.specs.argo import field_ref
from progressive_ci.specs.argo.setting import Setting
from progressive_ci.specs.complaints import Followed
from progressive_ci.specs.part import Part

_TAG = re.compile(r"\{\{([^{}]*)\}\}")
_NAME = re.compile(r"[^{}\s]+")
_SIDES = {"Latest": "latest", "Stable": "stable"}
_NO_LATE = "it is known only in the cluster, and this field must be known before"


@dataclass(frozen=True, slots=True)
class Args:
    """Values by name.

    Attributes:
        early: known now.
        late: known only in the cluster.
        broken: already complained about.
    """

    early: Mapping[str, str] = field(default_factory=dict)
    late: Mapping[str, LateArg] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()

    def plain(self, text: str) -> str:
        """A text with every argument filled in.

        Raises:
            ProgressiveError: an argument is unknown or known only in the cluster.
        """
        return self._fill(text, self._early)

    def filled(self, text: str, fill: Callable[[str, Mapping[str, str]], str] | None = None) -> Text:
        """A text with the early arguments filled in, by `fill` where it is given.

        Raises:
            ProgressiveError: an argument is unknown, or does not go into the text.
        """
        kept = self._fill(text, self._kept)
        used = tuple((name, late) for name, late in self.late.items() if "{{args." + name + "}}" in kept)
        raw = fill(kept, self.early) if fill else self._fill(kept, self._early_or_kept)
        return Text(raw, used)

    def _fill(self, text: str, value: Callable[[str], str]) -> str:
        if "{{" in _TAG.sub("", text):
            raise ProgressiveError("a {{ has no }}", advice="write {{args.NAME}}")
        return _TAG.sub(lambda found: value(found[1].strip()), text)

    def _early(self, tag: str) -> str:
        name = self._known(tag)
        if name in self.late:
            raise ProgressiveError(f"the argument {name} can't stand here", advice=_NO_LATE)
        return self.early[name]

    def _kept(self, tag: str) -> str:
        return "{{args." + self._known(tag) + "}}"

    def _early_or_kept(self, tag: str) -> str:
        name = self._known(tag)
        return self.early.get(name, "{{args." + name + "}}")

    def _known(self, tag: str) -> str:
        name = tag.removeprefix("args.")
        if tag.startswith("args.") and (name in self.early or name in self.late):
            return name
        if name in self.broken:
            raise Followed(f"the argument {name} has no value")
        known = ", ".join("{{args." + each + "}}" for each in sorted({**self.early, **self.late}))
        advice = f"known here: {known}" if known else "declare it in spec.args of the template"
        raise ProgressiveError("{{" + tag + "}} stands for nothing", advice=advice)


def merged(setting: Setting, templates: Iterable[Part]) -> dict[str, tuple[Part, str | SecretKey | None]]:
    """What the templates declare: by name the declaration and its default."""
    declared: dict[str, tuple[Part, str | SecretKey | None]] = {}
    for template in templates:
        for part in template.part("spec").parts("args"):
            name, default = part.text("name"), _default(setting, part)
            if not _NAME.fullmatch(name):
                what = f"{name!r} is no name for an argument"
                setting.reading.fault(part, "name", what, advice="leave out blanks and braces")
            first, known = declared.get(name, (part, None))
            declared[name] = (first, _stronger(known, default))
            if isinstance(known, str) and isinstance(default, str) and known != default:
                what = f"the templates give the argument {name} two values, {known!r} and {default!r}"
                setting.reading.fault(part, "", what, advice=f"the other one stands in {first.source}")
    return declared


def _stronger(one: str | SecretKey | None, other: str | SecretKey | None) -> str | SecretKey | None:
    """Of two defaults: a text beats a secret, a secret beats none, the first beats the second."""
    if isinstance(one, SecretKey) and isinstance(other, str):
        return other
    return other if one is None else one


def _default(setting: Setting, part: Part) -> str | SecretKey | None:
    secret = part.part("valueFrom", "secretKeyRef")
    if part.has("value") and part.has("valueFrom"):
        setting.reading.fault(part, "valueFrom", "value and valueFrom are both given", advice="keep one")
    if secret.has("name") and secret.has("key"):
        return SecretKey(secret.text("name"), secret.text("key"))
    return part.text("value") if part.has("value") else None


def resolved(setting: Setting, reference: Part, templates: tuple[Part, ...]) -> Args:
    """Every declared argument with its value: the Rollout's, else the template's default."""
    declared = merged(setting, templates)
    given = _given(setting, reference, declared)
    early: dict[str, str] = {}
    late: dict[str, LateArg] = {}
    broken: set[str] = set()
    for name, (part, default) in declared.items():
        value = given.get(name, default)
        match value:
            case str():
                early[name] = value
            case SecretKey() | HashOf():
                late[name] = value
            case _:
                broken.add(name)
                if name not in given:
                    _unresolved(setting, reference, part, name)
    return Args(early, late, frozenset(broken))


def _unresolved(setting: Setting, reference: Part, declaration: Part, name: str) -> None:
    what = f"the argument {name} has no value, it is declared in {declaration.source}"
    advice = setting.advice.replace("NAME", name)
    setting.reading.complaints.add(reference.at(f"args.{name}"), what, advice=advice)


def _given(
    setting: Setting, reference: Part, declared: Mapping[str, object]
) -> dict[str, str | HashOf | None]:
    """What the Rollout gives: by name; None after a complaint."""
    given: dict[str, str | HashOf | None] = {}
    for part in reference.parts("args"):
        name = part.text("name")
        if name in given:
            setting.reading.fault(part, "name", f"the argument {name} is given twice", advice="give it once")
        if name not in declared:
            setting.reading.complaints.note(part.source, f"no template declares the argument {name}")
        given[name] = _value(setting, part)
    return given


def _value(setting: Setting, part: Part) -> str | HashOf | None:
    sources = part.part("valueFrom")
    ways = [name for name in ("podTemplateHashValue", "fieldRef") if sources.has(name)]
    ways += ["value"] if part.has("value") else []
    if len(ways) != 1:
        what = f"the argument {part.text('name')} has {' and '.join(ways) or 'no value'}"
        setting.reading.fault(part, "", what, advice="give it one value, or one valueFrom")
        return None
    match ways[0]:
        case "value":
            return part.text("value")
        case "podTemplateHashValue":
            side = sources.text("podTemplateHashValue")
            if side not in _SIDES:
                setting.reading.fault(sources, "podTemplateHashValue", f"{side} is neither Latest nor Stable")
                return None
            return HashOf(_SIDES[side])
        case _:
            path = sources.part("fieldRef").text("fieldPath")
            found: str | None = setting.reading.attempt(
                sources.part("fieldRef"), "fieldPath", lambda: field_ref.value(setting.subject, path)
            )
            return found
