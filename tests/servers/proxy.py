"""A line that loses answers: it passes what a client sends on to a real server, and cuts where the test says."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable


class LossyLine:
    """Listens on `port`. When `lose` finds what has been sent so far complete, the server still gets all of it, the
    next answer is swallowed, and the line is cut."""

    def __init__(self, to_port: int, lose: Callable[[bytes], bool]) -> None:
        self._to_port = to_port
        self._lose = lose
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.lost = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> LossyLine:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # A close alone would leave the accept() of the other thread waiting for ever.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, socket.create_connection(("127.0.0.1", self._to_port), timeout=20) as server:
                client.settimeout(20)
                self._pass(client, server)

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        done = threading.Event()
        losing = threading.Event()

        def back() -> None:
            try:
                while octets := server.recv(65_536):
                    if losing.is_set():
                        self.lost += 1
                        break
                    client.sendall(octets)
            except OSError:
                pass
            done.set()
            for end in (client, server):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        thread = threading.Thread(target=back, daemon=True)
        thread.start()
        sent = b""
        try:
            while octets := client.recv(65_536):
                sent += octets
                if self._lose(sent):
                    losing.set()
                server.sendall(octets)
        except OSError:
            pass
        if not losing.is_set():
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
        thread.join(20)
