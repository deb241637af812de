"""deploy/requirements.lock pins everything the project asks for, with hashes, and names no place to download from."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "deploy/requirements.lock").read_text("utf-8")
POD_PART, TEST_PART = LOCK.split("# --- test", maxsplit=1)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]


def pins(part: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", part, flags=re.MULTILINE))


def test_the_lock_names_no_place_to_download_from() -> None:
    assert not re.findall(r"://|--index|--find-links|--extra-index|--trusted-host| @ ", LOCK)


def test_every_release_has_hashes() -> None:
    blocks = [block for block in re.split(r"\n(?=[a-z])", LOCK) if "==" in block.split("\n")[0]]

    assert len(blocks) == len(pins(LOCK))
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        (POD_PART, PROJECT["project"]["dependencies"]),
        (POD_PART, PROJECT["build-system"]["requires"]),
        (POD_PART, EXTRAS["lab"] + EXTRAS["console"] + EXTRAS["services"]),
        (TEST_PART, EXTRAS["test"]),
    ],
    ids=["core", "build", "lab", "test"],
)
def test_the_pinned_release_is_one_the_project_asks_for(part: str, wanted: list[str]) -> None:
    pinned = pins(part)
    asked = [Requirement(text) for text in wanted]

    assert all(pinned[canonicalize_name(one.name)] in one.specifier for one in asked)


def test_the_parts_do_not_overlap() -> None:
    assert not pins(POD_PART).keys() & pins(TEST_PART).keys()
