"""Makes wheels for one platform: puts the library that CHATBLOCK_LIBRARY names into the package, and its licences."""

import os
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LICENCES = ["LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY-NOTICES.txt"]


class BuildHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # An editable install finds the library as the tests do, by the variable at run time.
        if version == "editable":
            return
        library = Path(os.environ.get("CHATBLOCK_LIBRARY", ""))
        if not library.is_file():
            raise FileNotFoundError(
                "CHATBLOCK_LIBRARY must name the libchatblock.so that goes into the wheel"
            )
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["force_include"][str(library.resolve())] = "chatblock/libchatblock.so"
        for name in LICENCES:
            build_data["force_include"][str(installed(library, name))] = f"chatblock/licenses/{name}"


def installed(library: Path, name: str) -> Path:
    """Where `make install` put a licence, beside the folder of the library."""
    for folder in library.resolve().parents:
        file = folder / "share" / "doc" / "chatblock" / name
        if file.is_file():
            return file
    raise FileNotFoundError(f"{name} is not installed with {library}: `make install` does that")
