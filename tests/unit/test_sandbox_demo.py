from pathlib import Path

from progressive_ci.cli.settings import Settings
from progressive_ci.cli.spec import plan
from progressive_ci.model.kinds import HTTP_ROUTE, Ref
from progressive_ci.sandbox import meter, stage
from progressive_ci.sandbox.cluster import Sandbox


def test_the_documents_of_the_demo_compile_without_a_warning(tmp_path: Path) -> None:
    stage.write_documents(tmp_path)
    files = tuple(str(tmp_path / name) for name in stage.DOCUMENTS)
    found = plan(Settings(file=files, image=(stage.GOOD,)), workspace=str(tmp_path))
    assert (found.namespace, found.workload.name) == (stage.NAMESPACE, stage.NAME)
    assert found.workload.replicas == stage.REPLICAS
    assert found.guards
    assert found.not_applied == ()


def test_a_line_tells_what_users_see() -> None:
    sandbox = Sandbox.with_app(image="web:1.0.0-err8")
    now = meter.split(sandbox.traffic, "users")
    assert meter.line(now) == "users  1.0.0-err8 ############################## 100%   errors 8.0%"


def test_only_a_change_that_shows_is_news() -> None:
    before = meter.Split((("1", 0.8), ("2", 0.2)), 0.0)
    assert not meter.Split((("1", 0.801), ("2", 0.199)), 0.1).differs(before)
    assert meter.Split((("1", 0.5), ("2", 0.5)), 0.0).differs(before)
    assert meter.Split((("1", 1.0),), 0.0).differs(before)
    assert before.differs(None)


def test_users_who_left_are_no_share_of_anything() -> None:
    sandbox = Sandbox.with_app()
    sandbox.traffic.users("users", Ref(HTTP_ROUTE, "shop", "web"), 0)
    assert meter.split(sandbox.traffic, "users") == meter.Split((), 0.0)
