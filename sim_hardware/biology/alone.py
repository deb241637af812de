"""The living part alone under a feed that is given, minute by minute: no chutes, no controller, a simple thermostat.

The same plant tables, the same `play` and the same turn of the biology as in a whole pod, so a digester here is the
digester there; a month takes seconds. Neighbours: `readings` is what comes out. Must not know scenarios.
"""

from collections.abc import Iterable, Iterator

from pod_controller.kernels.compile import kernel
from sim_hardware import plant_records as rec
from sim_hardware.biology.readings import Reading, read
from sim_hardware.biology.settings import Settings
from sim_hardware.biology.start import equip
from sim_hardware.biology.turn import turn
from sim_hardware.params import Start, fresh_pod, plant_params, reference
from sim_hardware.plant import begin, change, play
from sim_hardware.plant_records import Table, table
from sim_hardware.tanks import feed_digester

WARM_DEGC = 35.0
ORDINARY = Settings()


class Alone:
    """One digester with its gas line and luminous reactor, which is dosed unless somebody drives it otherwise."""

    def __init__(self, settings: Settings = ORDINARY, seed: int = 0) -> None:
        """A pod in its steady state; `params` and `pod` are its records."""
        self.params = plant_params(seed)
        self.pod = fresh_pod(self.params, Start())
        equip(self.params, self.pod, settings, 0.0, reference("biology.toml"))
        begin(self.params, self.pod)
        self._none = table(rec.EVENT, 0), table(rec.FAULT, 0)
        for output in (rec.DOSING_PUMP, rec.DOSING_VALVE, rec.SUMP_PUMP, rec.SUMP_VALVE):
            self.drive(output, True)

    def drive(self, actuator: int, on: bool) -> None:
        """Energise or release an output, as a module would."""
        change(self.pod[0], actuator, 1.0 if on else 0.0)

    def minute(self, waste_kg: float) -> Reading:
        """Feed so much wet waste with its water, and live through the period."""
        self.prepare(waste_kg)
        self.turn()
        return read(self.pod)

    def prepare(self, waste_kg: float) -> None:
        """The minute's hydraulics and heat alone: what was fed waits for the turn."""
        _feed(self.params, self.pod, waste_kg)
        self.drive(rec.HEATER, self.pod[0].temp_degc < WARM_DEGC)
        play(self.params, self.pod, *self._none, int(self.pod[0].biology.due_ns))

    def turn(self) -> None:
        """Biology's turn, which has come due."""
        turn(self.params, self.pod)

    def run(self, waste_kg: Iterable[float]) -> Iterator[Reading]:
        """A reading at the end of every minute of a feed in kg of wet waste per minute."""
        for kg in waste_kg:
            yield self.minute(kg)


@kernel
def _feed(params: Table, state: Table, waste_kg: float) -> None:
    p = params[0]
    feed_digester(p, state[0], waste_kg, waste_kg * p.water_ratio)
