"""From whatever goes wrong to one line on stderr and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Sequence

import click

from autopack.errors import AutopackError, printable
from autopack.redaction import redact_url
from autopack_cli.shared.output import OutputClosed

OK = 0
RUNS_FAILED = 1
BAD_INPUT = 2
DEFECT = 70

DEBUG_VARIABLE = "AUTOPACK_DEBUG"
_CLOSED = "standard output was closed before everything was written"


class Problem(click.ClickException):
    """What a user is told on one line, with an exit code of its own."""

    def __init__(self, message: str, code: int = BAD_INPUT) -> None:
        super().__init__(message)
        self.code = code


def guarded(command: click.Command, argv: Sequence[str], program: str = "autopack") -> int:
    """Run a command and return its exit code; errors are explained in one line, without secrets.

    `program` is how the user calls it.
    """
    try:
        code = _run(command, argv, program)
        sys.stdout.flush()
    except (BrokenPipeError, OutputClosed):
        _abandon_stdout()
        code = _explain(_CLOSED)
    return code


def _run(command: click.Command, argv: Sequence[str], program: str) -> int:
    try:
        result = command.main(args=list(argv), prog_name=program, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return BAD_INPUT
    except click.ClickException as error:
        return _explain(error.format_message(), error.code if isinstance(error, Problem) else BAD_INPUT)
    except AutopackError as error:
        return _explain(str(error))
    except (click.Abort, KeyboardInterrupt):
        return _explain("interrupted", RUNS_FAILED)
    except SystemExit as error:
        if error.code in {None, OK}:
            # Click has completed a command line for a shell.
            return OK
        # Click's own answer to a closed pipe.
        raise OutputClosed from None
    except OutputClosed:
        raise
    except OSError as error:
        return _explain(f"{error.filename or 'input/output'}: {error.strerror or error}")
    except Exception as error:  # noqa: BLE001 - a traceback tells a user nothing
        if os.environ.get(DEBUG_VARIABLE):
            traceback.print_exc()
        detail = f"{type(error).__name__}: {error}"
        return _explain(f"a defect of Autopack ({detail}). Set {DEBUG_VARIABLE}=1 to see where", DEFECT)
    return result if isinstance(result, int) else OK


def _explain(message: str, code: int = BAD_INPUT) -> int:
    line = printable(redact_url(" ".join(message.split())), 2000)
    with contextlib.suppress(OSError, ValueError):
        print(f"autopack: {line}", file=sys.stderr, flush=True)
    return code


def _abandon_stdout() -> None:
    """Send what is still buffered nowhere: the interpreter would complain about it at its end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
