"""Files, folders and standard input, as the command reads them."""

import io
import sys
from pathlib import Path

import pytest

from progressive_ci.cli.documents import read
from progressive_ci.errors import SpecInvalid


def written(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")


def test_a_folder_is_read_recursively_in_the_order_of_paths_without_hidden_and_other_files(
    tmp_path: Path,
) -> None:
    written(tmp_path, "b.yaml", "a/z.yml", "a/b.json", ".git/x.yaml", "a/.hidden.yaml", "notes.md")
    found = read((str(tmp_path),), workspace=str(tmp_path))
    assert [Path(name).relative_to(tmp_path).as_posix() for name, _ in found] == [
        "a/b.json",
        "a/z.yml",
        "b.yaml",
    ]


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"kind: A\n")))
    assert read(("-",), workspace=".") == (("-", b"kind: A\n"),)


def test_a_link_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    workspace = tmp_path / "work"
    written(tmp_path, "secret.yaml", "work/fine.yaml")
    (workspace / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    with pytest.raises(SpecInvalid) as caught:
        read((str(workspace),), workspace=str(workspace))
    assert str(caught.value) == (
        f"{workspace}/link.yaml: the link leads out of the workspace; copy the file below {workspace}"
    )


def test_a_link_within_the_workspace_is_read(tmp_path: Path) -> None:
    written(tmp_path, "shared/a.yaml")
    (tmp_path / "a.yaml").symlink_to(tmp_path / "shared" / "a.yaml")
    assert read((str(tmp_path / "a.yaml"),), workspace=str(tmp_path))[0][1] == b"# shared/a.yaml\n"


def test_a_file_that_the_user_names_outside_the_workspace_is_read(tmp_path: Path) -> None:
    written(tmp_path, "rendered.yaml")
    assert read((str(tmp_path / "rendered.yaml"),), workspace=str(tmp_path / "work"))


def test_every_unreadable_name_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SpecInvalid) as caught:
        read((f"{tmp_path}/gone.yaml", f"{tmp_path}/empty"), workspace=str(tmp_path))
    assert str(caught.value).splitlines() == [
        f"{tmp_path}/gone.yaml: the file cannot be read: No such file or directory; check the path",
        f"{tmp_path}/empty: the folder holds no YAML or JSON file; files end in .yaml, .yml or .json",
    ]


def test_no_name_at_all_says_how_to_give_one() -> None:
    with pytest.raises(
        SpecInvalid, match="no spec was given; name files or folders with --file, or - for stdin"
    ):
        read((), workspace=".")
