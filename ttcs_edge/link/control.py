"""The Unix socket between the daemon and the technician's commands, both halves: one JSON object a line each way."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

REQUEST_BYTES = 64 * 1024
ANSWER_BYTES = 16 * 1024 * 1024
CLIENT_TIMEOUT_S = 5.0
CLIENTS_MOST = 8


class ControlError(Exception):
    """No answer: ``code`` is ``not-running``, ``no-permission``, ``timeout``, ``bad-answer`` or the daemon's own."""

    def __init__(self, code: str, **detail: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


def ask(path: Path, request: dict[str, Any], timeout_s: float = CLIENT_TIMEOUT_S) -> dict[str, Any]:
    """Send one request to the daemon and give its answer. Raises ControlError."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout_s)
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(_read_line(connection, ANSWER_BYTES))
    except TimeoutError as error:
        raise ControlError("timeout", seconds=str(timeout_s)) from error
    except PermissionError as error:
        raise ControlError("no-permission", path=str(path)) from error
    except OSError as error:
        raise ControlError("not-running", path=str(path)) from error
    except ValueError as error:
        raise ControlError("bad-answer") from error
    if not isinstance(answer, dict) or not answer.get("ok"):
        fault = answer.get("error", {}) if isinstance(answer, dict) else {}
        raise ControlError(fault.get("code", "bad-answer"), **fault.get("detail", {}))
    result: dict[str, Any] = answer["answer"]
    return result


def _read_line(connection: socket.socket, most_bytes: int) -> bytes:
    data = bytearray()
    while not data.endswith(b"\n"):
        part = connection.recv(64 * 1024)
        if not part:
            break
        data += part
        if len(data) > most_bytes:
            raise ValueError("too long")
    return bytes(data)


class ControlServer:
    """Answers requests; each client has a thread, and there is room for a few at a time.

    ``answer`` is called on those threads. It gives the answer, or raises ControlError to refuse.
    """

    def __init__(self, path: Path, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self._path = path
        self._answer = answer
        self._room = threading.Semaphore(CLIENTS_MOST)
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o117)
        try:
            self._socket.bind(str(path))
        finally:
            os.umask(before)
        self._socket.listen(CLIENTS_MOST)
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def close(self) -> None:
        """Take no more requests."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._room.acquire()
            threading.Thread(target=self._serve, args=(connection,), name="control-client", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(CLIENT_TIMEOUT_S)
                connection.sendall(json.dumps(self._reply(connection)).encode() + b"\n")
        except OSError:
            pass  # the client went away: there is nobody to tell
        finally:
            self._room.release()

    def _reply(self, connection: socket.socket) -> dict[str, Any]:
        try:
            request = json.loads(_read_line(connection, REQUEST_BYTES))
            if not isinstance(request, dict):
                raise ValueError("not an object")
            return {"ok": True, "answer": self._answer(request)}
        except ControlError as error:
            return {"ok": False, "error": {"code": error.code, "detail": error.detail}}
        except (ValueError, RecursionError):
            return {"ok": False, "error": {"code": "bad-request", "detail": {}}}
