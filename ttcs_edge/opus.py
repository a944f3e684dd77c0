"""Opus packets (RFC 6716) to samples and back, by libopus: mono, 48 kHz, 16 bit, 20 ms a packet.

Sound that is made while it airs cannot wait for a file to be whole. A decoder keeps its state from packet to packet, so
nothing is cut off at a seam and nothing clicks.
"""

from __future__ import annotations

import ctypes
from typing import Any

RATE_HZ = 48_000
PACKET_MS = 20
PACKET_FRAMES = RATE_HZ * PACKET_MS // 1_000
PACKET_MOST_BYTES = 1_275
"""RFC 6716, 3.4, R2: no frame is longer."""

_OK = 0
_APPLICATION_AUDIO = 2049
_SET_BITRATE = 4002


class OpusError(Exception):
    """Bytes that are no packet of 20 ms, or a library that is not there."""


def _library() -> Any:
    try:
        library = ctypes.CDLL("libopus.so.0")
    except OSError as error:
        raise OpusError(f"libopus0: {error}") from error
    handle, number = ctypes.c_void_p, ctypes.c_int
    library.opus_strerror.restype = ctypes.c_char_p
    for name, more in {
        "opus_decoder_create": [number, number, ctypes.POINTER(number)],
        "opus_encoder_create": [number, number, number, ctypes.POINTER(number)],
    }.items():
        getattr(library, name).restype, getattr(library, name).argtypes = handle, more
    library.opus_decode.argtypes = [handle, ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p, number, number]
    library.opus_encode.argtypes = [handle, ctypes.c_char_p, number, ctypes.c_char_p, ctypes.c_int32]
    library.opus_packet_get_nb_samples.argtypes = [ctypes.c_char_p, ctypes.c_int32, ctypes.c_int32]
    library.opus_decoder_destroy.argtypes = library.opus_encoder_destroy.argtypes = [handle]
    return library


class _Codec:
    """A state of libopus's, freed with the object that holds it. One thread uses it."""

    _destroy: str

    def __init__(self) -> None:
        self._library = _library()
        self._state: int | None = None

    def _keep(self, state: int | None, code: int) -> None:
        self._check(code)
        self._state = state

    def _check(self, code: int) -> int:
        if code < _OK:
            raise OpusError(self._library.opus_strerror(code).decode())
        return code

    def __del__(self) -> None:
        if self._state is not None:
            getattr(self._library, self._destroy)(self._state)


class OpusDecoder(_Codec):
    """Packets to samples. Raises OpusError where libopus is missing."""

    _destroy = "opus_decoder_destroy"

    def __init__(self) -> None:
        super().__init__()
        code = ctypes.c_int()
        self._keep(self._library.opus_decoder_create(RATE_HZ, 1, ctypes.byref(code)), code.value)
        self._samples = ctypes.create_string_buffer(2 * PACKET_FRAMES)

    def decode(self, packet: bytes) -> bytes:
        """The 20 ms of a packet, as 960 samples of 16 bit. Raises OpusError for what is none, or longer, or shorter."""
        if not 0 < len(packet) <= PACKET_MOST_BYTES:
            raise OpusError(f"{len(packet)} bytes, expected 1 to {PACKET_MOST_BYTES}")
        frames = self._check(self._library.opus_packet_get_nb_samples(packet, len(packet), RATE_HZ))
        if frames != PACKET_FRAMES:
            raise OpusError(f"{frames} samples, expected {PACKET_FRAMES}")
        return self._decoded(packet, len(packet))

    def conceal(self) -> bytes:
        """20 ms in the place of a packet that is lost, made of what came before it; longer losses fade away."""
        return self._decoded(None, 0)

    def _decoded(self, packet: bytes | None, size_bytes: int) -> bytes:
        frames = self._library.opus_decode(self._state, packet, size_bytes, self._samples, PACKET_FRAMES, 0)
        return self._samples.raw[: 2 * self._check(frames)]


class OpusEncoder(_Codec):
    """Samples to packets, at about ``bitrate_bps``. Raises OpusError where libopus is missing."""

    _destroy = "opus_encoder_destroy"

    def __init__(self, bitrate_bps: int) -> None:
        super().__init__()
        code = ctypes.c_int()
        state = self._library.opus_encoder_create(RATE_HZ, 1, _APPLICATION_AUDIO, ctypes.byref(code))
        self._keep(state, code.value)
        control = self._library.opus_encoder_ctl
        self._check(control(ctypes.c_void_p(self._state), _SET_BITRATE, ctypes.c_int32(bitrate_bps)))
        self._packet = ctypes.create_string_buffer(PACKET_MOST_BYTES)

    def encode(self, samples: bytes) -> bytes:
        """A packet of 960 samples of 16 bit. Raises OpusError for fewer or more."""
        if len(samples) != 2 * PACKET_FRAMES:
            raise OpusError(f"{len(samples)} bytes of samples, expected {2 * PACKET_FRAMES}")
        size_bytes = self._library.opus_encode(self._state, samples, PACKET_FRAMES, self._packet, PACKET_MOST_BYTES)
        return self._packet.raw[: self._check(size_bytes)]
