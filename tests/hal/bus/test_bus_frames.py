"""Frames are found in any stream, told in words, and no bytes are lost or make anything raise."""

from hypothesis import given
from hypothesis import strategies as st

from hal.bus.frames import ANSWER, GARBAGE, QUESTION, REFUSAL, Cutter, Frame, tell
from sim_hardware.rtu_codec import seal

PDUS = [  # question, answer
    ("0300000002", "0304000A000B"),
    ("0400080001", "04020042"),
    ("0100000008", "0101A5"),
    ("0F0000000801FF", "0F00000008"),
    ("1000000001020014", "1000000001"),
    ("0300630001", "8302"),
    ("11", "1104414243FF"),
    ("2B0E0100", "2B0E01010000020003414243010158"),
    ("160004 00F2 0025".replace(" ", ""), "160004 00F2 0025".replace(" ", "")),
    ("17000000020010000102002A", "170400010002"),
]
exchanges = st.lists(st.tuples(st.integers(1, 247), st.sampled_from(PDUS)), min_size=1, max_size=6)


def cut(pieces: list[bytes]) -> list[Frame]:
    cutter = Cutter()
    found = [frame for piece in pieces for frame in cutter.feed(piece)]
    return found + cutter.silence()


@given(exchanges, st.lists(st.integers(1, 40), max_size=20))
def test_both_directions_come_out_as_they_went_in_whatever_the_pieces(
    talk: list[tuple[int, tuple[str, str]]], sizes: list[int]
) -> None:
    frames = [seal(unit, bytes.fromhex(pdu)) for unit, pair in talk for pdu in pair]
    stream, pieces = b"".join(frames), []
    for size in sizes:
        pieces.append(stream[:size])
        stream = stream[size:]

    found = cut([*pieces, stream])

    assert [frame.data for frame in found] == frames
    assert [frame.kind for frame in found[::2]] == [QUESTION] * len(talk)
    assert all(frame.kind in (ANSWER, REFUSAL) for frame in found[1::2])


@given(st.binary(max_size=600), st.integers(1, 50))
def test_no_byte_is_lost_and_nothing_raises(data: bytes, size: int) -> None:
    found = cut([data[k : k + size] for k in range(0, len(data), size)])

    assert b"".join(frame.data for frame in found) == data


@given(st.binary(min_size=1, max_size=12).filter(lambda data: not any(3 <= byte <= 4 for byte in data)))
def test_a_frame_behind_noise_is_found(noise: bytes) -> None:
    frame = seal(9, bytes.fromhex("0300000002"))

    found = cut([noise + frame])

    assert found[-1].data == frame
    assert b"".join(each.data for each in found[:-1]) == noise


@given(st.binary(max_size=300), st.booleans())
def test_telling_any_bytes_never_raises(data: bytes, is_question: bool) -> None:
    assert tell(data, is_question).data == data


def test_words_name_unit_table_address_and_values() -> None:
    question = tell(seal(3, bytes.fromhex("0400000002")), True)
    answer = tell(seal(3, bytes.fromhex("0404000A00FF")), False)
    refusal = tell(seal(3, bytes.fromhex("8402")), False)
    coils = tell(seal(1, bytes.fromhex("0F0000000801A1")), True)
    hurt = tell(seal(3, bytes.fromhex("0404000A00FF"))[:-1] + b"\x00", False)

    assert (question.unit, question.text) == (3, "read input 0 x2")
    assert answer.text == "read input: 0x000a 0x00ff"
    assert (refusal.kind, refusal.text) == (REFUSAL, "read input: refused, 2 illegal address")
    assert coils.text == "write coil 0 x8 = 10000101"
    assert hurt.kind == GARBAGE
    assert hurt.text.startswith("bad check sequence, should be ")
