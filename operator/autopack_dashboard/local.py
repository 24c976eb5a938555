"""The dashboard of the local supervisor's runs, for whoever sits at this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from autopack.errors import AutopackError, printable
from autopack.file_layout import RunFileLayout
from autopack.registry.folder_reader import FolderReader
from autopack.registry.outbox import Outbox
from autopack.registry.reader import RegistryReader, RunFilter
from autopack.registry.urls import DatabaseUrl, sqlite_url
from autopack_dashboard.app import Parts, make_app
from autopack_dashboard.local_files import LocalFiles
from autopack_dashboard.rows import Rows
from autopack_dashboard.settings import check_loopback


def serve_all(url: DatabaseUrl, runs_dir: Path, repo: Path, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve all runs of a database until Ctrl-C."""
    _serve(RegistryReader(url, None), runs_dir, repo, host, port, say, None)


def serve_folder(runs_dir: Path, repo: Path, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve the runs of a folder until Ctrl-C, whatever databases their rows are in."""
    if not Outbox(runs_dir, "").exists():
        fix = "Check --autonomous-runs-dir, or give --database-url of the Postgres with all runs"
        raise AutopackError("RunsMissing", f"no run has been started in {printable(str(runs_dir), 300)} yet", fix)
    _serve(FolderReader(runs_dir), runs_dir, repo, host, port, say, None)


def serve_one(run_id: str, runs_dir: Path, repo: Path, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve the one run whose SQLite file is among its artifacts, until Ctrl-C."""
    path = RunFileLayout(run_id, base_dir=runs_dir).database_path
    if not path.is_file():
        fix = "Check the run id and --autonomous-runs-dir; with Postgres, leave --run-id out"
        raise AutopackError("RunUnknown", f"the run has no database of its own at {path}", fix)
    reader = RegistryReader(sqlite_url(path), None)
    found = reader.runs(RunFilter(run_id=run_id), None, 1)
    if not found:
        raise AutopackError("RunUnknown", f"{path} has no record of the run yet", "Wait until it has started")
    _serve(reader, runs_dir, repo, host, port, say, (found[0].scope, found[0].run_id))


def _serve(
    reader: RegistryReader,
    runs_dir: Path,
    repo: Path,
    host: str,
    port: int,
    say: Callable[[str], None],
    only: tuple[str, str] | None,
) -> None:
    check_loopback(host)
    app = make_app(Parts(Rows(reader), LocalFiles(runs_dir, repo), None, "this machine", only))

    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    web.run_app(
        app,
        host=host,
        port=port,
        # Called once it listens.
        print=lambda *_: say(f"{address}  (Ctrl-C ends it)"),
        access_log=None,
        shutdown_timeout=2,
    )
