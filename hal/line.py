"""One serial line as a state machine without I/O.

Job: ``next_action`` says what to send or how long to wait, ``receive`` takes bytes with their time.
ModbusLine keeps silence (t3.5), one transaction in flight, strict replies, quarantine after any
doubt, writes before reads, and the peace of healthy devices from sick ones. SerialLine listens.
A write that is not echoed is repeated once, as soon as the healthy devices have had their turn (an
image is absolute, so twice is once); only then is its module left alone until it has let go.
Neighbours: ``runner`` (real ports) and the simulator's executive (virtual time) drive a line;
``pod_io`` posts images and collects Readings; ``blocks``, ``outputs``, ``device`` hold the parts.
Must not know: ports, the operating system's time, or whether anything out there is real.

Time rules. A request that fails (nothing, or bytes that must not be believed) makes the line quiet
until late_s after its end plus the wire time of its reply: a late answer arrives into silence and
is thrown away. A reply counts only when t3.5 of silence has followed it. A Reading is stamped with
the end of its request, the earliest moment at which the device can have sampled.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from hal.blocks import Block
from hal.device import Device, Health
from hal.modbus import DEVICE_BUSY, Request, Verdict, judge
from hal.outputs import OutputModule
from hal.values import Ack, Cause, Reading
from hal.wire_time import char_ns, silence_ns

NEVER = 2**63 - 1
REPLY_MARGIN_NS = 40_000_000  # USB adapters deliver in batches of 16 ms (FTDI latency timer)
BUSY_RETRY_NS = 100_000_000
FORCE_AFTER_TICKS = 8  # a sick device is tried at the latest then, even where no tick has room for it
_REFUSAL_CODE_AT = 2
_LAST_CONFIGURATION_CODE = 3  # 1 function, 2 address, 3 value: we ask for what it does not have


class Send(NamedTuple):
    """Put these bytes on the wire now."""

    data: bytes


class Wait(NamedTuple):
    """Nothing to send before until_ns (NEVER is allowed), unless bytes or orders come earlier."""

    until_ns: int


class Line(Protocol):
    """What a runner needs to drive a line."""

    name: str

    def next_action(self, now_ns: int) -> Send | Wait:
        """Ask after every receive, when a sent frame has left the wire, when a Wait is over, and after a tick."""
        ...

    def receive(self, data: bytes, now_ns: int) -> None:
        """Bytes whose arrival ended at now_ns."""
        ...


class ModbusLine:
    """Master of one RTU line. blocks: status blocks of output modules first, then as planned."""

    __slots__ = (
        "_block", "_char_ns", "_deadline_ns", "_device", "_devices", "_doubt_end_ns", "_early_ns", "_module",
        "_quiet_ns", "_reply", "_request", "_request_end_ns", "_setup", "_silence_ns", "_tick_led_ns", "_tick_ns",
        "_verdict", "acks", "blocks", "modules", "name", "readings", "stray_bytes",
    )  # fmt: skip

    def __init__(self, name: str, baud: int, paced: bool, tick_ns: int) -> None:
        self.name = name
        self.readings: dict[str, Reading] = {}
        self.acks: dict[str, Ack] = {}
        self.blocks: list[Block] = []
        self.modules: list[OutputModule] = []
        self._devices: list[Device] = []
        self._char_ns, self._silence_ns = char_ns(baud), silence_ns(baud)
        self._early_ns = self._char_ns if paced else NEVER  # how much too early a reply may seem
        self._tick_ns, self._tick_led_ns = tick_ns, 0
        self._quiet_ns = 0  # nothing is sent before
        self._request: Request | None = None  # in flight, with its device and its block or module
        self._device: Device
        self._block: Block | None = None
        self._module: OutputModule | None = None
        self._setup = False
        self._reply = b""
        self._verdict = Verdict.PARTIAL
        self._request_end_ns = self._deadline_ns = self._doubt_end_ns = 0
        self.stray_bytes = 0

    def add(self, device: Device, blocks: Sequence[Block], module: OutputModule | None) -> None:
        """Hang a device on the line; the first block of a module shows its output image."""
        self._devices.append(device)
        longest = max((len(b.request.frame) + 2 * b.request.reply_len for b in blocks), default=32)
        device.cost_ns = device.late_ns + longest * self._char_ns + 2 * self._silence_ns
        if module is not None:
            self.modules.append(module)
            blocks[0].module = module
        self.blocks.extend(blocks)
        self.blocks.sort(key=lambda block: block.module is None)

    def begin_tick(self, now_ns: int) -> None:
        """Every module's image is written again (feeding its watchdog), then the fast reads fall due."""
        self._tick_led_ns = now_ns
        for module in self.modules:
            module.pending = True
        for block in self.blocks:
            if block.fast and block.due_ns > now_ns:
                block.due_ns = now_ns

    def collect(self, now_ns: int) -> None:
        """Let Readings go BAD that nothing has renewed in time."""
        for block in self.blocks:
            block.age(now_ns)

    def health(self) -> tuple[Health, ...]:
        """State and counts of every device on the line."""
        return tuple(device.health() for device in self._devices)

    def receive(self, data: bytes, now_ns: int) -> None:
        """Judge what came; bytes that nothing waits for are thrown away, but prolong the silence."""
        self._quiet_ns = max(self._quiet_ns, now_ns + self._silence_ns)
        request = self._request
        if request is None:
            self.stray_bytes += len(data)
            return
        early = not self._reply and now_ns - len(data) * self._char_ns + self._early_ns < self._request_end_ns
        self._reply += data
        verdict = judge(request, self._reply)
        if early and verdict is not Verdict.OWN_ECHO:
            verdict = Verdict.EARLY
        self._verdict = verdict
        if verdict > Verdict.PARTIAL:
            self._fail(verdict, now_ns)

    def next_action(self, now_ns: int) -> Send | Wait:
        """Settle what is in flight, keep the silence, then send what is most urgent."""
        if self._request is not None:
            if self._verdict is Verdict.PARTIAL:
                if now_ns < self._deadline_ns:
                    return Wait(self._deadline_ns)
                self._fail(Verdict.TRUNCATED if self._reply else Verdict.TIMEOUT, now_ns)
            elif now_ns >= self._quiet_ns:
                self._settle(now_ns)
        if now_ns < self._quiet_ns:
            return Wait(self._quiet_ns)
        return self._choose(now_ns)

    def _choose(self, now_ns: int) -> Send | Wait:
        """Writes, watchdog settings, due reads by earliest deadline, then at most one sick device."""
        for module in self.modules:
            if module.lease_end_ns <= now_ns:
                module.end_leases(now_ns)
            if module.pending and not module.device.doubtful:
                return self._write(module, now_ns)
        for module in self.modules:
            if module.watchdog_due and not module.device.doubtful:
                return self._set_up(module, now_ns)
        wake_ns, best, best_ns = NEVER, None, NEVER
        for block in self.blocks:
            due_ns = block.due_ns
            if due_ns > now_ns:
                if due_ns < wake_ns and not block.device.doubtful:
                    wake_ns = due_ns
            elif due_ns + block.period_ns < best_ns and not block.device.doubtful:
                best, best_ns = block, due_ns + block.period_ns
        return self._read(best, now_ns) if best is not None else self._probe(now_ns, wake_ns)

    def _probe(self, now_ns: int, wake_ns: int) -> Send | Wait:
        """One transaction with the sick device that waits longest, if its failure fits before the next tick."""
        room_ns = self._tick_led_ns + self._tick_ns - now_ns
        if room_ns <= 0:
            room_ns = wake_ns - now_ns  # nobody ticks: the next healthy read is the limit
        force_ns = FORCE_AFTER_TICKS * self._tick_ns
        sick: Device | None = None
        for device in self._devices:
            if not device.doubtful:
                continue
            if device.retry_ns > now_ns:
                wake_ns = min(wake_ns, device.retry_ns)
            elif device.urgent:
                return self._ask_sick(device, now_ns)
            elif device.cost_ns > room_ns and now_ns - device.retry_ns < force_ns:
                wake_ns = min(wake_ns, max(self._tick_led_ns + self._tick_ns, now_ns) + 1, device.retry_ns + force_ns)
            elif sick is None or device.retry_ns < sick.retry_ns:
                sick = device
        if sick is not None:
            return self._ask_sick(sick, now_ns)
        for module in self.modules:
            wake_ns = min(wake_ns, max(module.lease_end_ns, now_ns + 1))
        return Wait(wake_ns)

    def _ask_sick(self, device: Device, now_ns: int) -> Send:
        """A module gets its image (whatever it did meanwhile), any other device its most overdue block."""
        for module in self.modules:
            if module.device is device:
                return self._write(module, now_ns)
        own = [block for block in self.blocks if block.device is device]
        return self._read(min(own, key=lambda block: block.due_ns), now_ns)

    def _write(self, module: OutputModule, now_ns: int) -> Send:
        return self._send(module.write(), module.device, None, module, now_ns)

    def _set_up(self, module: OutputModule, now_ns: int) -> Send:
        action = self._send(module.watchdog_request(), module.device, None, module, now_ns)
        self._setup = True
        return action

    def _read(self, block: Block, now_ns: int) -> Send:
        block.sent(now_ns)
        return self._send(block.request, block.device, block, None, now_ns)

    def _send(
        self, request: Request, device: Device, block: Block | None, module: OutputModule | None, now_ns: int
    ) -> Send:
        """Put one request in flight; the reply is due turnaround, its own wire time and a margin after its end."""
        end_ns = now_ns + len(request.frame) * self._char_ns
        self._request, self._device, self._block, self._module = request, device, block, module
        self._setup = False
        self._reply = b""
        self._verdict = Verdict.PARTIAL
        self._request_end_ns = end_ns
        reply_ns = request.reply_len * self._char_ns
        self._doubt_end_ns = end_ns + device.late_ns + reply_ns
        self._deadline_ns = min(end_ns + device.turnaround_ns + reply_ns + REPLY_MARGIN_NS, self._doubt_end_ns)
        return Send(request.frame)

    def _settle(self, now_ns: int) -> None:
        """A sound reply stood alone until t3.5 after its end: believe it."""
        device, block, module = self._device, self._block, self._module
        self._request = None
        if device.dead and module is not None:
            module.doubt_watchdog()
        device.well()
        if self._verdict is Verdict.EXCEPTION:
            self._refused(now_ns)
        elif block is not None:
            words = block.accept(self._reply, self._request_end_ns)
            if block.module is not None and not block.module.read_back(words, self._request_end_ns):
                self._silence(block.module, now_ns)
        elif module is not None and self._setup:
            module.watchdog_reply(self._reply)
        elif module is not None:
            module.echoed()

    def _refused(self, now_ns: int) -> None:
        """The device answered with an exception: busy is asked again soon, the rest is BAD."""
        self._device.faults[Verdict.EXCEPTION] += 1
        block, code = self._block, self._reply[_REFUSAL_CODE_AT]
        if self._module is not None:
            if self._setup:
                self._module.watchdog_due = False  # it has no such register: never verified
            else:
                self._silence(self._module, now_ns)
        elif block is None:
            return
        elif code in DEVICE_BUSY:
            block.due_ns = now_ns + BUSY_RETRY_NS
        else:
            block.refuse(Cause.CONFIGURATION_ERROR if code <= _LAST_CONFIGURATION_CODE else Cause.DEVICE_FAILURE)

    def _fail(self, verdict: Verdict, now_ns: int) -> None:
        """No answer, or one not to be believed: quiet until it cannot come any more, then others first."""
        self._request = None
        self._quiet_ns = max(self._quiet_ns, self._doubt_end_ns)
        self._device.missed(verdict, now_ns, self._tick_led_ns + self._tick_ns)
        if self._block is not None:
            self._block.due_ns = now_ns
        elif self._module is not None and not self._setup:
            if self._module.may_repeat():
                self._device.hurry(now_ns)
            else:
                self._silence(self._module, now_ns)

    def _silence(self, module: OutputModule, now_ns: int) -> None:
        """An order that may not have arrived: no request of any kind until its watchdog has released it.

        A module without a watchdog is told again once per tick, dead or not: nothing else closes it.
        """
        module.pending = True
        if module.hold_ns:
            module.device.silence(now_ns + module.hold_ns)
        else:
            module.device.retry_ns = self._tick_led_ns + self._tick_ns
