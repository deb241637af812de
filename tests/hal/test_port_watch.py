"""What a watched port tells of its adapter."""

from pathlib import Path

import pytest

from hal.port_watch import WatchedPort, latency_advice


def adapter(folder: Path, timer: str) -> tuple[str, Path]:
    """A port by a stable name, and what the kernel tells of the terminal behind it."""
    (folder / "dev").mkdir()
    (folder / "dev" / "ttyUSB7").touch()
    (folder / "dev" / "pod-bus-a").symlink_to(folder / "dev" / "ttyUSB7")
    (folder / "sys" / "ttyUSB7" / "device").mkdir(parents=True)
    (folder / "sys" / "ttyUSB7" / "device" / "latency_timer").write_text(timer)
    return str(folder / "dev" / "pod-bus-a"), folder / "sys"


def test_an_adapter_that_holds_bytes_back_is_told_with_the_remedy(tmp_path: Path) -> None:
    port, terminals = adapter(tmp_path, "16\n")

    advice = latency_advice(port, terminals)

    assert advice == "its adapter holds bytes back for 16 ms: set latency_timer = 1 (units/99-pod.rules does)"


@pytest.mark.parametrize("timer", ["1\n", "0\n", "", "soon\n"])
def test_a_quick_adapter_or_one_that_says_nothing_gives_no_advice(tmp_path: Path, timer: str) -> None:
    port, terminals = adapter(tmp_path, timer)

    assert latency_advice(port, terminals) == ""
    assert latency_advice("/dev/there-is-none", terminals) == ""


class Still:
    """A port that opens and is silent."""

    def open(self) -> int:
        return 3

    def read(self) -> bytes:
        return b""

    def write(self, data: bytes) -> None:
        return

    def close(self) -> None:
        return


def test_a_watched_port_asks_when_it_is_open() -> None:
    port = WatchedPort("A", "/dev/pts/0", Still())

    port.open()

    assert (port.is_open, port.advice) == (True, "")
