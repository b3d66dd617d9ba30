"""What is read as a document lies in the workspace, is a file, and is of a size that somebody can have written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from progressive_ci.cli import documents
from progressive_ci.errors import SpecInvalid
from progressive_ci.specs import building
from progressive_ci.specs.documents import parse


def complaint(folder: Path, name: str = "") -> str:
    with pytest.raises(SpecInvalid) as caught:
        documents.read((str(folder / name),), workspace=str(folder))
    return str(caught.value)


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("/etc/hostname", "the link leads out of the workspace"),
        ("../../../../etc/hostname", "the link leads out of the workspace"),
        ("/proc/self/environ", "the link leads out of the workspace"),
        ("/dev/zero", "the link leads out of the workspace"),
        ("/var/run/secrets/kubernetes.io/serviceaccount/token", "the link leads out of the workspace"),
        ("link.yaml", "the file cannot be read: its links lead in a circle"),
        ("gone.yaml", "the file cannot be read: No such file or directory"),
    ],
)
def test_a_link_in_a_checked_out_folder_leads_nowhere_else(tmp_path: Path, target: str, why: str) -> None:
    (tmp_path / "link.yaml").symlink_to(target)
    assert f"link.yaml: {why}" in complaint(tmp_path)


def test_a_folder_that_is_a_link_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.yaml").write_text("kind: A")
    workspace = tmp_path / "work"
    workspace.mkdir()
    (workspace / "deploy").symlink_to(tmp_path / "outside")
    with pytest.raises(SpecInvalid, match="the link leads out of the workspace"):
        documents.read((str(workspace / "deploy"),), workspace=str(workspace))
    with pytest.raises(SpecInvalid, match="the link leads out of the workspace"):
        documents.read((str(workspace / "deploy" / "a.yaml"),), workspace=str(workspace))


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null"])
def test_a_device_is_no_document(name: str) -> None:
    with pytest.raises(SpecInvalid, match="it is no file"):
        documents.read((name,), workspace="/work")


def test_a_pipe_in_a_checked_out_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "fine.yaml").write_text("kind: A")
    assert [content for _, content in documents.read((str(tmp_path),), workspace=str(tmp_path))] == [
        b"kind: A"
    ]


def test_what_a_shell_hands_over_by_a_pipe_is_read(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.write(write, b"kind: A")
    os.close(write)
    name = f"/dev/fd/{read}"
    assert documents.read((name,), workspace=str(tmp_path)) == ((name, b"kind: A"),)
    os.close(read)


def test_a_file_of_another_size_is_refused_and_never_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "LARGEST", 10)
    (tmp_path / "a.yaml").write_bytes(b"x" * 10)
    assert documents.read((str(tmp_path / "a.yaml"),), workspace=str(tmp_path))
    (tmp_path / "a.yaml").write_bytes(b"x" * 11)
    assert "a.yaml: it holds more than" in complaint(tmp_path)


def test_endless_standard_input_is_cut_short() -> None:
    script = "from progressive_ci.cli import documents\ndocuments.read(('-',), workspace='.')"
    with Path("/dev/zero").open("rb") as zeros:
        done = subprocess.run(
            (sys.executable, "-c", script), stdin=zeros, capture_output=True, timeout=30, check=False
        )
    assert b"it holds more than 16 MiB" in done.stderr


def test_there_are_only_so_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_FILES", 3)
    for number in range(4):
        (tmp_path / f"{number}.yaml").write_text("kind: A")
    assert "more than 3 files" in complaint(tmp_path)


BOMBS = {
    "deep nesting": "[" * 200_000,
    "deep mappings": "".join(f"{' ' * depth}a:\n" for depth in range(2_000)),
    "aliases of aliases": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)),
    "an alias within itself": "a: &a [*a]",
    "a merge of a merge": "a: &a {x: 1}\n"
    + "".join(f"b{n}: &b{n} {{<<: *a}}\n" for n in range(5))
    + "kind: [",
    "very many documents": "---\n" * 40_000,
    "very many keys": "".join(f"k{n}: 1\n" for n in range(40_000)),
    "a tag that runs code": '!!python/object/apply:os.system ["touch /tmp/pwned"]',
    "a tag within": "apiVersion: v1\nkind: A\nmetadata: {name: !!python/name:os.system x}",
    "a long number": "apiVersion: v1\nkind: A\nmetadata: {name: x}\nspec: " + "9" * 100_000,
    "a long float": "apiVersion: v1\nkind: A\nmetadata: {name: x}\nspec: 1e" + "9" * 1000,
    "base sixty": "apiVersion: v1\nkind: A\nmetadata: {name: x}\nspec: " + "1:" * 5000 + "1",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_text_that_grows_is_refused_with_its_file(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "MOST_NODES", 30_000)
    try:
        found = parse([("bomb.yaml", text)])
    except SpecInvalid as complaints:
        assert "bomb.yaml" in str(complaints)  # noqa: PT017 - either way is right
    else:
        assert len(found) <= 1
