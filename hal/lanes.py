"""Who on a line is asked next: writes, watchdog settings, reads by earliest deadline, then the sick.

Job: hold the devices, modules and blocks of one line and name the most urgent order that may go out now; remember
which replies are still owed, and ask something of another shape first, so that an old answer cannot pass for a new one.
Neighbours: ``line`` sends the orders and reports what came of them; ``device``, ``outputs``, ``blocks`` hold the state.
Must not know: bytes, silence, or how a reply is judged.

The lanes, between any two transactions: (0) output images; (1) watchdogs to be set; (2) due reads, the earliest
deadline first; (3) watchdogs looked at once more; (4) one transaction with the sick device that waits longest, where
its failure fits before the next tick. A device that must first show who it is waits in lane 4 with the sick. While a
stranger answers for one of the devices, this is not the line it is taken for: nothing is asked on it but who is there.
When no stranger answers any more, everybody else has to show once more who it is; then the line goes on. A port that
was opened may lead elsewhere: there too everybody who can show who it is is asked first, once.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from hal.blocks import Block
from hal.device import Device
from hal.modbus import Request
from hal.outputs import NEVER_NS, OutputModule

TICK_GRACE = 4  # a tick may be late by this part of itself; until then the sick wait for it
OPENING_NS = 2_000_000_000  # so long at most a port that was opened is asked for nothing but who is there
FORCE_AFTER_TICKS = 8  # a sick device is tried at the latest then, even where no tick has room for it


class Task(IntEnum):
    """What an order is for."""

    READ = 0
    WRITE = 1
    SET_UP = 2  # a watchdog: read it, or write it
    PROBE = 3  # whether the device answers, in a shape that nothing owed has
    IDENTIFY = 4


class Order(NamedTuple):
    """One request to one device; a block when it is to be read, a module when it is written or set up."""

    task: Task
    request: Request
    device: Device
    block: Block | None
    module: OutputModule | None


class Lanes:
    """What hangs on one line, and its order of precedence."""

    __slots__ = ("_opening_ns", "_tick_led_ns", "_tick_ns", "_unheard", "blocks", "devices", "modules", "strange")

    def __init__(self, tick_ns: int) -> None:
        self._tick_ns, self._tick_led_ns = tick_ns, 0
        self.devices: list[Device] = []
        self.modules: list[OutputModule] = []
        self.blocks: list[Block] = []
        self.strange = False  # a device has shown that it is another one, or not all have shown since that they are not
        self._unheard: list[Device] = []  # who has still to show who it is before the line goes on
        self._opening_ns = 0  # until when that holds without a stranger

    @property
    def next_tick_ns(self) -> int:
        """When the next tick is expected."""
        return self._tick_led_ns + self._tick_ns

    def add(self, device: Device, blocks: Sequence[Block], module: OutputModule | None) -> None:
        """Hang a device on the line; the first block of a module shows its output image."""
        self.devices.append(device)
        if module is not None:
            self.modules.append(module)
            blocks[0].module = module
        self.blocks.extend(blocks)
        self._sort()

    def module_of(self, device: Device) -> OutputModule | None:
        """The outputs of a device, if it has any."""
        return next((module for module in self.modules if module.device is device), None)

    def split(self, block: Block) -> bool:
        """Read a block in parts from now on, without the addresses that nobody wants; False when it has none."""
        parts = block.without_holes()
        if len(parts) == 1 and parts[0] is block:
            return False
        self.blocks.remove(block)
        self.blocks.extend(parts)
        self._sort()
        return True

    def begin_tick(self, now_ns: int) -> None:
        """Every module's image is written again (feeding its watchdog), then the fast reads fall due."""
        self._tick_led_ns = now_ns
        if not self.strange and now_ns >= self._opening_ns:
            self._unheard = []
        for module in self.modules:
            module.pending = True
            if module.verify_ns <= now_ns:
                module.verify_again(now_ns)
        for block in self.blocks:
            if block.fast and block.due_ns > now_ns:
                block.due_ns = now_ns

    def next(self, now_ns: int) -> Order | int:
        """The most urgent order, or until when there is none."""
        for module in self.modules:
            if module.lease_end_ns <= now_ns:
                module.end_leases(now_ns)
        if self.strange or self._unheard:
            return self._who_is_there(now_ns)
        order = self._to_write() or self._to_set_up(is_routine=False)
        if order is not None:
            return order
        wake_ns, best, best_ns = NEVER_NS, None, NEVER_NS
        for block in self.blocks:
            due_ns = block.due_ns
            if due_ns > now_ns:
                if due_ns < wake_ns and not block.device.doubtful:
                    wake_ns = due_ns
            elif due_ns + block.period_ns < best_ns and not block.device.doubtful:
                best, best_ns = block, due_ns + block.period_ns
        if best is not None:
            return self._read(best, now_ns)
        return self._to_set_up(is_routine=True) or self._sick(now_ns, wake_ns)

    def _who_is_there(self, now_ns: int) -> Order | int:
        """Only that is asked; but the question fed a module's watchdog, so one that has shown it is told its image."""
        order = None if self.strange else self._to_write(has_shown=True)
        return order or self._sick(now_ns, NEVER_NS)

    def _to_write(self, has_shown: bool = False) -> Order | None:
        """An output image; has_shown: only for a module that has shown who it is."""
        for module in self.modules:
            known = module.device.identity is not None or not has_shown
            if module.pending and known and not module.device.doubtful:
                return Order(Task.WRITE, module.write(), module.device, None, module)
        return None

    def _to_set_up(self, is_routine: bool) -> Order | None:
        """A watchdog that is not known to be set; as a routine also one that is, to see whether it still is."""
        for module in self.modules:
            if module.watchdog_due and module.watchdog_verified is is_routine and not module.device.doubtful:
                if module.device.owed:
                    return Order(Task.PROBE, module.device.probe(), module.device, None, None)
                return Order(Task.SET_UP, module.watchdog_request(), module.device, None, module)
        return None

    def opened(self, now_ns: int) -> None:
        """The port was opened: forget who is who."""
        for device in self.devices:
            device.doubt_identity(now_ns)
        self._unheard = [each for each in self.devices if each.identity is not None]
        self._opening_ns = now_ns + OPENING_NS

    def heard(self, device: Device, now_ns: int, silent: bool) -> None:
        """A device answered when asked who it is, or (silent) missed. Is this the line it is taken for?

        The last stranger's end is no proof: the cable may still lead elsewhere. So everybody else who is not dead is
        asked again before the line goes on; those that are, by their own rule, before their first write.
        """
        if any(each.stranger for each in self.devices):
            self.strange, self._unheard = True, []
        elif self.strange and not self._unheard:
            others = [each for each in self.devices if each is not device]
            for each in others:
                each.doubt_identity(now_ns)
            self._unheard = [each for each in others if each.unknown and not each.dead]
            self.strange = bool(self._unheard)
        elif not silent or not self.strange or device.dead:
            self._unheard = [each for each in self._unheard if each is not device]
            self.strange = self.strange and bool(self._unheard)

    def all_dead(self) -> bool:
        """Whether nobody answers any more."""
        return bool(self.devices) and all(device.dead for device in self.devices)

    def _sick(self, now_ns: int, wake_ns: int) -> Order | int:
        """One transaction with the sick device that waits longest, if its failure fits before the next tick."""
        limit_ns = self.next_tick_ns
        patience_ns = limit_ns + self._tick_ns // TICK_GRACE
        tick_is_due = limit_ns <= now_ns < patience_ns
        if patience_ns <= now_ns:
            limit_ns = wake_ns  # nobody ticks: the next healthy read is the limit
        force_ns = FORCE_AFTER_TICKS * self._tick_ns
        sick: Device | None = None
        only_who = self.strange or bool(self._unheard)
        for device in [each for each in self.devices if each.doubtful and (each.unknown or not only_who)]:
            if device.retry_ns > now_ns:
                wake_ns = min(wake_ns, device.retry_ns)
            elif device.urgent:
                return self._ask(device, now_ns)
            elif tick_is_due:
                wake_ns = min(wake_ns, patience_ns)
            elif now_ns + device.cost_ns > limit_ns and now_ns - device.retry_ns < force_ns:
                wake_ns = min(wake_ns, limit_ns + 1, device.retry_ns + force_ns)
            elif sick is None or device.retry_ns < sick.retry_ns:
                sick = device
        if sick is not None:
            return self._ask(sick, now_ns)
        for module in self.modules:
            wake_ns = min(wake_ns, max(module.lease_end_ns, now_ns + 1))
        return wake_ns

    def _ask(self, device: Device, now_ns: int) -> Order:
        """A module gets its image (whatever it did meanwhile), any other device its most overdue block.

        Who must show who it is does that first; but a dead module that has shown it on this connection is told its
        fail state unasked: should it be another one by now, nobody who hears that is worse off.
        """
        own = self.module_of(device)
        tells_fail_state = own is not None and device.dead and device.proved and own.image == 0 and not self.strange
        if device.identity is not None and device.unknown and not tells_fail_state:
            if device.owed:
                return Order(Task.PROBE, device.probe(), device, None, own)
            return Order(Task.IDENTIFY, device.identity.request, device, None, own)
        if own is not None:
            return Order(Task.WRITE, own.write(), device, None, own)
        return self._read(min((b for b in self.blocks if b.device is device), key=lambda b: b.due_ns), now_ns)

    def _read(self, block: Block, now_ns: int) -> Order:
        """The block; but whoever still owes a reply is asked in another shape first."""
        device = block.device
        if device.owed:
            return Order(Task.PROBE, device.probe(), device, None, None)
        block.sent(now_ns)
        return Order(Task.READ, block.request, device, block, None)

    def _sort(self) -> None:
        self.blocks.sort(key=lambda block: block.module is None)
