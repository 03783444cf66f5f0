"""The app whose calls are signed, and the signature as chatblock makes it."""

import contextlib
import ctypes
import json
import pathlib
import tempfile

from .workshop import BUILD, LeftOut, output, serving

SDKAPPID = 1400000001
IDENTIFIER = "administrator"
SECRET_KEY = "a secret key of the usual length, 64 bytes, as text 000000000000"


def usersig(workshop):
    library = ctypes.CDLL(str(workshop.library))
    library.chatblock_usersig_generate.restype = ctypes.c_void_p
    library.chatblock_result_usersig.restype = ctypes.c_char_p
    library.chatblock_result_usersig.argtypes = [ctypes.c_void_p]
    library.chatblock_result_free.argtypes = [ctypes.c_void_p]
    result = library.chatblock_usersig_generate(SDKAPPID, SECRET_KEY.encode(), IDENTIFIER.encode(), 86400)
    text = library.chatblock_result_usersig(result).decode()
    library.chatblock_result_free(result)
    return text


@contextlib.contextmanager
def chatblock_serve(workshop, rate_per_second, **more):
    """A fresh `chatblock serve` on the embedded engine: in memory unless `more` names a path."""
    program = workshop.release / "chatblock"
    if "serve" not in (output([str(program), "--help"]) if program.exists() else ""):
        raise LeftOut("needs `chatblock serve`: cargo build --release")
    config = {"backend": "embedded", "sdkappid": SDKAPPID, "secret_key": SECRET_KEY, "rate_per_second": rate_per_second} | more
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(config, file)
        file.flush()
        with serving(str(program), "serve", "--config", file.name, "--listen", "127.0.0.1:0") as server:
            yield server


def throw_away_ca():
    """A certificate authority that lives as long as the build directory, and localhost's certificate."""
    folder = BUILD / "tls"
    folder.mkdir(exist_ok=True)
    names = {name: str(folder / name) for name in ("ca.pem", "ca.key", "server.pem", "server.key", "server.csr", "san")}
    pathlib.Path(names["san"]).write_text("subjectAltName=DNS:localhost\n", encoding="ascii")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    output(["openssl", "req", "-x509", *key, "-keyout", names["ca.key"], "-out", names["ca.pem"], "-subj", "/CN=bench", "-days", "2"])
    output(["openssl", "req", *key, "-keyout", names["server.key"], "-out", names["server.csr"], "-subj", "/CN=localhost"])
    output(["openssl", "x509", "-req", "-in", names["server.csr"], "-CA", names["ca.pem"], "-CAkey", names["ca.key"],
            "-CAcreateserial", "-days", "2", "-extfile", names["san"], "-out", names["server.pem"]])
    return names["ca.pem"], names["server.pem"], names["server.key"]
