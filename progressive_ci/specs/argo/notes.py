"""Owns our annotations on templates: what upstream's YAML can't say about a metric."""

from dataclasses import dataclass
from difflib import get_close_matches

from progressive_ci.specs.argo.setting import Setting
from progressive_ci.specs.part import Part

PREFIX = "progressive-ci/"
MIN_SAMPLES, ON_NO_DATA, CA = "min-samples", "on-no-data", "ca"
WORDS = {
    MIN_SAMPLES: "`50 QUERY`: a measurement counts only when QUERY, a number, gives at least 50",
    ON_NO_DATA: "`hold`, `fail` or `pass`: what an answer without data means",
    CA: "PEM text of the CA that signed the metrics server's certificate",
}
_NO_DATA = ("hold", "fail", "pass")
_BEGIN = "-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Notes:
    """What a template's annotations say about one metric."""

    min_samples: float = 0.0
    samples_query: str = ""
    on_no_data: str = "hold"
    ca: str | None = None


def notes(setting: Setting, template: Part, metric: str) -> Notes:
    """The annotations about a metric; wrong ones are complained about."""
    metadata = template.part("metadata")
    found = {
        word: value
        for word in WORDS
        for key, value in metadata.pairs("annotations")
        if key == f"{PREFIX}{word}.{metric}"
    }
    least, query = _samples(setting, metadata, metric, found.get(MIN_SAMPLES, ""))
    on_no_data = found.get(ON_NO_DATA, "hold")
    if on_no_data not in _NO_DATA:
        _fault(
            setting, metadata, f"{ON_NO_DATA}.{metric}", f"{on_no_data!r} is none of {', '.join(_NO_DATA)}"
        )
    ca = found.get(CA)
    if ca is not None and _BEGIN not in ca:
        _fault(
            setting, metadata, f"{CA}.{metric}", f"the CA does not hold {_BEGIN}", "paste the PEM file's text"
        )
    return Notes(least, query, on_no_data, ca)


def _samples(setting: Setting, metadata: Part, metric: str, text: str) -> tuple[float, str]:
    if not text:
        return 0.0, ""
    number, _, query = text.strip().partition(" ")
    if not number.isascii() or not number.isdigit() or len(number) > 9 or not query.strip():  # noqa: PLR2004 - digits
        advice = (
            "write a whole number, a space and a counting query, as in 50 sum(increase(requests_total[1m]))"
        )
        _fault(setting, metadata, f"{MIN_SAMPLES}.{metric}", f"{text!r} is no number with a query", advice)
        return 0.0, ""
    return float(number), query.strip()


def known(setting: Setting, template: Part) -> None:
    """Complain about annotations of ours that name no metric of the template, or say what we don't know."""
    metrics = [metric.text("name") for metric in template.part("spec").parts("metrics")]
    for key, _ in template.part("metadata").pairs("annotations"):
        if not key.startswith(PREFIX):
            continue
        word, _, metric = key.removeprefix(PREFIX).partition(".")
        if word not in WORDS:
            close = get_close_matches(word, WORDS, n=1)
            advice = f"did you mean {PREFIX}{close[0]}.METRIC?" if close else f"known: {', '.join(WORDS)}"
            _fault(
                setting, template.part("metadata"), f"{word}.{metric}", f"unknown annotation {key}", advice
            )
        elif metric not in metrics:
            advice = f"metrics of this template: {', '.join(metrics) or 'none'}"
            what = f"the template has no metric {metric!r}"
            _fault(setting, template.part("metadata"), f"{word}.{metric}", what, advice)


def _fault(setting: Setting, metadata: Part, name: str, what: str, advice: str = "") -> None:
    setting.reading.fault(metadata, f"annotations.{PREFIX}{name}".rstrip("."), what, advice=advice)
