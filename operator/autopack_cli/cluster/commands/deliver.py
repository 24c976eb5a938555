"""`kubectl autopack deliver` and `pr`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, run_in_cluster
from autopack_cli.shared.output import echo

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session
    from autopack_operator.domain.api.common import JsonDict

_names = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.command("deliver", short_help="Push the work of runs as branches, or try that again.")
@_names
@click.option("--target", metavar="URL", help="Repository to push to. Default: the one that the run came from.")
@click.option("--branch", metavar="BRANCH", help="Branch to push. Default: agents/RUN, or agents/BATCH/RUN.")
@click.option("--snapshot", is_flag=True, help="Include what the run left uncommitted.")
@click.option("--squash", is_flag=True, help="Deliver one commit instead of the run's own.")
@click.option("--pull-request", is_flag=True, help="Open a pull request as well.")
@click.option("--title", metavar="TEXT", help="Title of the pull request.")
@click.option("--base", metavar="BRANCH", help="Branch that the pull request is for.")
@click.option("--draft", is_flag=True, help="Open the pull request as a draft.")
@click.option("--even-if-failed", is_flag=True, help="Also what runs left that did not succeed.")
@access_options
def deliver_command(
    names: tuple[str, ...],
    target: str | None,
    branch: str | None,
    title: str | None,
    base: str | None,
    access: Access,
    *,
    snapshot: bool,
    squash: bool,
    pull_request: bool,
    draft: bool,
    even_if_failed: bool,
) -> int:
    """Have the work of runs, or of all runs of a batch, pushed as branches. A delivery that failed is tried again.

    The RunProfile says what is allowed; `kubectl autopack get -o wide` shows how far each is.

    \b
    kubectl autopack deliver refactoring --pull-request
    kubectl autopack deliver refactoring-parser --branch agents/parser --title "Split the parser"
    """
    wanted: JsonDict = {"target": target, "branch": branch, "squash": squash, "include": "Snapshot" if snapshot else ""}
    fields = {name: value for name, value in wanted.items() if value}
    about = {name: value for name, value in {"title": title, "base": base, "draft": draft}.items() if value}

    async def work(session: Session) -> int:
        from autopack_cli.cluster.deliveries import Wish, ask, objection
        from autopack_cli.cluster.session import RUNS
        from autopack_cli.cluster.targets import runs_of

        wish = Wish(fields, about if about or pull_request else None, even_if_failed)
        runs = await runs_of(session, names)
        if branch is not None and len(runs) != 1:
            raise click.UsageError("--branch is for one run")
        code = 0
        for run in runs:
            name = str(run["metadata"]["name"])
            if (why := objection(run, wish)) is not None:
                click.echo(f"run/{name} {why}", err=True)
                code = 1
            else:
                await session.change(RUNS, name, lambda body: ask(body, wish))
                echo(f"run/{name} will be delivered")
        return code

    return run_in_cluster(access, work)


@click.command("pr", short_help="Show the pull requests of runs.")
@_names
@click.option("--web", is_flag=True, help="Open them in a browser.")
@access_options
def pr_command(names: tuple[str, ...], access: Access, *, web: bool) -> int:
    """Print the address of the pull request of each run; where there is none, how far its delivery is."""

    async def work(session: Session) -> int:
        from autopack_cli.cluster.deliveries import delivery_of
        from autopack_cli.cluster.targets import runs_of

        code = 0
        for run in await runs_of(session, names):
            delivery = delivery_of(run)
            if delivery.url:
                echo(delivery.url)
                if web and delivery.url.startswith("https://"):
                    click.launch(delivery.url)
            else:
                said = f"has no pull request ({delivery.line})" if delivery.state else "is not delivered"
                click.echo(f"run/{run['metadata']['name']} {said}", err=True)
                code = 1
        return code

    return run_in_cluster(access, work)
