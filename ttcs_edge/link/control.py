"""The Unix socket between the daemon and the technician's commands, both halves: one JSON object a line each way.

A command may send one open file with its line (SCM_RIGHTS, unix(7)): the daemon's own user and sandbox need no right to
the stick on which it lies. Of what comes with a file, or is a deed, who sent it is told, as the kernel knows him
(SO_PEERCRED), for it may change the station: nobody can say that he is somebody else.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a technician's command, which shares this module, does not pay for it
    from ttcs_edge.core.model import LocalUser

REQUEST_BYTES = 64 * 1024
ANSWER_BYTES = 16 * 1024 * 1024
CLIENT_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_S = 2.0
"""How long a client may take to say its line: whoever drips must not keep the others waiting."""
SEND_TIMEOUT_S = 5.0
"""How long a client may take to read its answer."""
CLIENTS_MOST = 8
CLIENTS_WAITING = 64
"""How many more may wait for their turn."""
ACCEPT_RETRY_S = 0.5
"""After the machine had no descriptor or no thread left for a client."""
SOCKET_MODE = 0o660
_UCRED = struct.Struct("=iII")
"""Of ``struct ucred``: process, user and group."""


class ControlError(Exception):
    """No answer: ``code`` is ``not-running``, ``no-permission``, ``timeout``, ``bad-answer`` or the daemon's own."""

    def __init__(self, code: str, **detail: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


def ask(
    path: Path, request: dict[str, Any], timeout_s: float = CLIENT_TIMEOUT_S, file: int | None = None
) -> dict[str, Any]:
    """Send one request to the daemon, with an open file if one is given, and give its answer. Raises ControlError."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            deadline_s = time.monotonic() + timeout_s
            connection.settimeout(timeout_s)
            connection.connect(str(path))
            line = json.dumps(request).encode() + b"\n"
            sent = 0 if file is None else socket.send_fds(connection, [line], [file])
            if sent < len(line):  # to send nothing fails too once the answer is here and the daemon has hung up
                connection.sendall(line[sent:])
            said = _read_line(connection, ANSWER_BYTES, deadline_s)
            if not said:
                raise ConnectionResetError  # it died, or is being stopped, before it had an answer
            answer = json.loads(said)
    except (TimeoutError, BlockingIOError) as error:  # the latter: too many clients wait already
        raise ControlError("timeout", seconds=str(timeout_s)) from error
    except PermissionError as error:
        raise ControlError("no-permission", path=str(path)) from error
    except OSError as error:
        raise ControlError("not-running", path=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise ControlError("bad-answer") from error
    match answer:
        case {"ok": True, "answer": dict(result)}:
            return result
        case {"ok": False, "error": {"code": str(code), "detail": dict(detail)}}:
            refused = ControlError(code)
            refused.detail = {str(name): str(value) for name, value in detail.items()}
            raise refused
        case _:
            raise ControlError("bad-answer")


def _read_line(connection: socket.socket, most_bytes: int, deadline_s: float, files: list[int] | None = None) -> bytes:
    """Read up to the first line feed, or to the end. Raises TimeoutError, or ValueError for a line too long.

    Files that come with it are added to ``files``, and are the caller's to close.
    """
    data = bytearray()
    while b"\n" not in data[-64 * 1024 :]:
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        connection.settimeout(left_s)
        part = connection.recv(64 * 1024) if files is None else _receive(connection, files)
        if not part:
            break
        data += part
        if len(data) > most_bytes:
            raise ValueError("too long")
    return bytes(data.partition(b"\n")[0])


def _receive(connection: socket.socket, files: list[int]) -> bytes:
    """Read what is there, and take the file that came with it. Raises ValueError for more than one."""
    part, came, flags, _ = socket.recv_fds(connection, 64 * 1024, 1, socket.MSG_CMSG_CLOEXEC)
    files += came
    if len(files) > 1 or flags & socket.MSG_CTRUNC:
        raise ValueError("too many files")
    return part


class ControlServer:
    """Answers requests; each client has a thread, and there is room for a few at a time.

    ``answer`` is called on those threads, and ``answer_with_file`` for a request that brings an open file, which is
    closed behind the answer, with who sent it; one of the ``deeds``, by what is asked, with who asks. It gives the
    answer, or raises ControlError to refuse. Whatever else it raises is a mistake of ours that the client is told of as
    ``bad-answer``; the station goes on (never-7).
    """

    def __init__(
        self,
        path: Path,
        answer: Callable[[dict[str, Any]], dict[str, Any]],
        answer_with_file: Callable[[dict[str, Any], int, LocalUser], dict[str, Any]] | None = None,
        deeds: Mapping[str, Callable[[dict[str, Any], LocalUser], dict[str, Any]]] | None = None,
    ) -> None:
        self._path = path
        self._answer = answer
        self._answer_with_file = answer_with_file
        self._deeds = deeds or {}
        self._room = threading.Semaphore(CLIENTS_MOST)
        self._closing = threading.Event()
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        os.chmod(path, SOCKET_MODE)  # nobody can connect before listen()
        self._socket.listen(CLIENTS_WAITING)
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def close(self) -> None:
        """Take no more requests."""
        self._closing.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while not self._closing.is_set():
            self._room.acquire()
            try:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), name="control-client", daemon=True).start()
            except (OSError, RuntimeError):
                self._room.release()
                self._closing.wait(ACCEPT_RETRY_S)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                answer = self._reply(connection)
                connection.settimeout(SEND_TIMEOUT_S)
                connection.sendall(answer)
        except OSError:
            pass  # the client went away: there is nobody to tell
        finally:
            self._room.release()

    def _reply(self, connection: socket.socket) -> bytes:
        files: list[int] = []
        try:
            return self._reply_to(connection, files)
        finally:
            for file in files:
                os.close(file)

    def _reply_to(self, connection: socket.socket, files: list[int]) -> bytes:
        try:
            request = json.loads(_read_line(connection, REQUEST_BYTES, time.monotonic() + REQUEST_TIMEOUT_S, files))
        except (ValueError, RecursionError):
            request = None
        if not isinstance(request, dict) or (files and self._answer_with_file is None):
            return _refusal("bad-request", {})
        try:
            result = self._result(request, files, connection)
            answer = json.dumps({"ok": True, "answer": result}).encode() + b"\n"
        except ControlError as error:
            return _refusal(error.code, error.detail)
        except Exception as error:
            _log_mistake(error)
            return _refusal("bad-answer", {"error": repr(error)[:200]})
        return answer if len(answer) <= ANSWER_BYTES else _refusal("bad-answer", {"found": str(len(answer))})

    def _result(self, request: dict[str, Any], files: list[int], connection: socket.socket) -> dict[str, Any]:
        if files and self._answer_with_file is not None:
            return self._answer_with_file(request, files[0], peer_of(connection))
        asked = request.get("ask")
        deed = self._deeds.get(asked) if isinstance(asked, str) else None
        return self._answer(request) if deed is None else deed(request, peer_of(connection))


def peer_of(connection: socket.socket) -> LocalUser:
    """Who is at the other end: the user under whom that process connected. Raises OSError."""
    import pwd

    from ttcs_edge.core.model import LocalUser

    _, uid, _ = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    try:
        name = pwd.getpwuid(uid).pw_name
    except (KeyError, OSError):  # nobody of that number, or a directory that does not answer
        name = str(uid)
    return LocalUser(uid, name.encode("utf-8", "replace").decode("utf-8"))


def _refusal(code: str, detail: dict[str, str]) -> bytes:
    return json.dumps({"ok": False, "error": {"code": code, "detail": detail}}).encode() + b"\n"


def _log_mistake(error: Exception) -> None:
    import structlog  # a technician's command, which shares this module, does not pay for it

    structlog.get_logger().error("control-answer-failed", exc_info=error)
