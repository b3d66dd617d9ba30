"""`lint`: all complaints at once, with their lines, as text and as annotations."""

from pathlib import Path

import pytest

from progressive_ci.cli import lint
from progressive_ci.cli.settings import Settings

WRONG = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  replicas: many
  selector: {matchLabels: {app: web}}
  strategy:
    canary:
      steps: [{setWeight: 150}]
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
"""


def test_good_documents_are_praised_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    folder = ("examples/argo/gateway-api", "examples/argo/istio")
    code = lint.main(Settings(file=folder[:1], namespace="shop"))
    assert code == 0
    assert "shop/my-app is fine" in capsys.readouterr().out


def test_every_complaint_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rollout.yaml"
    file.write_text(WRONG)
    assert lint.main(Settings(file=(str(file),))) == 2
    *lines, count = capsys.readouterr().out.splitlines()
    assert [line.split(": ", 1)[0] for line in lines] == [f"{file}:5", f"{file}:9"]
    assert count == "2 problems"


def test_github_gets_an_annotation_for_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rollout.yaml"
    file.write_text(WRONG)
    assert lint.main(Settings(file=(str(file),), reporter="github")) == 2
    lines = capsys.readouterr().out.splitlines()
    heads = [line.partition(",title=")[0] for line in lines if line.startswith("::")]
    assert heads == [f"::error file={file},line=5", f"::error file={file},line=9"]


def test_several_workloads_are_read_one_after_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(WRONG)
    (tmp_path / "b.yaml").write_text(WRONG.replace("name: web, namespace", "name: web2, namespace"))
    assert lint.main(Settings(file=(str(tmp_path),))) == 2
    assert "4 problems" in capsys.readouterr().out


def test_no_file_is_a_complaint(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint.main(Settings()) == 2
    assert "no spec was given" in capsys.readouterr().out
