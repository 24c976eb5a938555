from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from devcluster.images.context import content_key, context_files, copied_paths

DOCKERFILE = """\
FROM base AS one
# COPY not this
COPY entrypoint/ ./
COPY --chown=1:1 pyproject.toml \\
     requirements.lock /app/
FROM base
COPY --from=one /x /y
ADD operator/ /src/
RUN echo COPY neither/this
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / "operator").mkdir()
    (tmp_path / "operator" / "a.py").write_text("a = 1\n")
    (tmp_path / "operator" / "a.pyc").write_text("compiled")
    (tmp_path / "README.md").write_text("read\n")
    (tmp_path / ".gitignore").write_text("*.pyc\n")
    return tmp_path


def key(checkout: Path, *more: str) -> str:
    return content_key(checkout, context_files(checkout, "COPY operator/ /src/\n"), *more)


def test_copied_paths_are_those_of_the_context() -> None:
    assert copied_paths(DOCKERFILE) == ["entrypoint", "operator", "pyproject.toml", "requirements.lock"]


def test_files_that_are_not_committed_yet_count(checkout: Path) -> None:
    assert checkout / "operator" / "a.py" in context_files(checkout, "COPY operator/ /src/\n")


def test_ignored_files_and_those_not_copied_do_not_count(checkout: Path) -> None:
    assert context_files(checkout, "COPY operator/ /src/\n") == [checkout / "operator" / "a.py"]


def test_a_changed_file_changes_the_key(checkout: Path) -> None:
    before = key(checkout)
    (checkout / "operator" / "a.py").write_text("a = 2\n")
    assert key(checkout) != before


def test_a_renamed_file_changes_the_key(checkout: Path) -> None:
    before = key(checkout)
    (checkout / "operator" / "a.py").rename(checkout / "operator" / "b.py")
    assert key(checkout) != before


def test_a_file_made_executable_changes_the_key(checkout: Path) -> None:
    before = key(checkout)
    (checkout / "operator" / "a.py").chmod(0o755)
    assert key(checkout) != before


def test_a_file_outside_the_image_leaves_the_key(checkout: Path) -> None:
    before = key(checkout)
    (checkout / "README.md").write_text("changed\n")
    assert key(checkout) == before


def test_another_base_image_changes_the_key(checkout: Path) -> None:
    assert key(checkout, "one base") != key(checkout, "another base")


def test_a_tracked_file_that_was_deleted_changes_the_key(checkout: Path) -> None:
    subprocess.run(["git", "-C", checkout, "add", "operator/a.py"], check=True)
    before = key(checkout)
    (checkout / "operator" / "a.py").unlink()
    assert key(checkout) != before
