"""The state of the pod in PackML words, and what moves it.

    STOPPED   after every start of the core: outputs off until the scans are coherent
    IDLE      armed: waits for a person's start
    EXECUTE   runs
    SUSPENDED runs, but some vessel is out of sight: its inlets are shut; ends by itself when the evidence returns
    HELD      a person holds it: outputs at their fail states until start
    ABORTED   a bug or a failed self-test: outputs at their fail states until reset

Neighbours: `loop` advances it once a tick. Must not know which vessel or why; that is in the permit.
"""

from enum import Enum

from pod_controller.kernels import records
from pod_controller.kernels.records import Table

COHERENT_SCANS = 5


class State(Enum):
    """PackML state of the pod (ISA-TR88.00.02)."""

    STOPPED = "STOPPED"
    IDLE = "IDLE"
    EXECUTE = "EXECUTE"
    SUSPENDED = "SUSPENDED"
    HELD = "HELD"
    ABORTED = "ABORTED"


class Modes:
    """The pod's state; requests by people, advances by evidence."""

    def __init__(self) -> None:
        self.state = State.STOPPED
        self._coherent = 0

    @property
    def executes(self) -> bool:
        """True while wishes may become permits."""
        return self.state in (State.EXECUTE, State.SUSPENDED)

    def advance(self, coherent: bool, in_sight: bool) -> None:
        """Once a tick: count coherent scans while STOPPED, follow lost and returned evidence while running."""
        if self.state is State.STOPPED:
            self._coherent = self._coherent + 1 if coherent else 0
            if self._coherent >= COHERENT_SCANS:
                self.state = State.IDLE
        elif self.executes:
            self.state = State.EXECUTE if in_sight else State.SUSPENDED

    def start(self) -> bool:
        """A person's start: from IDLE or HELD; False if the pod is in no state to."""
        if self.state not in (State.IDLE, State.HELD):
            return False
        self.state = State.EXECUTE
        return True

    def hold(self) -> bool:
        """A person holds the pod; False if it does not run."""
        if not self.executes:
            return False
        self.state = State.HELD
        return True

    def stop(self) -> bool:
        """A person stops the pod: outputs to their fail states, and arm again from nothing; False if that is so."""
        if self.state in (State.STOPPED, State.ABORTED):
            return False
        self.state = State.STOPPED
        self._coherent = 0
        return True

    def abort(self) -> None:
        """A broken promise: nothing moves until a person resets."""
        self.state = State.ABORTED

    def reset(self) -> bool:
        """A person's reset after an abort: arm again from nothing."""
        if self.state is not State.ABORTED:
            return False
        self.state = State.STOPPED
        self._coherent = 0
        return True


def in_sight(plant: Table, state: Table) -> bool:
    """True if no vessel counts as full for want of a vote."""
    n = int(plant["n_vessels"][0])
    return bool((state["blind_s"][0, :n] <= plant["vessels"]["stale_s"][0, :n]).all())


def coherent(plant: Table, state: Table) -> bool:
    """True if every vessel is in sight and every element that can bring mass in is shut for all we know."""
    n = int(plant["n_elements"][0])
    duty = plant["elements"]["role"][0, :n] != records.FREE
    return in_sight(plant, state) and bool((state["envelope_frac"][0, :n][duty] == 0.0).all())
