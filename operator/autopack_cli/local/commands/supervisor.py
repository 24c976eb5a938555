"""`autopack autopilot supervise`: the seed's flags, and what users of batches expect."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from autopack_cli.local.supervise import Request, supervise
from autopack_cli.local.worktrees import show_cleanup, show_worktrees
from autopack_cli.shared.failures import OK
from autopack_cli.shared.params import Duration, Size, place_options, places

_ENV = "AUTOPACK_SUPERVISE_"


@click.command("supervise")
@click.option("--run-ids", help="Comma-separated: run1,run2,run3; or @FILE with one id per line.")
@click.option("--anchor-path", type=click.Path(path_type=Path), help="The IntentionAnchorV2 that allows parallel runs.")
@click.option("--workers", type=int, default=3, show_default=True, help="Runs at once.", envvar=_ENV + "WORKERS")
@click.option("--database-url", help="Postgres for all runs. Default: $DATABASE_URL, which `ps` does not show.")
@click.option("--per-run-sqlite", is_flag=True, help="A SQLite file for each run instead; for 2-4 workers at most.")
@place_options
@click.option("--list-worktrees", is_flag=True, help="List the repository's worktrees and exit.")
@click.option("--cleanup", is_flag=True, help="Save and remove the worktrees that nobody uses, and exit.")
@click.option("--command", help="What each run executes; {run_id}, {workspace} and {artifacts} are filled in.")
@click.option("--extra-arg", "extra_args", multiple=True, help="Appended to the command; may be repeated.")
@click.option("--ref", default="HEAD", show_default=True, help="Where all runs begin: a branch, tag or commit.")
@click.option("--filter", "pattern", help="Only runs whose id matches this regular expression.")
@click.option("--slice", "slice_text", help="Of those only a Python slice: 0:10, -5:, ::2.")
@click.option("--timeout", type=Duration(), help="For each attempt: 90, 30m, 2h.", envvar=_ENV + "TIMEOUT")
@click.option("--max-retries", type=int, default=0, help="Attempts after a failure.", envvar=_ENV + "MAX_RETRIES")
@click.option("--start-jitter", type=Duration(), default=0.0, help="Longest random pause before each start.")
@click.option("--redo-existing", is_flag=True, help="Execute runs again that have succeeded before.")
@click.option(
    "--keep-worktrees",
    type=click.Choice(["none", "failed", "all"]),
    default="none",
    show_default=True,
    help="Which are kept at the end. What is removed is saved to refs/autopack/<run> first.",
)
@click.option("--setup", multiple=True, help="A command for each fresh worktree; may be repeated.")
@click.option("--allow-incomplete", is_flag=True, help="Accept empty submodules and Git LFS pointers.")
@click.option("--private-home", is_flag=True, help="A home folder for each attempt, so that agents share no state.")
@click.option("--home-file", "home_files", multiple=True, help="What of your home it begins with; may be repeated.")
@click.option("--worker-memory", type=Size(), help="For each process of a run: 512M, 2G.")
@click.option("--worker-cpus", type=int, help="Cores for each run.")
@click.option(
    "--agent-output",
    type=click.Choice(["text", "claude-stream-json", "codex-json", "opencode-json", "mini-trajectory"]),
    default="text",
    show_default=True,
    help="What the command prints. From all but text, a transcript, tokens and cost are read.",
)
@click.option("--results-file", type=click.Path(path_type=Path), help="JSON lines, one per run. Default: in .batches/.")
@click.option("-v", "--verbose", is_flag=True, help="Print more to stderr.")
def supervise_command(
    *,
    source_repo: Path | None,
    autonomous_runs_dir: Path | None,
    list_worktrees: bool,
    cleanup: bool,
    **request: Unpack[Request],
) -> int:
    """Execute runs in parallel, each in its own git worktree, if the project's intention anchor allows it.

    \b
    autopack autopilot supervise --run-ids a,b,c --anchor-path anchor.json \\
      --workers 3 --per-run-sqlite --command 'my-agent --task {run_id}'

    The first Ctrl-C starts no further runs and waits for those under way, the second stops them. The same command again
    goes on where the batch was interrupted. AUTOPACK_SUPERVISE_WORKERS, _TIMEOUT and _MAX_RETRIES set defaults.
    Exit codes: 0 all succeeded, 1 some did not, 2 bad input.
    """
    settings = places(source_repo, autonomous_runs_dir)
    if list_worktrees:
        show_worktrees(settings)
        return OK
    if cleanup:
        return show_cleanup(settings)
    return supervise(request, settings)
