"""Sound to Opus packets and back, by the real libopus."""

from __future__ import annotations

import itertools
import math
import os
from array import array

import pytest

from ttcs_edge.opus import PACKET_FRAMES, PACKET_MOST_BYTES, RATE_HZ, OpusDecoder, OpusEncoder, OpusError

HZ = 440


def sine(packets: int) -> list[bytes]:
    """Half of full scale, packet by packet."""
    angles = (2 * math.pi * HZ * n / RATE_HZ for n in range(packets * PACKET_FRAMES))
    samples = array("h", [int(16_000 * math.sin(angle)) for angle in angles])
    return [samples[n : n + PACKET_FRAMES].tobytes() for n in range(0, len(samples), PACKET_FRAMES)]


def rms(samples: bytes) -> float:
    """How loud: of the sine 11 314."""
    values = array("h", samples)
    return math.sqrt(sum(value * value for value in values) / len(values))


def crossings(samples: bytes) -> int:
    """How often the wave goes up through zero."""
    values = array("h", samples)
    return sum(before < 0 <= after for before, after in itertools.pairwise(values))


def test_a_tone_comes_back_with_its_level_and_its_pitch() -> None:
    """50 packets are a second, of which none is cut."""
    encoder, decoder = OpusEncoder(32_000), OpusDecoder()
    packets = [encoder.encode(samples) for samples in sine(50)]
    heard = b"".join(decoder.decode(packet) for packet in packets)

    assert len(heard) == 2 * RATE_HZ
    assert rms(heard[4_000:]) == pytest.approx(11_314, rel=0.05)
    assert crossings(heard[4_000:]) == pytest.approx(HZ * (RATE_HZ - 2_000) / RATE_HZ, abs=2)
    assert 2_000 < sum(map(len, packets)) < 8_000


def test_a_lost_packet_is_concealed_and_a_long_loss_fades_away() -> None:
    """What comes in its place has its length."""
    encoder, decoder = OpusEncoder(32_000), OpusDecoder()
    for samples in sine(20):
        decoder.decode(encoder.encode(samples))
    concealed = [decoder.conceal() for _ in range(50)]

    assert {len(samples) for samples in concealed} == {2 * PACKET_FRAMES}
    assert rms(concealed[0]) > 5_000
    assert rms(concealed[-1]) < 500


@pytest.mark.parametrize(
    ("packet", "error"),
    [
        (b"", f"0 bytes, expected 1 to {PACKET_MOST_BYTES}"),
        (bytes(PACKET_MOST_BYTES + 1), f"1276 bytes, expected 1 to {PACKET_MOST_BYTES}"),
        (b"\x00\x00", "480 samples, expected 960"),
        (b"\xff", "corrupted stream"),
    ],
)
def test_what_is_no_packet_of_20_ms_is_refused_and_the_decoder_goes_on(packet: bytes, error: str) -> None:
    """Whoever may speak may still send anything."""
    encoder, decoder = OpusEncoder(32_000), OpusDecoder()
    with pytest.raises(OpusError) as refused:
        decoder.decode(packet)
    assert str(refused.value) == error
    assert len(decoder.decode(encoder.encode(sine(1)[0]))) == 2 * PACKET_FRAMES


def test_noise_for_packets_kills_nothing() -> None:
    """Each is sound of 20 ms, or refused."""
    decoder, outcomes = OpusDecoder(), set()
    for _ in range(2_000):
        try:
            outcomes.add(len(decoder.decode(os.urandom(100))))
        except OpusError:
            outcomes.add(0)
    assert outcomes == {0, 2 * PACKET_FRAMES}


def test_samples_that_are_no_20_ms_are_refused() -> None:
    """The encoder takes whole packets."""
    with pytest.raises(OpusError) as refused:
        OpusEncoder(32_000).encode(bytes(100))
    assert str(refused.value) == "100 bytes of samples, expected 1920"
