"""Ctrl-C, Ctrl-D and a no in the bus tools, on a terminal: an exit code, nothing written, the terminal as it was."""

import json
import signal
import termios
from collections.abc import Iterator
from typing import Any

import pexpect
import pytest
from served_pod import Served
from wire_pod import PODCTL, read_image

pytestmark = pytest.mark.wire
CTRL_C, CTRL_D = "\x03", "\x04"
QUICK = ("--listen", "0.05", "--timeout", "0.04")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served") / "pod") as made:
        yield made


def _hear_interrupts() -> None:
    """As on a terminal: whoever starts the tests in the background has their children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Terminal:
    """A bus tool on a terminal of its own."""

    def __init__(self, served: Served, *words: str) -> None:
        config = ("--config", str(served.folder / "pod.toml"))
        self.child: Any = pexpect.spawn(
            PODCTL[0],
            [*PODCTL[1:], "bus", words[0], *config, *QUICK, *words[1:]],
            timeout=30,
            dimensions=(40, 200),
            preexec_fn=_hear_interrupts,
        )
        self._modes = termios.tcgetattr(self.child.child_fd)

    def end_with(self, key: str) -> tuple[int, str]:
        """Press it and wait for the end: exit code, and what was said from then on."""
        self.child.send(key)
        self.child.expect(pexpect.EOF)
        said = self.child.before.decode()
        assert termios.tcgetattr(self.child.child_fd) == self._modes
        self.child.close()
        return self.child.exitstatus, said


@pytest.mark.parametrize(
    ("key", "exit_code", "text"), [(CTRL_C, 130, "interrupted"), (CTRL_D, 1, "input ended"), ("n\n", 1, "not done")]
)
def test_at_the_question_of_a_write_anything_but_a_yes_writes_nothing(
    served: Served, key: str, exit_code: int, text: str
) -> None:
    terminal = Terminal(served, "write", "FV-101", "1")
    terminal.child.expect(r"nothing guards it now. Go on\? \[y/N\]:")

    code, said = terminal.end_with(key)

    assert (code, said.splitlines()[-1][: len(text)]) == (exit_code, text)
    assert read_image(served.lines("modbus_rtu")[0]) == 0


def test_a_yes_that_was_typed_before_the_question_is_none(served: Served) -> None:
    terminal = Terminal(served, "write", "FV-101", "1")
    terminal.child.send("y\n")  # at a program that is still loading
    terminal.child.expect(r"Go on\? \[y/N\]:")
    waits = terminal.child.expect([pexpect.TIMEOUT, pexpect.EOF], timeout=1.0)

    code, _ = terminal.end_with(CTRL_C)

    assert (waits, code) == (0, 130)
    assert read_image(served.lines("modbus_rtu")[0]) == 0


def test_a_scan_that_is_interrupted_tells_what_it_found_and_leaves_the_line_free(served: Served) -> None:
    terminal = Terminal(served, "scan", "--line", "A", "--units", "1-247", "--timeout", "0.5")  # for a busy machine
    terminal.child.expect(r"unit [ ]*[3-9]\b|\b[3-9]/247|[3-9] of 247")

    code, said = terminal.end_with(CTRL_C)

    assert (code, "Traceback" in said) == (130, False)
    assert "XM-A" in said and "WM-A" in said
    assert read_image(served.lines("modbus_rtu")[0]) == 0


def test_an_interrupted_scan_in_json_is_one_object(served: Served) -> None:
    terminal = Terminal(served, "scan", "--line", "A", "--units", "1-247", "--json")
    terminal.child.expect(r"\d")

    code, said = terminal.end_with(CTRL_C)

    assert code == 130
    assert json.loads(said[said.index("{") :])["interrupted"] is True
