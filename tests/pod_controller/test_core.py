"""The core between ticks, on virtual time: requests, a new configuration, leaving, and what it tells."""

import socket
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from virtual_core import REFERENCE, VirtualCore

from hal.errors import PodError
from hal.port_watch import WatchedPort
from pod_controller.core import SETTLE_S, WAITING_MOST, Request
from pod_controller.modes import State
from pod_controller.punctuality import Punctuality
from pod_controller.reload import read_again
from pod_controller.status import _dead_texts

MS = 1_000_000
ARMED_S = 10.0


@pytest.fixture
def virtual() -> VirtualCore:
    return VirtualCore()


def ask(virtual: VirtualCore, what: str, reason: str = "a test") -> "Future[str]":
    answer = virtual.core.ask(Request(what, reason, "anna (uid 7)"))
    virtual.run(0.5)
    return answer


def test_a_device_that_is_silent_and_one_whose_answers_are_spoilt_are_told_apart() -> None:
    faults = {"WM-A": {"bad_crc": 5, "timeout": 1}, "TM-1": {"timeout": 7}, "AM-1": {}}
    line = {"line": "A", "devices": [{"device": name, "faults": counts} for name, counts in faults.items()]}

    texts = _dead_texts(line, ["WM-A", "TM-1"])

    assert [text[:35] for text in texts] == [
        "line A: no answer from TM-1: check ",
        "line A: answers of WM-A cannot be b",
    ]


def test_an_armed_pod_waits_for_a_person_and_starts_at_the_next_tick(virtual: VirtualCore) -> None:
    virtual.run(ARMED_S)
    assert virtual.state is State.IDLE

    answer = ask(virtual, "start", "the festival begins")

    assert answer.result(0) == "EXECUTE"
    assert ("IDLE", "EXECUTE") in virtual.paper.states
    (entry,) = [x for x in virtual.paper.drafts if x.kind == "request"]
    assert (entry.thing, entry.value, entry.why, entry.who) == (
        "start", "EXECUTE", "the festival begins", "anna (uid 7)",
    )  # fmt: skip


def test_a_start_too_early_is_refused_with_what_is_missing(virtual: VirtualCore) -> None:
    virtual.run(0.1)

    answer = ask(virtual, "start")

    with pytest.raises(PodError, match="E432 start is refused while the pod is STOPPED: it waits for"):
        answer.result(0)
    assert any(entry.value == "refused" for entry in virtual.paper.drafts)


def test_hold_and_start_again(virtual: VirtualCore) -> None:
    virtual.run(ARMED_S)
    ask(virtual, "start")

    assert ask(virtual, "hold").result(0) == "HELD"
    virtual.run(3.0)
    assert not any(virtual.pod.field_side.held(tag) for tag in ("XY-111", "XY-112", "TY-303"))
    assert ask(virtual, "start").result(0) == "EXECUTE"


def test_a_stop_is_never_refused_and_arms_from_nothing(virtual: VirtualCore) -> None:
    assert ask(virtual, "stop").result(0) == "STOPPED"
    virtual.run(ARMED_S)
    ask(virtual, "start")

    assert ask(virtual, "stop").result(0) == "STOPPED"
    virtual.run(60.0)
    assert virtual.state is State.IDLE


def test_requests_that_nobody_could_consider_are_refused(virtual: VirtualCore) -> None:
    for _ in range(WAITING_MOST):
        virtual.core.ask(Request("hold", "", ""))

    with pytest.raises(PodError, match="E433 16 requests wait already"):
        virtual.core.ask(Request("hold", "", ""))


def test_leaving_reads_every_output_back_at_its_fail_state(virtual: VirtualCore) -> None:
    virtual.run(ARMED_S)
    ask(virtual, "start")
    virtual.run(5.0)
    assert virtual.pod.field_side.held("XY-111")

    virtual.core.leave(virtual.now_ns, "SIGTERM")
    virtual.run(SETTLE_S)

    assert virtual.core.finished and virtual.core.verified
    assert virtual.pod.app.field.outputs_at_fail()
    with pytest.raises(PodError, match="E433 the core is leaving"):
        virtual.core.ask(Request("start", "", ""))


def test_leaving_with_a_dead_line_ends_in_time_and_says_so(virtual: VirtualCore) -> None:
    virtual.run(ARMED_S)
    ask(virtual, "start")
    virtual.pod.field_side.inject("line_dead", "B")
    virtual.run(5.0)

    virtual.core.leave(virtual.now_ns, "SIGTERM")
    virtual.run(SETTLE_S + 1.0)

    assert virtual.core.finished and not virtual.core.verified
    assert any("NOT verified" in line for line in virtual.paper.lines)
    assert not virtual.pod.field_side.held("XY-112")  # its own watchdog has let go


def edited(folder: Path, old: str, new: str) -> Path:
    text = REFERENCE.read_text()
    assert old in text
    path = folder / "pod.toml"
    path.write_text(text.replace(old, new, 1))
    return path


def test_new_weights_apply_at_the_next_tick(virtual: VirtualCore, tmp_path: Path) -> None:
    virtual.run(1.0)
    path = edited(tmp_path, "weight_ratio = 1.0", "weight_ratio = 3.0")

    virtual.core.adopt(read_again(path, virtual.core.loop.topology.config))
    before = float(virtual.core.loop.topology.table["chutes"]["weight_ratio"][0, 0])
    virtual.run(0.5)

    after = float(virtual.core.loop.topology.table["chutes"]["weight_ratio"][0, 0])
    assert (before, after) == (1.0, 3.0)
    assert any("[chute 1] weight_ratio was 1.0, is 3.0" in line for line in virtual.paper.lines)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("capacity_kg = 600.0", "capacity_kg = 590.0", "needs a restart"),
        ("weight_ratio = 1.0", "weight_ratio = nan", "E105"),
        ("[pod]", "[pod", "E102 not TOML"),
        ("[pod]", "[pod]", "nothing changed"),
    ],
)
def test_a_configuration_that_cannot_apply_is_kept_out_whole(
    virtual: VirtualCore, tmp_path: Path, old: str, new: str, word: str
) -> None:
    virtual.run(1.0)
    running = virtual.core.loop.topology
    path = edited(tmp_path, old, new)
    if "restart" in word:  # a change that could have been applied does not get in beside it
        path.write_text(path.read_text().replace("weight_ratio = 1.0", "weight_ratio = 2.0"))

    virtual.core.adopt(read_again(path, running.config))
    virtual.run(0.5)

    assert virtual.core.loop.topology is running
    assert any(word in entry.why for entry in virtual.paper.drafts if entry.thing == "configuration")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        yield listening


def messages(listening: socket.socket) -> list[str]:
    """Everything that has been told since the last look."""
    found = []
    while True:
        try:
            found.append(listening.recv(4096).decode())
        except BlockingIOError:
            return found


def test_ready_comes_with_the_first_good_scan_and_only_ticks_feed_the_watchdog(
    manager: socket.socket, tmp_path: Path
) -> None:
    virtual = VirtualCore({"NOTIFY_SOCKET": str(tmp_path / "notify")})

    virtual.core.tick(0)
    first = messages(manager)
    virtual.run(2.0)
    later = messages(manager)
    virtual.close()

    assert not any("READY=1" in text for text in first)
    assert sum("READY=1" in text for text in later) == 1
    assert later.count("WATCHDOG=1") in (4, 5)


def test_a_service_manager_that_does_not_listen_costs_nothing(tmp_path: Path) -> None:
    virtual = VirtualCore({"NOTIFY_SOCKET": str(tmp_path / "nobody")})

    virtual.run(2.0)
    virtual.close()

    assert virtual.core.punctuality.ticks >= 4


def test_lateness_and_overruns_are_counted_from_the_first_deadline() -> None:
    punctuality = Punctuality(100 * MS)

    for now_ms in (1000, 1102, 1200, 1450, 1500):  # the deadline at 1300 passed unused
        punctuality.note(now_ms * MS)

    assert (punctuality.ticks, punctuality.overruns) == (5, 1)
    assert punctuality.lateness().max_ms == 50.0
    assert punctuality.lateness(of_ticks=1) == (1, 0.0, 0.0, 0.0, 0.0)


class Gone:
    """A port that is not there."""

    def open(self) -> int:
        raise FileNotFoundError(2, "No such file or directory")

    def read(self) -> bytes:
        raise ConnectionResetError("gone away")

    def write(self, data: bytes) -> None:
        raise OSError(5, "Input/output error")

    def close(self) -> None:
        return


def test_a_watched_port_remembers_why_it_is_gone() -> None:
    port = WatchedPort("A", "/dev/pod-bus-a", Gone())

    for call, words in (
        (port.open, "No such file"),
        (port.read, "gone away"),
        (lambda: port.write(b"x"), "Input/output"),
    ):
        with pytest.raises(OSError, match=words):
            call()
        assert words in port.last_error
    assert not port.is_open
