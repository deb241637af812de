"""`python -m sim_hardware.adm1`. Neighbours: `simulation` has the command. Must not know the model."""

from sim_hardware import cli_science
from sim_hardware.adm1.simulation import command

if __name__ == "__main__":
    raise SystemExit(cli_science.run(command))
