"""Services for remote clients, on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

APP = {"sdkappid": 1400000001, "secret_key": "synthetic-key-for-tests-0001"}


def remote(base_url: str, **more: Any) -> dict[str, Any]:
    """The configuration of a client of the service at `base_url`."""
    return {"backend": "remote", "base_url": base_url, **APP, **more}


@contextlib.contextmanager
def serving(folder: Path, config: Mapping[str, Any]) -> Iterator[str]:
    """`chatblock serve` with this configuration; its base URL."""
    file = folder / "serve.json"
    file.write_text(json.dumps({"backend": "embedded", **APP, **config}))
    program = Path(os.environ["CHATBLOCK_PREFIX"], "bin", "chatblock")
    command = [str(program), "serve", "--config", str(file), "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("listening on ").strip()
        finally:
            process.terminate()


class Silence:
    """Accepts connections, reads what comes, and never answers."""

    def __enter__(self) -> Silence:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._connections: list[socket.socket] = []
        self.base_url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Wakes accept; closing alone does not.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for connection in (*self._connections, self._listening):
            connection.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._connections.append(self._listening.accept()[0])


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits until it holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not become so"
        time.sleep(0.01)
