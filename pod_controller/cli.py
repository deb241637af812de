"""podctl: finds the verb a person asked for, runs it, and turns every ending into an exit code and one clear line.

Neighbours: verbs live in other modules and are found through the entry points `podctl.verbs`; one is imported only
when it is used. A verb may return its exit code; none means fine. It must not know any verb, the simulator or numba.
"""

import errno
import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version

import click

from hal.errors import PodError
from pod_controller import CONFIG_SCHEMA_VERSION
from pod_controller.cli_endings import Ending, ending_of_bug

DISTRIBUTION = "biorecycling-pod"
VERB_GROUP = "podctl.verbs"
OWN_PACKAGES = ("hal", "pod_controller", "sim_hardware")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)  # of whoever reads us, as in podctl status > FILE
EXIT_FINE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CONFIGURATION = 78
EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run podctl and return its exit code; no exception and no traceback passes, except with --debug."""
    options = {"debug": False}
    try:
        result = podctl.main(args=arguments, prog_name="podctl", standalone_mode=False, obj=options)
        sys.stdout.flush()
        return result if type(result) is int else EXIT_FINE
    except BrokenPipeError:
        return _reader_left()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:
        ending = _ending(error, debug=options["debug"])
        click.echo(ending.text, err=True)
        return ending.exit_code


def _ending(error: Exception, *, debug: bool) -> Ending:
    """What to say about an exception, and the exit code of CONTRACTS that goes with it."""
    if isinstance(error, click.Abort):
        return _ending_of_abort(error)
    if isinstance(error, PodError):
        is_configuration = 100 <= error.code < 200
        return Ending(EXIT_CONFIGURATION if is_configuration else EXIT_FAILED, " ".join(str(error).split()))
    if isinstance(error, click.UsageError):
        return Ending(EXIT_USAGE, _usage_text(error))
    if isinstance(error, click.ClickException):
        return Ending(error.exit_code, f"podctl: {error.format_message()}")
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return Ending(EXIT_FAILED, f"podctl: what was asked for could not be written: {error.strerror}: make room")
    if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] not in OWN_PACKAGES:
        return Ending(EXIT_FAILED, f"E901 this needs {error.name}, which is not installed: run deploy/install")
    return ending_of_bug(error, debug=debug)


def _ending_of_abort(error: click.Abort) -> Ending:
    """At a question: Ctrl-C, the end of input, or a no; click raises the same of all three, and hides which."""
    before, begin = error.__cause__ or error.__context__, "\n" if sys.stderr.isatty() else ""
    if isinstance(before, KeyboardInterrupt):
        return Ending(EXIT_INTERRUPTED, f"{begin}interrupted")
    return Ending(EXIT_FAILED, f"{begin}input ended" if isinstance(before, EOFError) else "not done: the answer was no")


def _usage_text(error: click.UsageError) -> str:
    """The complaint, after a pointer to the help of the verb it is about."""
    if error.ctx is None or isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message()
    return f"{error.format_message()}\nTry '{error.ctx.command_path} --help'."


def _reader_left() -> int:
    """The other end of the pipe closed: end quietly, and keep the interpreter from complaining at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_FAILED


def versions() -> str:
    """One line naming every version that decides what a pod does; read from metadata, nothing is imported."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    own, numba = _installed_version(DISTRIBUTION), _installed_version("numba")
    return f"podctl {own}, python {python}, numba {numba}, configuration schema {CONFIG_SCHEMA_VERSION}"


def _installed_version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


class VerbGroup(click.Group):
    """A command group whose commands are entry points, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all installed verbs, sorted."""
        return sorted(_verbs())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, imported now; None for an unknown name."""
        verb = _verbs().get(cmd_name)
        if verb is None:
            return None
        command = verb.load()
        if not isinstance(command, click.Command):
            raise PodError(903, f"verb {cmd_name} ({verb.value}) is not a click command: correct its entry point")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, but an unknown verb is compared with the verbs that exist."""
        known = self.list_commands(ctx)
        if not known and not ctx.resilient_parsing:
            raise PodError(902, "podctl finds no verbs: the package is not installed here; run deploy/install")
        if args[0] not in known and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.exceptions.NoSuchCommand(
                args[0], f"podctl has no verb '{args[0]}'; its verbs are {', '.join(known)}.", known, ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of verbs for --help, each with the first line of its docstring, read without importing it."""
        from pod_controller.cli_endings import summary

        rows = [(name, summary(verb)) for name, verb in sorted(_verbs().items())]
        if rows:
            with formatter.section("Verbs"):
                formatter.write_dl(rows)


def _verbs() -> dict[str, EntryPoint]:
    return {verb.name: verb for verb in entry_points(group=VERB_GROUP)}


def _print_versions(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(versions())
        ctx.exit()


def _set_debug(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """Known before any verb is imported, so that a verb that cannot be imported can be examined too."""
    if isinstance(ctx.obj, dict):
        ctx.obj["debug"] = wanted


@click.command(cls=VerbGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_versions, help="Print versions."
)
@click.option(
    "--debug", is_flag=True, expose_value=False, callback=_set_debug, help="Print the traceback of an unexpected error."
)
def podctl() -> None:
    """Run, ask and test a biorecycling pod.

    \b
    Exit codes: 0 fine, 1 failed, 2 usage, 3 something spilled or is unhealthy,
    4 refused by interlock or role, 69 service not reachable, 75 try again,
    78 bad configuration, 130 interrupted.
    """  # noqa: D301 (click's own mark for keeping line breaks)
