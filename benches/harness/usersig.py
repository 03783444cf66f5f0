"""P10: making signatures, one thread."""

from .table import Row
from .workshop import measure, median

NEEDS = ("g++", "openssl/hmac.h", "zlib.h")

SMALL_STEPS = "what is left is HMAC, base64, Adler-32, a text to sign, one in JSON, and wiping the copies of the signature"


def run(workshop):
    ours = workshop.ours("usersig_chatblock.cpp")
    peer = workshop.peer("peers/usersig_openssl.cpp", "crypto", "z")
    sides = workshop.alternate(lambda: measure(ours, 200_000), lambda: measure(peer, 8_000))
    per_second = [1e6 / median(side, "cpu_us") for side in sides]
    return [Row("P10", "UserSig generate, one thread", *per_second, "/s", ">= 50 x", SMALL_STEPS)]
