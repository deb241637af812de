"""One module of relay outputs: the image it shall hold, what was written, what it showed.

Job: merge commands into one absolute image (unmapped outputs 0), drop a command when its lease
ends, compare the read-back with what was written, and only then give Acks.
Neighbours: ``pod_io`` sets commands, ``line`` writes the image, reads it back and keeps the module
silent after a doubtful write so that its own watchdog releases it.
Must not know: when the line is free, or what an output moves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hal.device import Device
from hal.modbus import Request, coils_request, read_request, registers_request
from hal.points import energise
from hal.values import Ack, Command

HOLD_MARGIN_NS = 200_000_000  # a device's timer may be slow by some percent
VERIFY_EVERY_NS = 60_000_000_000  # a module that lost its settings without being missed is found out then
ASK_AGAIN_NS = 5_000_000_000
NEVER_NS = 2**63 - 1
WITHHELD_TOLD = 6  # orders held back in a row before people are told: it is set within a tick
_NOT_YET = -1
_WATCHDOG = "its watchdog"
ELSE = -1  # an image that no output module can be told
_REGISTER_AT = 3  # of a one-register reply: unit, function, byte count, value


@dataclass(frozen=True)
class OutputPlan:
    """The outputs of one module: first..first+count-1 of its table, tags by bit, read-back, watchdog.

    image_word: place of the register with the image in the module's first block, or of the first output shown there.
    watchdog_count: what the register at watchdog_address shall hold (0 = no watchdog).
    words: outputs that are holding registers, by bit: what each holds at its fail state, and energised; empty = coils.
    shown_singly: the first block shows the outputs one by one, not as bits of one register.
    fail_position: register, and what it shall hold so that the outputs go where they are safe; set with the watchdog.
    """

    first: int
    count: int
    tags: tuple[tuple[str, int], ...]
    image_word: int
    watchdog_ns: int
    watchdog_count: int
    watchdog_address: int
    words: tuple[tuple[int, int], ...] = ()
    shown_singly: bool = False
    fail_position: tuple[int, int] | None = None

    @property
    def settings(self) -> tuple[tuple[int, int], ...]:
        """Registers that must hold something before an output may be trusted to fall: (address, word)."""
        timer = ((self.watchdog_address, self.watchdog_count),) if self.watchdog_count else ()
        return (*timer, self.fail_position) if timer and self.fail_position is not None else timer

    def request(self, unit: int, image: int) -> Request:
        """What writes the whole image."""
        bits = [image >> k & 1 for k in range(self.count)]
        if self.words:
            return registers_request(unit, self.first, [pair[bit] for pair, bit in zip(self.words, bits, strict=True)])
        return coils_request(unit, self.first, [bool(bit) for bit in bits])

    def shown(self, words: Sequence[int]) -> int:
        """The image that the first block shows; ELSE when an output is neither off nor on."""
        if not self.shown_singly:
            return words[self.image_word]
        image = 0
        for k in range(self.count):
            word, (off, on) = words[self.image_word + k], self.words[k] if self.words else (0, 1)
            if word == on:
                image |= 1 << k
            elif word != off:
                return ELSE
        return image


class OutputModule:
    """Mutable state of one module. An image is an integer, bit k = output k.

    pending: the image waits to be written; lease_end_ns: earliest end of an energised command.
    """

    __slots__ = (
        "_acks", "_bits", "_echoed", "_expires", "_frames", "_issued", "_missed", "_plan", "_released_ns", "_repeated",
        "_sent_issued", "_setting", "_shown", "_shown_ns", "_sound", "_told", "_watchdog_known", "_withheld_count",
        "device", "hold_ns", "image", "lease_end_ns", "pending", "sent", "verify_ns", "watchdog_due",
        "watchdog_verified",
    )  # fmt: skip

    def __init__(self, plan: OutputPlan, device: Device, acks: dict[str, Ack]) -> None:
        self.device, self._plan, self._acks = device, plan, acks
        self._bits = {tag: 1 << bit for tag, bit in plan.tags}
        self._issued = dict.fromkeys(self._bits, _NOT_YET)
        self._expires = dict.fromkeys(self._bits, NEVER_NS)
        self._frames: dict[int, Request] = {}
        self.hold_ns = plan.watchdog_ns + HOLD_MARGIN_NS if plan.watchdog_ns else 0
        self.image = self.sent = 0
        self._sent_issued = tuple(self._issued.values())
        self.pending = True  # whatever it held before we came: its first order is the fail state
        self._echoed = self._repeated = False
        self._shown, self._shown_ns = 0, _NOT_YET
        self.lease_end_ns = NEVER_NS
        self._withheld_count = 0
        self._released_ns = NEVER_NS  # from then on it holds its fail state, whatever it was told before
        self.verify_ns = 0
        self._watchdog_known = False  # to be written: it was read as different
        self._told = False  # it has been written, once
        self._missed = False  # the last question about its settings was not answered
        self._setting, self._sound = 0, [False] * len(plan.settings)
        self.watchdog_due = plan.watchdog_count > 0
        self.watchdog_verified = plan.watchdog_count == 0

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags of its outputs, by bit."""
        return tuple(self._bits)

    def command(self, command: Command, now_ns: int) -> None:
        """Take one command; expired, NaN or not above 0.5 is the fail state."""
        tag = command.tag
        if energise(command.open_frac) and now_ns < command.expires_ns:
            self.image |= self._bits[tag]
            self._expires[tag] = command.expires_ns
            self.lease_end_ns = min(self.lease_end_ns, command.expires_ns)
        else:
            self.image &= ~self._bits[tag]
            self._expires[tag] = NEVER_NS
        self._issued[tag] = command.issued_ns

    def release(self, now_ns: int) -> None:
        """Every output to its fail state."""
        self.image = 0
        self._issued = dict.fromkeys(self._bits, now_ns)
        self._expires = dict.fromkeys(self._bits, NEVER_NS)
        self.lease_end_ns = NEVER_NS
        self.pending = True

    def end_leases(self, now_ns: int) -> None:
        """Outputs whose command was not renewed in time fall to their fail state."""
        self.lease_end_ns = NEVER_NS
        for tag, expires_ns in self._expires.items():
            if expires_ns <= now_ns:
                self.image &= ~self._bits[tag]
                self._expires[tag] = NEVER_NS
                self._issued[tag] = now_ns
                self.pending = True
            elif expires_ns < self.lease_end_ns:
                self.lease_end_ns = expires_ns

    def write(self) -> Request:
        """The request that carries the present image; from now on nothing is proved.

        Nothing is energised that would not fall by itself: until its watchdog has shown to be set, its fail state.
        """
        image = self.image if self.watchdog_verified else 0
        if self.image:
            self._released_ns = NEVER_NS
        self.sent, self.pending, self._echoed = image, False, False
        self._sent_issued = tuple(self._issued.values())
        if image != self.image or self._withheld_count:
            self._withhold(image)
        request = self._frames.get(image)
        if request is None:
            request = self._frames[image] = self._plan.request(self.device.unit, image)
        return request

    def _withhold(self, image: int) -> None:
        """Of what the image leaves out no read-back is an Ack; people are told when that lasts."""
        issued = zip(self._bits.values(), self._sent_issued, strict=True)
        self._sent_issued = tuple(_NOT_YET if self.image & ~image & bit else at_ns for bit, at_ns in issued)
        self._withheld_count = self._withheld_count + 1 if image != self.image else 0
        if not self._withheld_count:
            self.device.notes.pop(_WATCHDOG, None)
        elif self._withheld_count == WITHHELD_TOLD:
            text = "does not hold its watchdog time: its outputs stay at their fail states until it does"
            self.device.note(_WATCHDOG, f"unit {self.device.unit} {text}")

    def echoed(self) -> None:
        """The module answered that it took the image."""
        self._echoed, self._repeated = True, False
        self._released_ns = NEVER_NS

    def may_repeat(self) -> bool:
        """After a write without its echo: whether it may be written again at once, which it may one time."""
        if self._repeated:
            return False
        self._repeated = self.pending = True
        return True

    def silence(self, now_ns: int) -> None:
        """Nothing is asked of it until its own watchdog must have released every output."""
        self._released_ns = now_ns + self.hold_ns
        self.device.silence(self._released_ns)

    def is_released(self, now_ns: int) -> bool:
        """Whether it was silent for that long and was told nothing but its fail state since."""
        return now_ns >= self._released_ns

    def read_back(self, words: Sequence[int], taken_ns: int) -> bool:
        """Compare the image shown with the image written; False when they differ.

        Acks are given only after an echoed write; before the first one nothing is compared.
        """
        shown = self._plan.shown(words)
        self._shown, self._shown_ns = shown, taken_ns
        if not self._echoed:
            return True
        if shown != self.sent:
            self.device.disobeyed(self.sent, shown)
            return False
        for (tag, bit), issued_ns in zip(self._bits.items(), self._sent_issued, strict=True):
            if issued_ns != _NOT_YET:
                self._acks[tag] = Ack(tag, 1.0 if shown & bit else 0.0, issued_ns, taken_ns)
        return True

    def at_fail_since(self, since_ns: int) -> bool:
        """Whether the newest image shown is all 0, is not older, and nothing else is on its way."""
        return self._shown == self.image == self.sent == 0 and self._shown_ns >= since_ns

    def watchdog_request(self) -> Request:
        """Next step of setting the watchdog and the fail position: read a register, or write it when it differs."""
        address, wanted = self._plan.settings[self._setting]
        if self._watchdog_known:
            return registers_request(self.device.unit, address, (wanted,))
        return read_request(self.device.unit, 3, address, 1)

    def watchdog_reply(self, reply: bytes) -> None:
        """Go on: after a write read again; verified when the timer holds 1..configured count, and the rest is right.

        What is still another one after that write is left as it is until it is looked at again.
        """
        self._missed = False
        if self._watchdog_known:
            self._watchdog_known = False
            return
        shown = int.from_bytes(reply[_REGISTER_AT : _REGISTER_AT + 2], "big")
        wanted = self._plan.settings[self._setting][1]
        is_timer, is_right = self._setting == 0, shown == wanted
        self._sound[self._setting] = is_right or (is_timer and 0 < shown < wanted)
        self._watchdog_known = self._told = not is_right and not self._told
        if not self._told:
            self._setting = (self._setting + 1) % len(self._sound)
        self.watchdog_due = self._told or self._setting > 0
        self.watchdog_verified = all(self._sound)

    def image_words(self) -> range:
        """Places of the words with the image, in the block that shows it."""
        return range(
            self._plan.image_word, self._plan.image_word + (self._plan.count if self._plan.shown_singly else 1)
        )

    def shown_from(self, image_word: int) -> None:
        """The block that shows the image begins elsewhere from now on."""
        self._plan = replace(self._plan, image_word=image_word)

    def refuses_watchdog(self, now_ns: int) -> None:
        """It refused the register, or kept its own: not verified by this, and asked again after a pause."""
        self.watchdog_due = False
        self.verify_ns = now_ns + ASK_AGAIN_NS

    def was_missed(self, now_ns: int) -> None:
        """It did not answer, whatever it was asked: its supply may have dipped, and its settings with it.

        Looked at again with the next free moment; dead, it counts as without them until it shows them.
        """
        if self.device.dead:
            self.doubt_watchdog()
        elif self.watchdog_verified:
            self.verify_again(now_ns)

    def misses_watchdog(self, now_ns: int) -> None:
        """It did not answer when its settings were read or set: after the second time in a row as if it had refused."""
        self._missed = not self._missed
        if not self._missed:
            self.refuses_watchdog(now_ns)

    def verify_again(self, now_ns: int) -> None:
        """Its settings are looked at once more, as from time to time they must."""
        self.verify_ns = now_ns + VERIFY_EVERY_NS
        if self._plan.watchdog_count:
            self._watchdog_known, self.watchdog_due, self._setting, self._told = False, True, 0, False

    def doubt_watchdog(self) -> None:
        """The module was away and may have lost its settings: verify again."""
        if self._plan.watchdog_count:
            self._watchdog_known, self._setting, self._sound = False, 0, [False] * len(self._sound)
            self._told = False
            self.watchdog_due, self.watchdog_verified = True, False
