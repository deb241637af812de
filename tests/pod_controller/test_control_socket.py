"""The control socket: what it answers, whom it drops, and that nothing a client does reaches a permit."""

import contextlib
import json
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile_clients import attack, resident_kb
from virtual_core import VirtualCore

from hal.clock import SystemClock
from hal.errors import PodError
from pod_controller.answers import Answers
from pod_controller.cli import main
from pod_controller.control_client import Connection
from pod_controller.control_socket import CLIENTS_MOST, LINE_MOST, ControlSocket
from pod_controller.core import Request


class Desk:
    """A core on virtual time that has been started, and its socket."""

    def __init__(self, folder: Path) -> None:
        self.virtual = VirtualCore()
        self.path = folder / "control.sock"
        self.socket = ControlSocket(self.path, self.virtual.paper)
        self.socket.open()
        self.socket.start(Answers(self.virtual.core, SystemClock()))
        self.virtual.run(10.0)
        self.virtual.core.ask(Request("start", "", ""))
        self.virtual.run(0.5)

    def ask(self, **request: Any) -> dict[str, Any]:
        with Connection(self.path) as connection:
            return connection.ask(request)

    def say(self, data: bytes) -> dict[str, Any]:
        """Raw bytes in, the line that comes back."""
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(5.0)
            raw.connect(str(self.path))
            raw.sendall(data)
            answer: dict[str, Any] = json.loads(raw.makefile("rb").readline())
            return answer


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.socket.stop()
    assert not made.path.exists()


def test_the_socket_is_for_owner_and_group_only(desk: Desk) -> None:
    assert stat.S_IMODE(desk.path.stat().st_mode) == 0o660


def test_status_tells_state_lines_vessels_and_chutes(desk: Desk) -> None:
    answer = desk.ask(do="status")

    assert (answer["v"], answer["ok"], answer["state"], answer["well"]) == (1, True, "EXECUTE", True)
    assert {vessel["vessel"] for vessel in answer["vessels"]} == set(desk.virtual.pod.app.topology.vessels)
    assert [chute["chute"] for chute in answer["chutes"]] == ["chute_1", "chute_2", "chute_3", "chute_4"]
    assert answer["lateness"]["of_ticks"] == answer["tick"]


def test_why_tells_rule_vessel_terms_and_what_would_open_it(desk: Desk) -> None:
    answer = desk.ask(do="why", inlet="chute_1")

    gate, lid = answer["inlets"]
    assert (gate["inlet"], lid["inlet"], gate["vessel"]) == ("gate_1", "lid_1", "buffer")
    (buffer,) = answer["vessels"]
    parts = buffer["u_kg"] + buffer["m_kg"] + buffer["psi_kg"] + sum(x["worst_kg"] for x in buffer["intakes"])
    assert buffer["phi_kg"] == pytest.approx(parts, abs=0.01)
    assert buffer["u_kg"] < buffer["phi_kg"] < buffer["capacity_kg"]


def test_a_request_is_considered_by_the_next_tick(desk: Desk) -> None:
    answers: list[dict[str, Any]] = []
    asking = threading.Thread(target=lambda: answers.append(desk.ask(do="hold", reason="a bag\nis caught")))
    asking.start()
    while asking.is_alive():
        desk.virtual.run(0.5)
        asking.join(0.02)

    assert answers[0]["state"] == "HELD"
    (entry,) = [x for x in desk.virtual.paper.drafts if x.thing == "hold"]
    assert entry.why == "a bag is caught" and "uid" in entry.who


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"status\n", 434),
        (b"\xff\xfe\x00\n", 434),
        (b"[1]\n", 434),
        (b"[" * 3000 + b"\n", 434),
        (b'{"do": "status"}\n', 435),
        (b'{"v": true, "do": "status"}\n', 435),
        (b'{"v": 2, "do": "status"}\n', 435),
        (b'{"v": 1, "do": "open_all"}\n', 434),
        (b'{"v": 1, "do": "start", "reason": 5}\n', 434),
        (b'{"v": 1, "do": "start", "force": true}\n', 434),
        (b'{"v": 1, "do": "why", "inlet": "gate_9"}\n', 437),
        (b"x" * (LINE_MOST + 1), 440),
    ],
)
def test_nonsense_is_refused_with_a_number(desk: Desk, line: bytes, code: int) -> None:
    answer = desk.say(line)

    assert (answer["ok"], answer["code"]) == (False, code)
    assert desk.ask(do="status")["ok"]


def test_a_megabyte_without_an_end_is_cut_off(desk: Desk) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.settimeout(5.0)
        raw.connect(str(desk.path))
        with pytest.raises(OSError, match=r"(?i)pipe|reset"):
            for _ in range(256):
                raw.sendall(b"x" * 4096)


def test_silent_clients_make_room_for_one_that_asks(desk: Desk) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(CLIENTS_MOST + 8):
            stack.enter_context(socket.socket(socket.AF_UNIX)).connect(str(desk.path))

        assert desk.ask(do="status")["ok"]


def test_a_stale_name_is_taken_over_and_a_living_core_is_not(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(PodError, match="E439 another core answers"):
        ControlSocket(desk.path, desk.virtual.paper).open()
    dead = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(dead))

    taken = ControlSocket(dead, desk.virtual.paper)
    taken.open()
    taken.stop()

    (tmp_path / "file").touch()
    with pytest.raises(PodError, match=r"E438 .* is not a socket"):
        ControlSocket(tmp_path / "file", desk.virtual.paper).open()


def test_nobody_there_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(PodError, match="E441 nobody answers at"), Connection(tmp_path / "none.sock"):
        pass


@pytest.mark.timeout(60)
def test_a_thousand_hostile_clients_change_no_permit_and_leave_memory_flat(desk: Desk) -> None:
    attack(desk.path, range(200))  # the first ones warm everything up
    before_kb = resident_kb()
    permits: list[bytes] = []
    attackers = [threading.Thread(target=attack, args=(desk.path, range(k, 1000, 4))) for k in range(4)]
    for attacker in attackers:
        attacker.start()
    while any(attacker.is_alive() for attacker in attackers):
        desk.virtual.run(0.5)
        assert desk.virtual.core.loop.permit is not None
        permits.append(desk.virtual.core.loop.permit.tobytes())
        attackers[0].join(0.01)

    grown_kb = resident_kb() - before_kb
    assert permits == undisturbed(len(permits))
    assert grown_kb < 16_000
    assert desk.ask(do="status")["ok"]
    assert not [line for line in desk.virtual.paper.lines if "please report" in line]


def undisturbed(ticks: int) -> list[bytes]:
    """The same run with nobody asking anything."""
    virtual, permits = VirtualCore(), []
    virtual.run(10.0)
    virtual.core.ask(Request("start", "", ""))
    virtual.run(0.5)
    for _ in range(ticks):
        virtual.run(0.5)
        assert virtual.core.loop.permit is not None
        permits.append(virtual.core.loop.permit.tobytes())
    return permits


@pytest.mark.parametrize("words", [("status",), ("why",), ("tag", "LT-201"), ("start",)])
def test_where_nobody_answers_the_result_is_one_object_as_well(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--socket", str(tmp_path / "none"), "--json"]) == 69

    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["code"]) == (False, 441)
