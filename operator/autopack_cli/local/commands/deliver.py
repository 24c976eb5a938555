"""`autopack deliver`."""

from __future__ import annotations

from pathlib import Path

import click

from autopack.settings import check_repository
from autopack_cli.shared.output import echo
from autopack_cli.shared.params import place_options, places


@click.command("deliver", short_help="Push what a run did to a branch, and open a pull request.")
@click.argument("run_id")
@click.option("--to", default="origin", show_default=True, help="A remote of the repository, or an address.")
@click.option("--branch", help="The branch to push to. Default: agents/<run>.")
@click.option("--squash", is_flag=True, help="Make one commit of all.")
@click.option("--uncommitted", is_flag=True, help="With what the run left uncommitted, as one more commit.")
@click.option("--pull-request", is_flag=True, help="Open a pull request, or bring the run's own up to date.")
@click.option("--base", default="", help="The branch that it goes to. Default: the server's default branch.")
@click.option("--title", help="Its title, and the squashed commit's. Default: the run's name.")
@click.option("--body", default="", help="Its text.")
@click.option("--draft", is_flag=True, help="Open it as a draft.")
@click.option("--label", "labels", multiple=True, help="A label. May be given several times.")
@click.option("--reviewer", "reviewers", multiple=True, help="Who shall review. May be given several times.")
@place_options
def deliver_command(
    run_id: str,
    to: str,
    branch: str | None,
    base: str,
    title: str | None,
    body: str,
    labels: tuple[str, ...],
    reviewers: tuple[str, ...],
    source_repo: Path | None,
    autonomous_runs_dir: Path | None,
    *,
    squash: bool,
    uncommitted: bool,
    pull_request: bool,
    draft: bool,
) -> None:
    """Push what a run did to a branch of a git server, and open a pull request if you like.

    Git uses your own credentials; a pull request takes the token that gh, glab or tea find in the environment. What
    looks like a credential is not pushed, nor is anything to the server's default branch, and no branch is
    overwritten that has somebody else's commits. All of it may be repeated.
    """
    from autopack.errors import printable
    from autopack.file_layout import RunFileLayout
    from autopack.git.refs import check_branch
    from autopack.git.worktree_entries import common_dir
    from autopack.redaction import redact_url
    from autopack_cli.local.delivery.delivering import Request, deliver

    settings = places(source_repo, autonomous_runs_dir)
    layout = RunFileLayout(run_id, base_dir=settings.runs_dir)
    request = Request(
        branch=check_branch(branch or f"agents/{run_id}", "--branch"),
        to=to,
        base=check_branch(base, "--base") if base else "",
        title=title or f"Work of {run_id}",
        body=body,
        squash=squash,
        uncommitted=uncommitted,
        pull_request=pull_request,
        draft=draft,
        labels=labels,
        reviewers=reviewers,
    )
    done = deliver(layout, common_dir(check_repository(settings.repo_path)), request)
    where = printable(redact_url(done.target), 300)
    echo(f"{printable(run_id)}: branch {request.branch} of {where} is at {done.commit[:12]}")
    if (found := done.pull_request) is not None:
        said = f"; {printable(found.message, 300)}" if found.message else ""
        echo(f"pull request {found.number} ({found.state}): {printable(found.url, 300)}{said}")
