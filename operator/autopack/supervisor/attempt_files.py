"""The files of a run's attempts: what an earlier attempt left is kept under another name, never overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from autopack.agents.formats import Format
from autopack.agents.reading import TRANSCRIPT
from autopack.failpoints import hit
from autopack.file_layout import RunFileLayout
from autopack.files import write_json_atomic
from autopack.registry.events import RunRecord, decode

VERSION = 1
_RESULT = "result.json"


def result_path(layout: RunFileLayout) -> Path:
    """Return the file that says how the run's last attempt ended; written last of all."""
    return layout.kept_dir / _RESULT


def _last_result(layout: RunFileLayout) -> Path:
    """Return the file that holds the last result: of a run that has not been started lately, among its artifacts."""
    return result_path(layout) if layout.kept_dir.exists() else layout.base_dir / _RESULT


def log_paths(layout: RunFileLayout) -> tuple[Path, Path, Path]:
    """Return the files of the current attempt's stdout, stderr and setup commands."""
    return tuple(layout.logs_dir / f"{name}.log" for name in ("stdout", "stderr", "setup"))  # type: ignore[return-value]


def set_aside_earlier(layout: RunFileLayout, told: Format | None = None) -> None:
    """Rename what the attempt before left: `stdout.log` becomes `stdout.a1.log`, then `stdout.a2.log` and so on.

    What an agent told as well, if its output is one that is read, or it would be read again.
    """
    output = [layout.base_dir / TRANSCRIPT, layout.base_dir.joinpath(*told.path)] if told is not None else []
    homes = {path: path.parent for path in (*log_paths(layout), *output)} | {_last_result(layout): layout.kept_dir}
    left = [path for path in homes if path.exists()]
    layout.kept_dir.mkdir(parents=True, exist_ok=True)
    if not left:
        return
    used = {number for path in left for number in _numbers(path)}
    number = max(used, default=0) + 1
    for path in left:
        path.rename(homes[path] / f"{path.stem}.a{number}{path.suffix}")
        hit("run.after_set_aside")


def _numbers(path: Path) -> Iterator[int]:
    for sibling in path.parent.glob(f"{path.stem}.a*{path.suffix}"):
        number = sibling.name.removeprefix(f"{path.stem}.a").removesuffix(path.suffix)
        if number.isdecimal():
            yield int(number)


def write_result(layout: RunFileLayout, facts: RunRecord) -> None:
    """Write down how the run ended."""
    layout.kept_dir.mkdir(parents=True, exist_ok=True)
    write_json_atomic(result_path(layout), {"version": VERSION, **asdict(facts)})


def read_result(layout: RunFileLayout) -> RunRecord | None:
    """Return how the run ended; None if it has not, if nobody can tell, or if its artifacts have been deleted."""
    if not layout.base_dir.exists():
        return None
    try:
        facts = decode(_last_result(layout).read_bytes())
    except OSError:
        return None
    return facts if facts is not None and facts.run_id == layout.run_id else None
