"""Every piece of Python in the documents, run: the blocks of one document follow each other.

A block begins with ```python, or with ```python torch where it needs that package.
"""

import importlib.util
import sys
import types

import pytest
from conftest import ROOT, need, need_board

DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md")})


def blocks(path):
    """Flavour, first line and text of each block of Python."""
    inside, found = False, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```"):
            if inside:
                inside = False
            elif line[3:].split()[:1] == ["python"]:
                inside = True
                found.append((line[3:].split()[1:], number + 1, []))
            else:
                inside = False
        elif inside:
            found[-1][2].append(line)
    return [(flavour, line, "\n".join(text) + "\n") for flavour, line, text in found]


CASES = [path for path in DOCUMENTS if blocks(path)]


@pytest.mark.parametrize("keras", ["keras", "tf_keras"])
@pytest.mark.parametrize("path", CASES, ids=lambda p: p.name)
def test_python_in_documents(path, keras, monkeypatch, tmp_path):
    need_board()
    if any("keras" in text for _, _, text in blocks(path)):
        monkeypatch.setitem(sys.modules, "keras", need(keras))
    for name in ("examples", "runtime", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    names = {"__name__": "document"}
    for flavour, line, text in blocks(path):
        if any(importlib.util.find_spec(package) is None for package in flavour):
            continue
        exec(compile("\n" * (line - 1) + text, str(path), "exec"), names)


def test_there_are_documents():
    assert {p.name for p in CASES} >= {"README.md", "python.md"}


def test_docstrings_have_an_example():
    import nnom

    for name in nnom.__all__:
        thing = getattr(nnom, name)
        if isinstance(thing, types.FunctionType) or name in ("Model", "Evaluation"):
            assert ">>> " in thing.__doc__, name
    for name, method in vars(nnom.Model).items():
        if isinstance(method, types.FunctionType) and not name.startswith("_"):
            assert ">>> " in method.__doc__, name


def test_types_are_right():
    import subprocess

    need("mypy")
    package = str(ROOT / "python" / "nnom")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.10", package],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
