import json

import pytest

from progressive_ci.errors import SpecInvalid
from progressive_ci.model.document import Source
from progressive_ci.specs.documents import parse
from progressive_ci.specs.scalars import resolve

HEAD = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n"
LIST = """apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: web}
  spec:
    a: 1
"""
RENDER = "render it first (helm template CHART | progressive-ci lint -f -), or quote the value"
ONLY_OBJECTS = "give only files of Kubernetes objects; render charts and overlays first"
BUILD = "build it first: kustomize build . | progressive-ci lint -f -"
LINE_UP = "line up this entry with its neighbours: the same number of spaces before each"

FAULTS = {
    "tab": (
        HEAD + "spec:\n\ta: 1\n",
        "6: a tab stands in the indentation; indent with spaces, YAML allows no tabs",
    ),
    "too far right": (
        HEAD + "spec:\n  a: 1\n   b: 2\n",
        f"7: a key stands where none can; quote a value that holds ': ', or {LINE_UP}",
    ),
    "too far left": (
        HEAD + "spec:\n    a: 1\n  b: 2\n",
        f"7: an entry is not where its mapping wants it; {LINE_UP}",
    ),
    "open bracket": (HEAD + "spec: [1, 2\nx: 1\n", "5: a '[' has no ']'; close it, or quote the value"),
    "open brace": (HEAD + "spec: {a: 1\nx: 1\n", "5: a '{' has no '}'; close it, or quote the value"),
    "open quotes": (HEAD + 'spec: "x\n', "5: the text ends within quotes; close the quotes"),
    "no colon": (HEAD + "spec\n", "5: a key has no ': '; write key: value, with a space after the colon"),
    "at sign": (HEAD + "spec: @x\n", "5: no value can begin with '@'; quote the value"),
    "backslash": (HEAD + 'spec: "\\q"\n', "5: a backslash in double quotes; use single quotes or write \\\\"),
    "control character": (
        HEAD + "spec: \x01\n",
        "5: an invisible control character (0x01); remove it, or write it as \\x.. in quotes",
    ),
    "duplicate key": (
        HEAD + "spec:\n  a: 1\n  b: 2\n  a: 3\n",
        "8: a is written twice, in lines 6 and 8; remove one of them",
    ),
    "unknown alias": (HEAD + "spec: *x\n", "5: *x stands for nothing: no &x comes before it"),
    "endless alias": (HEAD + "spec: &x [*x]\n", "5: *x stands within &x, so it would never end"),
    "merged number": (HEAD + "<<: 5\n", "5: << takes a mapping or a list of mappings"),
    "unknown tag": (HEAD + "spec: !x y\n", "5: the tag !x does not fit 'y' or is not known"),
    "python tag": (
        HEAD + "spec: !!python/name:os.system x\n",
        "5: the tag !!python/name:os.system does not fit 'x' or is not known",
    ),
    "infinity": (HEAD + "spec: .inf\n", "5: .inf is no value that an API object can hold"),
    "list as key": (
        HEAD + "? [a]\n: b\n",
        "5: a key is text, not a list or a mapping; put the key in quotes",
    ),
    "template value": (HEAD + "spec: {{ .Values.x }}\n", f"5: this is a template, not YAML; {RENDER}"),
    "template line": ("{{- if .Values.x }}\n" + HEAD, f"1: this is a template, not YAML; {RENDER}"),
    "deep": ("[" * 101, "1: more than 100 levels of nesting"),
    "two documents run together": (
        HEAD + "...\n" + HEAD,
        "6: text stands after the end of a document; put --- before it",
    ),
    "list": ("- a\n", "1: no Kubernetes object: a mapping with apiVersion and kind is wanted"),
    "values file": (
        "replicas: 3\n",
        f"1: no Kubernetes object: apiVersion is missing or no text; {ONLY_OBJECTS}",
    ),
    "no name": (
        "apiVersion: v1\nkind: Service\n",
        "1: the Service has no metadata.name that is text; give it a fixed name, in quotes where it is a number",
    ),
    "kustomization": (
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
        f"1: the Kustomization has no metadata.name that is text; {BUILD}",
    ),
    "twice": (HEAD + "---\n" + HEAD, "6: Service web is given twice, first in a.yaml:1; give it once"),
}


@pytest.mark.parametrize(("text", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_line_and_what_to_do(text: str, fault: str) -> None:
    with pytest.raises(SpecInvalid) as caught:
        parse([("a.yaml", text)])
    assert str(caught.value) == f"a.yaml:{fault}"


def test_a_fault_below_a_query_with_arguments_is_no_template() -> None:
    text = HEAD + 'query: up{a="{{args.x}}"}\nspec:\n    a: 1\n  b: 2\n'
    with pytest.raises(SpecInvalid, match="an entry is not where"):
        parse([("a.yaml", text)])


def test_the_faults_of_all_files_are_told_at_once() -> None:
    with pytest.raises(SpecInvalid) as caught:
        parse([("b.yaml", "a: [1\n"), ("a.yaml", HEAD + "x: 1\nx: 2\ny: 1\ny: 2\n"), ("c.yaml", "- 1\n")])
    assert [str(each).partition(": ")[0] for each in caught.value.complaints] == [
        "a.yaml:6",
        "a.yaml:8",
        "b.yaml:1",
        "c.yaml:1",
    ]


def test_aliases_of_aliases_are_not_laid_out_without_end() -> None:
    rows = ["a: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"b{n}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(12)]
    with pytest.raises(SpecInvalid, match="aliases stand for more than 100000 values"):
        parse([("a.yaml", HEAD + "\n".join(rows))])


def test_a_file_beyond_16_mib_is_refused() -> None:
    with pytest.raises(SpecInvalid, match="the file is larger than 16 MiB"):
        parse([("a.yaml", "#" * (16 * 1024 * 1024 + 1))])


@pytest.mark.parametrize(
    "text",
    [
        HEAD.replace("\n", "\r\n"),
        "\ufeff" + HEAD,
        HEAD.encode("utf-16"),
        HEAD.encode("utf-8-sig"),
        "---\n" + HEAD + "---\n# nothing\n---\n",
        '{"apiVersion": "v1", "kind": "Service",\n\t"metadata": {"name": "web"}}',
    ],
    ids=["Windows", "byte order mark", "UTF-16", "UTF-8 with mark", "empty documents", "JSON"],
)
def test_a_document_is_the_same_however_it_is_stored(text: str | bytes) -> None:
    (document,) = parse([("a.yaml", text)])
    assert document.body == {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}


def test_a_file_that_is_no_text_is_refused_with_its_line() -> None:
    with pytest.raises(SpecInvalid) as caught:
        parse([("a.yaml", HEAD.encode() + b"\xff")])
    assert str(caught.value) == "a.yaml:5: the file is no UTF-8 text; save it as UTF-8"


def test_a_field_knows_its_line_and_an_absent_one_that_of_its_parent() -> None:
    (document,) = parse(
        [("a.yaml", HEAD + "spec:\n  ports:\n    - name: a\n    - port: 80\n      name: b\n")]
    )
    assert document.at("spec.ports[1].name") == Source("a.yaml", 9, "spec.ports[1].name")
    assert document.at("spec.ports[1].protocol").line == 8
    assert document.at("spec.selector.app").line == 5
    assert str(document.at("spec.ports[1]")) == "a.yaml:8: spec.ports[1]"


def test_lists_are_unfolded_and_their_items_keep_their_lines() -> None:
    (document,) = parse([("a.yaml", LIST)])
    assert document.source == Source("a.yaml", 4)
    assert document.at("spec.a") == Source("a.yaml", 8, "spec.a")


def test_anchors_and_merge_keys_are_put_in() -> None:
    text = HEAD + "a: &a {x: 1, y: 1}\nb: {<<: *a, y: 2}\nc: {<<: [*a, {x: 9, z: 3}]}\n"
    (document,) = parse([("a.yaml", text)])
    assert document.body["b"] == {"x": 1, "y": 2}
    assert document.body["c"] == {"x": 1, "y": 1, "z": 3}


def test_keys_are_texts_even_where_yaml_has_another_word_for_them() -> None:
    (document,) = parse([("a.yaml", HEAD + "on: 1\nyes: 2\n8080: 3\nnull: 4\n")])
    assert {"on": 1, "yes": 2, "8080": 3, "null": 4}.items() <= document.body.items()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("Off", False),
        ("~", None),
        ("", None),
        ("12:30", "12:30"),
        ("2026-01-02", "2026-01-02"),
        ("0777", 511),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", 1000),
        ("1.10", 1.1),
        ("1e3", 1000.0),
        ("-7", -7),
        ("1.2.3", "1.2.3"),
        (".", "."),
        ("+", "+"),
        ("_1", "_1"),
        ("1e999", "1e999"),
        ("9" * 20, 1e20),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_an_unquoted_word_means_what_it_means_to_kubectl(text: str, value: object) -> None:
    found = resolve(text)
    assert (found, type(found)) == (value, type(value))


def test_of_very_many_faults_the_first_are_told() -> None:
    with pytest.raises(SpecInvalid) as caught:
        parse([("a.yaml", "---\nkind: x\n" * 1000)])
    assert len(caught.value.complaints) == 201
    assert str(caught.value).endswith("and perhaps more: only the first 200 faults are told")


def test_a_file_of_very_many_values_is_refused() -> None:
    with pytest.raises(SpecInvalid, match="more than 300000 values"):
        parse([("a.yaml", "- [" + "1," * 300_000 + "]")])


@pytest.mark.parametrize("name", ["a/../b", "..", "a?dryRun=All", "a%2Fb", "a#b"])
@pytest.mark.parametrize("field", ["name", "namespace"])
def test_a_document_whose_name_leads_elsewhere_is_refused(field: str, name: str) -> None:
    metadata = {"name": "web", "namespace": "shop"} | {field: name}
    text = f"apiVersion: v1\nkind: Service\nmetadata: {json.dumps(metadata)}\n"
    with pytest.raises(SpecInvalid, match=rf"a.yaml:3: metadata.{field}: .* can't be a {field}"):
        parse([("a.yaml", text)])
