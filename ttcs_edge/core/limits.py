"""Everything that somebody outside can make large has a bound here, with its unit in its name (never-8)."""

from __future__ import annotations

from msgspec import Struct


class Limits(Struct, frozen=True):
    """Bounds on what comes in and on what waits. A value over its bound is refused, never cut short."""

    envelope_bytes: int = 16 * 1024 * 1024
    scope_chars: int = 200
    id_chars: int = 64
    title_chars: int = 200
    language_chars: int = 35
    found_chars: int = 120
    place_chars: int = 500
    rule_chars: int = 300
    dates_per_slot: int = 400
    zones_per_slot: int = 64
    bulletins_per_slot: int = 32
    slots_per_programme: int = 10_000
    bulletins_per_programme: int = 10_000
    languages_per_bulletin: int = 16
    places_per_audio: int = 4
    alerts: int = 64
    alerts_a_minute: int = 120
    live_sessions: int = 8
    live_packets: int = 100
    live_fresh_s: int = 10
    live_lasts_s: int = 4 * 3_600
    streams: int = 4
    stream_minutes: int = 240
    stream_playlist_bytes: int = 128 * 1024
    stream_piece_bytes: int = 4 * 1024 * 1024
    opus_packet_bytes: int = 1_275
    alert_lasts_s: int = 7 * 86_400
    alert_repeat_least_s: int = 30
    alert_text_chars: int = 4_000
    alert_references: int = 64
    held_bytes: int = 8 * 1024 * 1024
    alert_inline_bytes: int = 256 * 1024
    speech_bytes: int = 32 * 1024 * 1024
    spoken_notes: int = 256
    audio_bytes: int = 64 * 1024 * 1024
    slot_audio_bytes: int = 128 * 1024 * 1024
    audio_duration_ms: int = 2 * 3_600_000
    nesting: int = 16
    keys: int = 64
    keys_per_grant: int = 16
    grants: int = 64
    trust_roots: int = 64
    trust_bytes: int = 2 * 1024 * 1024
    signatures: int = 32
    signatures_per_key: int = 2
    blob_chunk_bytes: int = 128 * 1024
    rule_occurrences: int = 10_000
    waiting_cues: int = 256
    replaced_programmes: int = 16
    open_faults: int = 256
    refused_faults: int = 192
    events_queued: int = 10_000
    records_waiting: int = 10_000
    sound_commands: int = 64
    bus_jobs: int = 256
    operator_chars: int = 32
    fixed_point_steps: int = 256
    outbox_in_flight: int = 20
    resend_reports: int = 100_000
    answers_waiting: int = 32
    correlation_bytes: int = 128
    volume_lasts_s: int = 7 * 86_400
    test_tone_s: int = 30
    relay_held_s: int = 300
    muted_by_command_min: int = 120
    log_lines: int = 1_000
    log_bytes: int = 192 * 1024
    log_part_bytes: int = 16 * 1024
    log_parts: int = 24
    outbox_read_ahead: int = 200
    resend_gaps: int = 100


LIMITS = Limits()
