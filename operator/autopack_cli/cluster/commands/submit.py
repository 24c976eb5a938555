"""`kubectl autopack submit`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autopack.errors import InvalidInput
from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, output_option, run_in_cluster
from autopack_cli.shared.output import echo
from autopack_cli.shared.params import Duration

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session
    from autopack_operator.domain.api.common import JsonDict

_STDIN = Path("-")
_ONE_RUN = "task"
"""Id of the run where a prompt is all that there is."""


@click.command("submit", short_help="Create a batch from run ids, a matrix or a file of tasks.")
@click.argument("command", nargs=-1, metavar="-- COMMAND [ARG]...")
@click.option("--run-ids", metavar="a,b,c", help="One run for each id.")
@click.option("--matrix", multiple=True, metavar="NAME=a,b", help="One run for each combination; may be repeated.")
@click.option(
    "--tasks",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="One run for each task of a file: YAML, JSON, JSON lines or text. -: JSON lines on standard input.",
)
@click.option("--agent", metavar="NAME", help="One of the profile's agents, instead of a command.")
@click.option("--model", metavar="NAME", help="Model of the agent. Default: the agent's.")
@click.option("--prompt", metavar="TEXT", help="What the runs are asked. {NAME} is a run's variable of that name.")
@click.option(
    "--prompt-file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="The same, from a file, or - for standard input.",
)
@click.option("--name", metavar="NAME", help="The batch's name. Default: batch- and the time.")
@click.option("--repository", metavar="NAME", help="A repository that was imported onto the volume.")
@click.option("--url", metavar="URL", help="A remote repository, https:// or ssh://.")
@click.option("--ref", metavar="REF", help="Branch, tag or commit to start from. Default: HEAD.")
@click.option("--allow-incomplete", is_flag=True, help="Accept empty submodules and Git LFS pointers.")
@click.option("--anchor", metavar="FILE|configmap/NAME[/KEY]", help="The IntentionAnchorV2 that allows parallel runs.")
@click.option("--allow-parallel", type=click.IntRange(min=1), metavar="N", help="Make an anchor that allows N runs.")
@click.option("--workers", type=int, help="Runs at once. Default: 3.")
@click.option("--image", help="Image of the runs. Default: the profile's.")
@click.option("--profile", metavar="NAME", help="RunProfile. Default: default.")
@click.option("--timeout", type=Duration(), help="For each attempt: 90, 30m, 2h. Default: 1h.")
@click.option("--retries", type=int, help="Attempts after the command failed. Default: 0.")
@click.option("--env", multiple=True, metavar="NAME=value", help="For all runs; may be repeated. No secrets.")
@click.option("--priority", type=int, help="Higher goes first where runs have to wait. Default: 0.")
@click.option("--dry-run", is_flag=True, help="Print the YAML; create nothing.")
@click.option("--watch", is_flag=True, help="Follow the batch until it ends, as `watch` does.")
@output_option("name", "json", "yaml")
@access_options
def submit_command(
    *,
    command: tuple[str, ...],
    run_ids: str | None,
    matrix: tuple[str, ...],
    tasks: Path | None,
    agent: str | None,
    model: str | None,
    prompt: str | None,
    prompt_file: Path | None,
    name: str | None,
    repository: str | None,
    url: str | None,
    ref: str | None,
    allow_incomplete: bool,
    anchor: str | None,
    allow_parallel: int | None,
    workers: int | None,
    image: str | None,
    profile: str | None,
    timeout: float | None,
    retries: int | None,
    env: tuple[str, ...],
    priority: int | None,
    dry_run: bool,
    watch: bool,
    output: str | None,
    access: Access,
) -> int:
    """Make a batch of runs, each in its own worktree of the repository.

    \b
    kubectl autopack submit --agent claude-code --prompt-file task.md --url https://… --anchor anchor.json
    kubectl autopack submit --agent opencode --tasks issues.jsonl --repository my-repo
    kubectl autopack submit --run-ids parser,lexer --repository my-repo -- my-agent
    kubectl autopack submit --matrix MODEL=small,large --matrix SEED=1,2 --repository my-repo -- my-agent
    kubectl autopack submit --tasks tasks.txt --repository my-repo --dry-run -- my-agent > batch.yaml

    A line of JSON lines is {"id": "a", "prompt": "…"}, with agent, model, ref and more of spec.runs if needed. Each
    line of a text file is a task: a run's prompt with --agent and no other prompt, else its variable AUTOPACK_TASK. The
    command is not given to a shell.
    """
    from autopack_cli.cluster import submission

    text = _prompt(prompt, prompt_file, tasks)
    if text is not None and not (matrix or tasks):
        run_ids = run_ids or _ONE_RUN
    if sum(map(bool, (run_ids, matrix, tasks))) != 1:
        raise click.UsageError("give exactly one of --run-ids, --matrix and --tasks, or a prompt alone for one run")
    fields: JsonDict = {
        "image": image,
        "profileRef": None if profile is None else {"name": profile},
        "timeoutSeconds": None if timeout is None else int(timeout),
        "retry": None if retries is None else {"agent": retries},
    }
    source = {"url": url, "repository": repository, "ref": ref, "incomplete": "Allow" if allow_incomplete else None}
    started = submission.start(command, agent, model, text)
    spec: JsonDict = {"template": submission.template(source, started, fields, env)}
    spec |= {key: value for key, value in (("workers", workers), ("priority", priority)) if value is not None}
    spec |= _runs(run_ids, matrix, tasks, as_prompts=agent is not None and text is None)
    chosen = name or f"batch-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    approval = _approval(anchor, allow_parallel)
    if dry_run:
        from autopack_cli.cluster.output import show_data

        manifest = submission.batch_manifest(chosen, access.namespace or "default", spec, approval)
        if access.namespace is None:
            del manifest["metadata"]["namespace"]
        show_data(manifest, "json" if output == "json" else "yaml")
        return 0
    return run_in_cluster(access, lambda session: _create(session, chosen, spec, approval, output, watch=watch))


def _approval(anchor: str | None, allow_parallel: int | None) -> str | None:
    from autopack_cli.cluster import submission

    if allow_parallel is None:
        return None if anchor is None else submission.check_anchor(_anchor_text(anchor))
    if anchor is not None:
        raise click.UsageError("give one of --anchor and --allow-parallel")
    return submission.check_anchor(submission.anchor_allowing(allow_parallel, datetime.now(UTC)))


def _prompt(prompt: str | None, file: Path | None, tasks: Path | None) -> str | None:
    from autopack_cli.cluster import submission

    if file is None:
        return prompt
    if prompt is not None:
        raise click.UsageError("give one of --prompt and --prompt-file")
    if file == tasks == _STDIN:
        raise click.UsageError("--prompt-file and --tasks cannot both be standard input")
    return submission.read_text(_bytes_of(file), "prompt-file")


def _bytes_of(file: Path) -> bytes:
    return sys.stdin.buffer.read() if file == _STDIN else file.read_bytes()


def _runs(run_ids: str | None, matrix: tuple[str, ...], file: Path | None, *, as_prompts: bool) -> JsonDict:
    from autopack_cli.cluster import submission, tasks

    if run_ids is not None:
        return {"runs": submission.runs_from_ids(run_ids)}
    if file is not None:
        suffix = tasks.JSON_LINES if file == _STDIN else file.suffix
        text = submission.read_text(_bytes_of(file), "tasks")
        return {"runs": tasks.runs_from_tasks(text, suffix, as_prompts=as_prompts)}
    return {"matrix": [submission.axis(one) for one in matrix]}


def _anchor_text(anchor: str) -> str:
    from autopack_cli.cluster import submission
    from autopack_operator.domain import anchor_gate

    if anchor_gate.reference(anchor) is not None:
        return anchor
    return submission.read_text(Path(anchor).read_bytes(), "anchor")


async def _create(
    session: Session, name: str, spec: JsonDict, anchor: str | None, output: str | None, *, watch: bool
) -> int:
    from autopack_cli.cluster import submission
    from autopack_cli.cluster.output import show_data
    from autopack_cli.cluster.session import BATCHES

    manifest = submission.batch_manifest(name, session.namespace, spec, anchor)
    if anchor is None:
        fix = "Name the project's with --anchor, or allow N runs at once with --allow-parallel N"
        raise InvalidInput("anchor", "is missing, and without one no run would start", fix)
    made = await session.create(BATCHES, manifest)
    if output in {"json", "yaml"}:
        show_data(made, output)
    else:
        echo(f"batch/{made['metadata']['name']}" if output == "name" else f"batch/{made['metadata']['name']} created")
    if not watch:
        return 0
    from autopack_cli.cluster.following import follow
    from autopack_cli.cluster.targets import Found

    return await follow(session, Found(BATCHES, made))
