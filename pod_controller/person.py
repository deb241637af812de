"""The person at the terminal: who it is, and answers that were typed after the question was there.

Neighbours: the verbs that ask (`bus`, `calibrate`, `stroke`). Must not know what is asked.
"""

import getpass
import os
import sys
import termios

import click


def login_name() -> str:
    """Who is logged in; the number of an account that has no name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def forget_what_was_typed() -> None:
    """Keys pressed while something else was going on answer no question; a pipe keeps what it holds."""
    if sys.stdin.isatty():
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def says_yes(question: str, default: bool = False) -> bool:
    """A yes or a no, typed now."""
    forget_what_was_typed()
    return click.confirm(question, default=default, err=True)
