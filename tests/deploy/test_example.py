"""The example configuration is the simulator's reference pod, so that it cannot fall behind."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def body(path: Path) -> str:
    """The file without its first comment."""
    return path.read_text().split("\nschema_version", 1)[1]


def test_the_example_is_the_reference_pod() -> None:
    assert body(ROOT / "deploy/pod.example.toml") == body(ROOT / "sim_hardware/reference/pod.toml")
