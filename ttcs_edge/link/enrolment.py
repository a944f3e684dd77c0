"""``python -m ttcs_edge.link.enrolment HOST PORT``: one message to the enrolment broker, and the answer to it.

A program of its own, so that a technician's command loads no MQTT. The message comes on standard input, the answer goes
to standard output; with ``--tell`` nobody waits for one. Nothing secret passes through here: what is said is proven by
those who read it, and the broker's certificate is not checked, because a station that enrols knows no authority yet.
What kept a connection from coming up is told on standard error as one word, with exit code 69; 75: no answer in time.
"""

from __future__ import annotations

import argparse
import os
import queue
import ssl
import sys
import time
from secrets import token_hex
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from ttcs_edge.link.reasons import reason_of
from ttcs_edge.wire.enrolment import CLIENT_BYTES, REQUEST_BYTES, answer_topic, request_topic

CONNECT_S = 15.0
AGAIN_S = 15.0
"""How often it asks again: who answers may have come later, or a message may have been lost."""
KEEPALIVE_S = 30
LOOK_UP_S = 0.25


class NotReached(Exception):
    """The broker cannot be spoken to; its text is a reason."""


class Asking:
    """A connection under a name by chance, which hears nothing but its own answer."""

    def __init__(self, host: str, port: int) -> None:
        self.name = token_hex(CLIENT_BYTES)
        self.answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._up: ReasonCode | None = None
        self._client = Client(CallbackAPIVersion.VERSION2, self.name, protocol=MQTTv5)
        self._client.connect_timeout = CONNECT_S
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._client.tls_set_context(context)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        try:
            self._client.connect(host, port, KEEPALIVE_S, clean_start=True)
        except (OSError, ValueError) as error:
            raise NotReached(reason_of(error)) from error
        self._until(lambda: self._up is not None, CONNECT_S)
        if self._up is None or self._up.is_failure:
            raise NotReached("timeout" if self._up is None else "refused")

    def tell(self, message: bytes) -> None:
        """Send, and wait until the broker has it. Raises NotReached."""
        sent = self._client.publish(request_topic(self.name), message, qos=1)
        self._until(sent.is_published, CONNECT_S)

    def ask(self, message: bytes, seconds: float) -> bytes | None:
        """Send until an answer comes; None when none does in time. Raises NotReached."""
        end_s = time.monotonic() + seconds
        while (now_s := time.monotonic()) < end_s and self.answers.empty():
            self.tell(message)
            self._until(lambda: not self.answers.empty(), min(AGAIN_S, end_s - now_s))
        return None if self.answers.empty() else self.answers.get()

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop(LOOK_UP_S)

    def _until(self, done: Any, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while not done() and time.monotonic() < end_s:
            if self._client.loop(LOOK_UP_S) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise NotReached("lost" if self._up is not None else "refused")

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        self._up = reason
        client.subscribe(answer_topic(self.name), qos=1)

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        self.answers.put(bytes(message.payload))


def main() -> int:
    """Run the program; gives its exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--tell", action="store_true")
    given = parser.parse_args()
    message = sys.stdin.buffer.read(REQUEST_BYTES)
    try:
        asking = Asking(given.host, given.port)
        if given.tell:
            asking.tell(message)
            answer: bytes | None = b""
        else:
            answer = asking.ask(message, given.seconds)
        asking.close()
    except NotReached as error:
        print(error, file=sys.stderr)
        return os.EX_UNAVAILABLE
    if answer is None:
        return os.EX_TEMPFAIL
    sys.stdout.buffer.write(answer)
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
