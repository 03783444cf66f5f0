"""The README shows what is tested."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parents[1]


def test_the_readme_shows_the_example_that_is_packaged() -> None:
    example = (_HERE / "examples" / "ten_lines.py").read_text("utf-8")
    assert len(example.splitlines()) == 10
    assert f"```python\n{example}```\n" in (_HERE / "README.md").read_text("utf-8")
