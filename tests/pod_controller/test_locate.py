"""Positions of faults in a TOML text: each path leads to the line that a person has to change."""

import tomllib

import pytest

from pod_controller.locate import locate, locate_syntax_error

TEXT = """\
name = "pod"

[limits]
tick_s = 0.5
  span = { low = 0, high = 10 }

[[vessel]]
id = "buffer"

[[vessel]]
id = "sump"
"odd/key~" = 1
levels = [
  1.0,
  2.0,
]

[vessel.sensor]
tag = "LT-401"

[guard.margin]
wave_m = 0.05
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("name",), (1, 1)),
        (("limits", "tick_s"), (4, 1)),
        (("limits", "span"), (5, 3)),
        (("limits", "span", "high"), (5, 21)),
        (("limits",), (3, 1)),
        (("limits", "missing"), (3, 1)),
        (("vessel", 0, "id"), (8, 1)),
        (("vessel", 0, "missing"), (7, 1)),
        (("vessel", 1), (10, 1)),
        (("vessel", 1, "id"), (11, 1)),
        (("vessel", 1, "odd/key~"), (12, 1)),
        (("vessel", 1, "levels", 1), (13, 1)),
        (("vessel", 1, "sensor", "tag"), (19, 1)),
        (("vessel", 1, "sensor", "missing"), (18, 1)),
        (("vessel", 1, "a-tag-of-pydantic", "sensor", "tag"), (19, 1)),
        (("guard", "margin", "wave_m"), (22, 1)),
        (("guard", "missing"), (1, 1)),
        (("nowhere", "at", "all"), (1, 1)),
        ((), (1, 1)),
    ],
)
def test_a_path_leads_to_its_place(path: tuple[str | int, ...], place: tuple[int, int]) -> None:
    assert locate(TEXT, path) == place


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = = 2\n", 2), ("a = 1\n[x\n", 2), ("a = 1\nb = [1,\n", 2), ('a = "\n', 1)],
)
def test_a_syntax_error_has_a_line(text: str, line: int) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)

    assert locate_syntax_error(text, caught.value).line == line
