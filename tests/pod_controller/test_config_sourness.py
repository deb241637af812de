"""[digestion] that cannot be meant: each value is refused at its line."""

from pathlib import Path

import pytest
from edited_pod import TEXT, edited, faults_of, line_of

FEEDING = TEXT[TEXT.index("[feeding]\n") : TEXT.index('[[transfer]]\nintake = "separator"')]
SECOND_ROW = "{ temp_degc = 25.0, feed_kg_24h = [165.0, 165.0, 0.0, 0.0] }"
CASES = [
    ("fos_tac_hold_ratio = 0.4", "fos_tac_hold_ratio = 0.3", "E113", "not above fos_tac_slow_ratio = 0.3"),
    ("fos_tac_stop_ratio = 0.6", "fos_tac_stop_ratio = 0.39", "E113", "not above fos_tac_hold_ratio = 0.4"),
    ("fos_tac_band_ratio = 0.02", "fos_tac_band_ratio = 0.3", "E113", "would never be free again"),
    ("fos_tac_band_ratio = 0.02", "fos_tac_band_ratio = nan", "E105", "finite"),
    ("held_kg_24h = 330.0", "held_kg_24h = 1500.0", "E113", "holding must feed less"),
    ("full_kg_24h = 1466.0", "full_kg_24h = 1467.0", "E113", "above budget_kg_24h = 1466.0 of [feeding]"),
    ("fresh_s = 30.0\ncarried_s = 21600.0", "fresh_s = 100.0\ncarried_s = 60.0", "E113", "above carried_s = 60.0"),
    ("carried_s = 21600.0", "carried_s = 3.0", "E105", "at least 60"),
    ("step_s = 60.0", "step_s = 0.5", "E105", "at least 5"),
    ("stop_ph = 6.8", "stop_ph = 12.0", "E105", "at most 8"),
    ('ph_tag = "AT-304"', 'ph_tag = "AT-305"', "E112", "did you mean 'AT-304'"),
    ('gas_tag = "FT-311"', 'gas_tag = "SC-211"', "E112", "is no input"),
    (SECOND_ROW, SECOND_ROW.replace("25.0", "0.0"), "E113", "sort the rows by temperature"),
    (SECOND_ROW, SECOND_ROW.replace("[165.0, 165.0", "[165.0, 166.0"), "E113", "166.0 slowed but 165.0 free"),
    (SECOND_ROW, SECOND_ROW.replace("[165.0, 165.0", "[1470.0, 165.0"), "E113", "nothing is seen; lower it"),
    (SECOND_ROW, "{ temp_degc = 25.0, feed_kg_24h = [1.0, 1.0] }", "E104", "feed_kg_24h"),
    ("temp_degc = 35.0              #", "temp_degc = 52.0   #", "E113", "from setpoint_degc = 35.0"),
    ("ki2_mmol_l = 256.0", "ki2_mmol = 256.0", "E103", "did you mean 'ki2_mmol_l'"),
    ("k6_mmol_g = 453.0", "k6_mmol_g = 0.0", "E105", "above 0"),
]


@pytest.mark.parametrize(("old", "new", "code", "words"), CASES)
def test_a_digestion_that_cannot_be_meant_is_told_at_its_line(
    old: str, new: str, code: str, words: str, tmp_path: Path
) -> None:
    told = faults_of(tmp_path, (old, new))

    place = "blind = [" if old == SECOND_ROW else new.splitlines()[0]
    line = line_of(edited([(old, new)]), place)
    matching = [text for text in told if f": {code}" in text and words in text]
    assert matching, told
    assert any(int(text.split(":")[1]) == line for text in matching), (line, matching)


def test_a_cap_without_a_feed_is_refused(tmp_path: Path) -> None:
    told = faults_of(tmp_path, (FEEDING, ""))

    assert any("E113 digestion caps a feed that is not there" in text for text in told), told


def test_a_pod_without_digestion_is_a_pod(tmp_path: Path) -> None:
    assert faults_of(tmp_path, (TEXT[TEXT.index("[digestion]") :], "")) == []
