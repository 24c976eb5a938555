"""Command line of the development cluster: `python3 -m devcluster up|down|status|image|agents-image|test-images|gitea`.

Exit codes: 0 done; 1 failed, with one line that says what to do; 2 not a command. Results go to stdout, progress to
stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from devcluster import binaries, clusters
from devcluster.failure import Failure, UsageError
from devcluster.layout import default_layout
from devcluster.locking import exclusive
from devcluster.progress import Progress


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except UsageError as error:
        print(f"devcluster: {error}", file=sys.stderr)
        return 2
    except Failure as error:
        print(f"devcluster: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("devcluster: interrupted; run the same command again to go on", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m devcluster",
        description="A real local Kubernetes for development, the demo and the tests.",
        epilog="CLUSTER=embedded|kind|current forces the kind of cluster; current uses KUBECONFIG.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="start, repair or find a cluster; prints the kubeconfig's path")
    up.set_defaults(run=_up)

    down = commands.add_parser("down", help="stop the cluster that `up` started and leave nothing of it")
    down.set_defaults(run=_down)

    status = commands.add_parser("status", help="say what runs; exit code 1 when the cluster cannot be used")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(run=_status)

    image = commands.add_parser("image", help="build the project's image into the cluster; prints its tag")
    image.add_argument("--tag", default="autopack:dev", help="its name in the cluster (default: %(default)s)")
    image.set_defaults(run=_image)

    agents = commands.add_parser("agents-image", help="build an image of agents into the cluster; prints its tag")
    agents.add_argument("--tag", default="localhost/autopack-agents:dev", help="its name (default: %(default)s)")
    agents.add_argument("agents", nargs="+", metavar="AGENT", help="the folders of images/agents to put into it")
    agents.set_defaults(run=_agents_image)

    tests = commands.add_parser("test-images", help="put the images that tests use into the cluster; prints their tags")
    tests.set_defaults(run=_test_images)

    gitea = commands.add_parser("gitea", help="build a Gitea, the git host of the tests; prints its folder")
    gitea.set_defaults(run=_gitea)
    return parser


def _up(_: argparse.Namespace) -> int:
    layout, progress = default_layout(), Progress()
    with exclusive(layout.lock, progress):
        kubeconfig = clusters.up(layout, progress)
    print(kubeconfig)
    return 0


def _down(_: argparse.Namespace) -> int:
    layout, progress = default_layout(), Progress()
    with exclusive(layout.lock, progress):
        clusters.down(layout, progress)
    return 0


def _status(options: argparse.Namespace) -> int:
    report = clusters.status(default_layout())
    print(json.dumps(report.document) if options.json else "\n".join(report.lines))
    return 0 if report.healthy else 1


def _image(options: argparse.Namespace) -> int:
    layout, progress = default_layout(), Progress()
    with exclusive(layout.image_lock, progress):
        clusters.project_image(layout, options.tag, progress)
    print(options.tag)
    return 0


def _agents_image(options: argparse.Namespace) -> int:
    layout, progress = default_layout(), Progress()
    with exclusive(layout.image_lock, progress):
        clusters.agents_image(layout, options.tag, options.agents, progress)
    print(options.tag)
    return 0


def _test_images(_: argparse.Namespace) -> int:
    layout, progress = default_layout(), Progress()
    with exclusive(layout.image_lock, progress):
        tags = clusters.test_images(layout, progress)
    print("\n".join(tags))
    return 0


def _gitea(_: argparse.Namespace) -> int:
    print(binaries.ensure_gitea(default_layout(), Progress()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
