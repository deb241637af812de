"""The plant as the executive and the devices see it: advance, probe, drive, faults, and the figures of a run.

A Python face on the compiled `plant.play`; it holds the tables of one run and nothing else. Neighbours: `wiring` hangs
devices on its probes and its drive, `executive` advances it, `scenarios` supplies what happens. Must not know bytes,
lines or the controller.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hal.errors import PodError
from sim_hardware import plant_records as rec
from sim_hardware.biology.summary import summary
from sim_hardware.biology.turn import turn
from sim_hardware.layout import actuators, signals, vessel_names
from sim_hardware.plant import begin, change, play, switch_fault
from sim_hardware.plant_records import Table, table
from sim_hardware.signals import show_all

UNKNOWN_TAG = 150


@dataclass(frozen=True)
class VesselFigures:
    """How full a vessel got, and what went over its lip."""

    max_level_frac: float
    spilled_kg: float


@dataclass(frozen=True)
class SourceFigures:
    """What came to one chute."""

    arrived_kg: float
    accepted_kg: float
    refused_kg: float


@dataclass(frozen=True)
class Figures:
    """What became of the mass. kg are wet waste up to the buffer, everything behind it."""

    arrived_kg: float
    accepted_kg: float
    refused_kg: float
    processed_kg: float
    held_start_kg: float
    held_kg: float
    spilled_kg: float
    balance_error_kg: float
    total_error_kg: float
    max_level_frac: float
    sources: Mapping[str, SourceFigures]
    vessels: Mapping[str, VesselFigures]
    biology: Mapping[str, Any] | None = None  # as `biology.summary` says; None without it


class Plant:
    """One pod's hardware in one run."""

    def __init__(self, params: Table, pod: Table, events: Table, faults: Table) -> None:
        """params, pod: one record each (`params`); events sorted by time; faults: rows that events switch."""
        self._params = params
        self._pod = pod
        self._events = events
        self._faults = faults
        self._shown = np.zeros(rec.SIGNALS)
        self._view = memoryview(self._shown)  # type: ignore[arg-type]  # numpy arrays are buffers from Python 3.12 on for mypy
        self._stale = True
        self.chutes = int(params[0].n_chutes)
        self._actuators = actuators(self.chutes)
        self._signals = signals(self.chutes)
        self._lives = bool(params[0].biology.period_ns > 0)
        self._due_ns = pod["biology"]["due_ns"]
        begin(params, pod)
        if self._lives:
            self._compile()

    def _compile(self) -> None:
        """Have everything compiled on a copy: a controller built next closes what is compiled to other types."""
        spare = self._pod.copy()
        play(self._params, spare, self._events, self._faults, 0)
        turn(self._params, spare)

    @property
    def drive(self) -> Table:
        """Outputs by actuator, 1 = energised; change them with `set_drive`."""
        drive: Table = self._pod["drive"][0]
        return drive

    @property
    def records(self) -> tuple[Table, Table]:
        """PARAMS and POD of this run, to look at."""
        return self._params, self._pod

    @property
    def now_ns(self) -> int:
        """How far the plant has come."""
        return int(self._pod[0].now_ns)

    def advance_to(self, now_ns: int) -> None:
        """Bring the plant to now_ns; bags, draws and plant faults due on the way happen at their exact times."""
        while self._lives and self._due_ns[0] <= now_ns:
            play(self._params, self._pod, self._events, self._faults, int(self._due_ns[0]))
            turn(self._params, self._pod)
        play(self._params, self._pod, self._events, self._faults, now_ns)
        self._stale = True

    def probe(self, tag: str) -> Callable[[], float]:
        """A function that gives what the instrument `tag` shows now, in the unit it speaks; NaN = it shows nothing."""
        signal = _find(tag, self._signals, "input")
        view = self._view

        def read() -> float:
            if self._stale:
                self._look()
            return float(view[signal])

        return read

    def probes(self) -> dict[str, Callable[[], float]]:
        """A probe for every input tag of the pod."""
        return {tag: self.probe(tag) for tag in self._signals}

    def set_drive(self, tag: str, on: bool) -> None:
        """Energise or release output `tag` from now on; the caller has brought the plant to now before."""
        change(self._pod[0], _find(tag, self._actuators, "output"), 1.0 if on else 0.0)

    def switch(self, fault: Table, phase: int) -> None:
        """Begin or end one plant fault (a FAULT row) now: FAULT_ON, FAULT_OFF or FAULT_END."""
        switch_fault(self._params[0], self._pod[0], fault[0], phase)
        self._stale = True

    def jam(self, tag: str, open_frac: float = -1.0, feedback: int = rec.HONEST) -> None:
        """Stick the actuator of output `tag` where it is, or at open_frac."""
        row = table(rec.FAULT)
        row[0].kind, row[0].target = rec.GATE_JAM, _find(tag, self._actuators, "output")
        row[0].k, row[0].feedback = open_frac, feedback
        self.switch(row, rec.FAULT_ON)

    def figures(self) -> Figures:
        """The accounts at this moment."""
        return figures(self._params, self._pod)

    def _look(self) -> None:
        show_all(self._params, self._pod, self._shown)
        self._stale = False


class StandingPlant(Plant):
    """A plant in which nothing arrives, flows or moves: every instrument shows its first value, without an error.

    Outputs are held but nothing follows them, so that what a master was told stays true whatever it writes. Only time
    and faults go on.
    """

    _GOES_ON = (
        *("now_ns", "next_event", "next_event_ns", "slow_at_ns", "truck_at_ns", "bin_at_ns", "power_lost"),
        *("drive", "stuck_frac", "feedback", "signal_fault", "signal_k", "signal_at_ns"),
        *("signal_gain_ratio", "at_standard", "standard_k"),
    )

    def __init__(self, params: Table, pod: Table, events: Table, faults: Table) -> None:
        """As Plant; the honest errors of the instruments are taken out of params."""
        params["signal_error"][:] = 0.0
        super().__init__(params, pod, events, faults)
        self._rest = pod.copy()
        self._still = [name for name in pod.dtype.names or () if name not in self._GOES_ON]

    def advance_to(self, now_ns: int) -> None:
        """Time passes; everything else is put back."""
        super().advance_to(now_ns)
        for name in self._still:
            self._pod[name] = self._rest[name]


def figures(params: Table, pod: Table) -> Figures:
    """The accounts of a run from its tables (one record each)."""
    p, s = params[0], pod[0]
    chutes = int(p.n_chutes)
    names = vessel_names(chutes)
    arrived_kg, refused_kg = float(s.arrived_kg.sum()), float(s.refused_kg.sum())
    held_kg = float(s.content_kg[: rec.FRONT].sum() - s.buffer_water_kg)
    front_spilled_kg = float(s.spilled_waste_kg[: rec.FRONT].sum())
    in_kg = float(s.total_start_kg) + arrived_kg - refused_kg + float(s.supplied_kg)
    out_kg = float(s.spilled_kg.sum() + s.drawn_kg + s.hauled_kg + s.content_kg.sum())
    out_kg += float(s.biology.made_kg + s.biology.vapour_kg)
    vessels = {name: _vessel(p, s, vessel) for name, vessel in names.items()}
    accepted_kg = arrived_kg - refused_kg
    return Figures(
        arrived_kg=arrived_kg,
        accepted_kg=accepted_kg,
        refused_kg=refused_kg,
        processed_kg=float(s.processed_kg),
        held_start_kg=float(s.held_start_kg),
        held_kg=held_kg,
        spilled_kg=float(s.spilled_waste_kg.sum()),
        balance_error_kg=abs(float(s.held_start_kg) + accepted_kg - float(s.processed_kg) - front_spilled_kg - held_kg),
        total_error_kg=abs(in_kg - out_kg),
        max_level_frac=max(figure.max_level_frac for figure in vessels.values()),
        sources={f"chute_{1 + c}": _source(s, c) for c in range(chutes)},
        vessels=vessels,
        biology=summary(params, pod),
    )


def _vessel(p: rec.Row, s: rec.Row, vessel: int) -> VesselFigures:
    return VesselFigures(float(s.most_kg[vessel] / p.lip_kg[vessel]), float(s.spilled_waste_kg[vessel]))


def _source(s: rec.Row, c: int) -> SourceFigures:
    arrived_kg, refused_kg = float(s.arrived_kg[c]), float(s.refused_kg[c])
    return SourceFigures(arrived_kg, arrived_kg - refused_kg, refused_kg)


def _find(tag: str, known: Mapping[str, int], kind: str) -> int:
    if tag in known:
        return known[tag]
    raise PodError(UNKNOWN_TAG, f"plant: {tag} is no {kind} of this pod: choose one of {', '.join(known)}")
