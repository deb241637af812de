"""Who is on the line? One short read per address, nothing else: a scan never writes.

Job: listen first and stay silent where somebody speaks already; then ask address by address; word what was found.
Neighbours: `asking` (the port), `podctl bus scan` (baud rates, progress, the configuration). Must not know: pods.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hal.bus.asking import Answer, BusPort, Heard, known
from hal.bus.frames import EXCEPTIONS, GARBAGE, Cutter
from hal.device_facts import ContinuousFormat
from hal.errors import Code, PodError
from hal.modbus import NO_PATH, Verdict, read_request
from hal.serial_instruments import WeightDecoder

MS_NS = 1_000_000
TRIES = 3  # for an address whose answer is no frame
SOUND_OF = 5  # reads that a device found must answer
BAUDS = (9600, 19200, 38400, 115200, 57600, 4800, 2400, 1200)  # the usual ones first
UNITS = (1, 247)  # address 0 is everybody's: nobody may be read there


class Asked(NamedTuple):
    """The read that a scan puts to every address."""

    function: int
    address: int
    timeout_ns: int


class Found(NamedTuple):
    """What answers at one address. latency_ms: from the end of a question to the first byte of its answer."""

    unit: int
    baud: int
    how: str  # "answers", "refuses" (which proves a device as well) or "unclear"
    text: str
    latency_ms: float
    sound_count: int
    asked_count: int


class Overheard(NamedTuple):
    """Who spoke while we listened."""

    byte_count: int
    frame_count: int
    units: tuple[int, ...]
    is_indicator: bool
    text: str


def overhear(heard: Sequence[Heard]) -> Overheard:
    """What the bytes are that came while nobody had been asked."""
    data = b"".join(each.data for each in heard)
    if not data:
        return Overheard(0, 0, (), False, "silence")
    for with_checksum in (True, False):
        decoder = WeightDecoder(ContinuousFormat(checksum=with_checksum))
        if (weight := decoder.feed(data)) is not None:
            text = f"a weighing indicator that sends by itself ({weight.gross_kg:g} kg): nothing to scan here"
            return Overheard(len(data), 0, (), True, text)
    cutter = Cutter()
    told = [*cutter.feed(data), *cutter.silence()]
    sound = [frame for frame in told if frame.kind != GARBAGE]
    units = tuple(sorted({frame.unit for frame in sound if frame.unit is not None}))
    if sound:
        named = ", ".join(map(str, units))
        return Overheard(
            len(data), len(sound), units, False, f"another master speaks with unit {named} ({sound[0].text})"
        )
    text = f"{len(data)} bytes that are no frames: another master at another baud rate, or noise"
    return Overheard(len(data), 0, (), False, text)


def listen_first(port: BusPort, duration_ns: int) -> Overheard:
    """Listen, and refuse to speak where somebody else does. PodError 222.

    A pod that runs asks in every tick: who hears nothing for more than two ticks may speak.
    """
    found = overhear(port.listen(duration_ns))
    if found.byte_count and not found.is_indicator:
        raise PodError(
            Code.LINE_BUSY,
            f"line {port.place} is in use: {found.text}: two masters spoil each other's answers; stop the other one,"
            " or look on with podctl bus monitor",
        )
    return found


def scan(port: BusPort, units: Iterable[int], asked: Asked) -> Iterator[tuple[int, Found | None]]:
    """Each address with what answers there; None where nothing does."""
    for unit in units:
        answer = _ask(port, unit, asked)
        if answer.verdict is Verdict.TIMEOUT or answer.refusal in NO_PATH:
            yield unit, None
            continue
        yield unit, _settle(port, unit, asked, answer)


def _ask(port: BusPort, unit: int, asked: Asked) -> Answer:
    return port.ask(known(read_request(unit, asked.function, asked.address, 1)), asked.timeout_ns)


def _settle(port: BusPort, unit: int, asked: Asked, first: Answer) -> Found | None:
    """Ask again: a device answers every time, two devices with one address or noise do not."""
    answers = [first]
    while len(answers) < (SOUND_OF if any(answer.is_sound for answer in answers) else TRIES):
        answers.append(_ask(port, unit, asked))
    sound = [answer for answer in answers if answer.is_sound]
    best = sound[-1] if sound else first
    baud, times_ms = port.line.baud, [answer.latency_ns / MS_NS for answer in sound]
    latency_ms = round(max(times_ms), 1) if times_ms else -1.0
    how = "unclear" if not sound else "refuses" if best.refusal else "answers"
    return Found(unit, baud, how, _text(answers, best, port.spoilt_advice), latency_ms, len(sound), len(answers))


def _text(answers: Sequence[Answer], best: Answer, spoilt_advice: str) -> str:
    """What to make of it."""
    spoilt = [answer for answer in answers if not answer.is_sound]
    words = []
    if best.is_sound:
        code = best.refusal
        words.append(f"refuses: {code} {EXCEPTIONS.get(code, 'unknown code')}" if code else "answers")
    if spoilt:
        kinds = ", ".join(sorted({answer.verdict.name.lower() for answer in spoilt}))
        words.append(f"{len(spoilt)} of {len(answers)} answers are spoilt ({kinds}): {spoilt_advice}")
    if any(answer.own_echo for answer in answers):
        words.append("the adapter gives our own bytes back")
    return "; ".join(words)
