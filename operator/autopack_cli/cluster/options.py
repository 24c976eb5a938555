"""Options that all cluster commands have, and how a command runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from autopack_cli.cluster.access import Access

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session

F = TypeVar("F", bound=Callable[..., Any])


def access_options(function: F) -> F:
    """Add `--kubeconfig`, `--context` and `--namespace`; the command gets them as `access`."""

    @wraps(function)
    def command(
        *args: object, kubeconfig: str | None, context: str | None, namespace: str | None, **kwargs: object
    ) -> object:
        return function(*args, access=Access(kubeconfig, context, namespace), **kwargs)

    for option in (
        click.option("--kubeconfig", metavar="FILE", help="Default: $KUBECONFIG, else ~/.kube/config."),
        click.option("--context", metavar="NAME", help="The kubeconfig's context. Default: its current one."),
        click.option("-n", "--namespace", metavar="NAME", help="Default: the context's."),
    ):
        command = option(command)
    return command  # type: ignore[return-value]


def output_option(*formats: str) -> Callable[[F], F]:
    """Add `-o`; the command gets it as `output`, None when it is not given."""
    return click.option("-o", "--output", type=click.Choice(formats), help="Instead of a table for people.")


attempt_option = click.option("--attempt", type=click.IntRange(min=1), help="Default: the latest.")


def run_in_cluster(access: Access, work: Callable[[Session], Awaitable[int | None]]) -> int:
    """Do work in a session; return its exit code (None: 0). What goes wrong becomes a ClusterProblem."""
    from autopack_cli.cluster.session import open_session

    async def whole() -> int:
        async with open_session(access) as session:
            return await work(session) or 0

    return asyncio.run(whole())
