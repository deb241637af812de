"""A person at a terminal: what was typed before a question is no answer to it."""

import os
import select

import pytest

from pod_controller import person


def test_what_was_typed_before_a_question_is_forgotten_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard, terminal = os.openpty()
    with os.fdopen(terminal, encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        os.write(keyboard, b"y\n")
        assert select.select([stdin], [], [], 1.0)[0]

        person.forget_what_was_typed()

        assert not select.select([stdin], [], [], 0.0)[0]
    os.close(keyboard)


def test_a_pipe_keeps_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    reads, writes = os.pipe()
    with os.fdopen(reads, encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        os.write(writes, b"y\n")

        person.forget_what_was_typed()

        assert stdin.readline() == "y\n"
    os.close(writes)
