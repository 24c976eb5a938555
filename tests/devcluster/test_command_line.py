from __future__ import annotations

import json
from pathlib import Path

import pytest
from devcluster.choice import Kind
from devcluster.failure import Failure
from devcluster.progress import Progress
from tests.devcluster.builders import layout_in

from devcluster import __main__ as command_line
from devcluster import clusters


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test may touch the cluster of the checkout it runs in."""
    monkeypatch.setattr(command_line, "default_layout", lambda: layout_in(tmp_path))
    return tmp_path


def test_no_command_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.main([])
    assert ended.value.code == 2


def test_status_without_a_cluster_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["status"]) == 1
    assert "cluster: none" in capsys.readouterr().out


def test_status_for_programs_is_one_json_object(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout = layout_in(elsewhere)
    layout.chosen.parent.mkdir(parents=True)
    layout.chosen.write_text(Kind.EMBEDDED)
    command_line.main(["status", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert (report["kind"], report["healthy"], report["states"]["etcd"]) == ("embedded", False, False)


def test_an_image_without_a_cluster_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["image"]) == 1
    assert capsys.readouterr().err == "devcluster: no cluster is up; start one with `python3 -m devcluster up`\n"


def test_an_unknown_kind_of_cluster_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTER", "minikube")
    assert command_line.main(["up"]) == 2


def test_images_are_not_put_into_a_cluster_of_the_users_own(elsewhere: Path) -> None:
    layout = layout_in(elsewhere)
    layout.chosen.parent.mkdir(parents=True)
    layout.chosen.write_text(Kind.CURRENT)
    with pytest.raises(Failure, match="push it to a registry"):
        clusters.project_image(layout, "autopack:dev", Progress())


def test_an_agent_that_is_not_known_is_refused_with_those_that_are(elsewhere: Path) -> None:
    for name, lock in (("one", "package-lock.json"), ("two", "requirements.lock")):
        folder = layout_in(elsewhere).agents / name
        folder.mkdir(parents=True)
        (folder / lock).touch()
    with pytest.raises(Failure, match=r"there is no agent three in .*; there are one, two"):
        clusters.agents_image(layout_in(elsewhere), "agents:dev", ["one", "three"], Progress())
