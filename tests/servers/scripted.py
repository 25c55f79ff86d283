"""A server that says exactly what a test wrote down: for the moments in which a real one cannot be made to fail."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

Answer = Callable[[bytes], bytes | None]


class ScriptedServer:
    """Sends `greeting`, then for each line that ends as `until` says what `answer` returns; None cuts the line.

    `heard` keeps all that came.
    """

    def __init__(self, answer: Answer, *, greeting: bytes = b"220 ready\r\n") -> None:
        self._answer = answer
        self._greeting = greeting
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard: list[bytes] = []
        self.connections = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with client, contextlib.suppress(OSError):
                client.settimeout(10)
                client.sendall(self._greeting)
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        with client.makefile("rb") as lines:
            for line in lines:
                self.heard.append(line)
                answer = self._answer(line)
                if answer is None:
                    return
                client.sendall(answer)


class SmtpScript:
    """A mail server without TLS. `say` maps a moment (ehlo noop mail rcpt data line end rset) to its answer; None cuts
    the line at that moment; "" answers nothing and lets the client wait."""

    def __init__(self, **say: str | None) -> None:
        self.say = say
        self.mails: list[bytes] = []
        self._in_data = False
        self._mail = b""

    def __call__(self, line: bytes) -> bytes | None:
        if self._in_data:
            return self._body(line)
        moment = line[:4].decode("ascii", "replace").strip().lower()
        if moment == "data":
            answer = self._reply("data", "354 go on")
            self._in_data = bool(answer and answer.startswith(b"354"))
            self._mail = b""
            return answer
        return self._reply(moment, {"ehlo": "250-here\r\n250 SIZE 1000000", "quit": "221 bye"}.get(moment, "250 ok"))

    def _body(self, line: bytes) -> bytes | None:
        if line != b".\r\n":
            self._mail += line[1:] if line.startswith(b".") else line
            return b"" if self.say.get("line", "") is not None else None
        self._in_data = False
        answer = self._reply("end", "250 2.0.0 taken")
        if answer is None or answer[:1] in (b"2", b""):
            self.mails.append(self._mail)
        return answer

    def _reply(self, moment: str, usual: str) -> bytes | None:
        answer = self.say.get(moment, usual)
        if answer is None:
            return None
        return f"{answer}\r\n".encode() if answer else b""
