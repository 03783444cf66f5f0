"""A proxy on loopback that notes when each request arrives: the count that the client has no part in."""

import contextlib
import socket
import threading
import time


class Recorder:
    """Requests are told apart by their first bytes: nobody sends the next one before the answer came."""

    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self.target = (host, int(port))
        self.arrivals = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass_on, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(server, client, False), daemon=True).start()

    def _pass_on(self, source, sink, are_requests):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if are_requests and data.startswith(b"POST "):
                    self.arrivals.append(time.monotonic())
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def most_in_one_second(self):
        times = sorted(self.arrivals)
        first = most = 0
        for last, moment in enumerate(times):
            while times[first] <= moment - 1.0:
                first += 1
            most = max(most, last - first + 1)
        return most


@contextlib.contextmanager
def recording(target):
    recorder = Recorder(target)
    try:
        yield recorder
    finally:
        recorder.listener.close()
