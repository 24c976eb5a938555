"""What an attempt has of the machine for itself: ports, a home where that is asked for, and the guard's mark."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import NamedTuple

from autopack.file_layout import RunFileLayout

from .guard import Guard
from .home import private_home
from .ports import reserved
from .recipe import Recipe


class Surroundings(NamedTuple):
    """The environment that tells of them, and the descriptor that keeps the ports for whoever inherits it."""

    environment: dict[str, str]
    descriptor: int


@contextlib.contextmanager
def surroundings(layout: RunFileLayout, recipe: Recipe, guard: Guard) -> Iterator[Surroundings]:
    """Provide them for one attempt. Raises AutopackError NoFreePorts, or OSError."""
    with contextlib.ExitStack() as stack:
        ports = stack.enter_context(reserved())
        environment = guard.environment | ports.environment
        if recipe.home_files is not None:
            home = private_home(layout.kept_dir / "home", os.environ, recipe.home_files)
            environment |= stack.enter_context(home)
        yield Surroundings(environment, ports.descriptor)
