"""The package beside others in one process, and how it behaves there."""

import importlib.util
import os
import pty
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from conftest import DEMO, ROOT

USE = f"""
    import nnom, numpy as np
    x = np.load({str(DEMO / "calibration.npy")!r}) / np.float32(255)
    m = nnom.convert({str(DEMO / "model.keras")!r}, x)
    assert m.predict(x).shape == (len(x), 10)
"""
OTHERS = {
    "tensorflow": "import tensorflow as tf; tf.constant(1.0) + 1; tf.io.serialize_tensor([1.0])",
    "h5py": """
        import h5py, io
        with h5py.File(io.BytesIO(), "w") as f:
            f["x"] = [1, 2]
    """,
    "onnx": "import onnx.helper as h; h.make_tensor('x', 1, [1], [1.0]).SerializeToString()",
}


def run(*parts):
    code = "\n".join(textwrap.dedent(part) for part in parts)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize("order", ["before", "after", "between"])
def test_beside_other_packages(order):
    there = [o for o in OTHERS if importlib.util.find_spec(o)]
    others = "\n".join(textwrap.dedent(OTHERS[o]) for o in there)
    parts = {"before": [USE, others], "after": [others, USE], "between": [USE, others, USE]}
    done = run(*parts[order])
    assert done.returncode == 0, done.stderr
    missing = [o for o in OTHERS if o not in there]
    if missing:
        pytest.skip(f"without {', '.join(missing)}, not installed (requirements-live.txt)")


def test_onnx_files_beside_onnx():
    pytest.importorskip("onnx")
    done = run(
        """
        import onnx.helper as h, onnx, numpy as np
        node = h.make_node("Relu", ["x"], ["y"])
        a, b = (h.make_tensor_value_info(n, 1, [1, 4]) for n in "xy")
        onnx.save(h.make_model(h.make_graph([node], "g", [a], [b]),
                                opset_imports=[h.make_opsetid("", 17)]), "m.onnx")
        import nnom
        m = nnom.convert("m.onnx", np.ones((5, 4)))
        onnx.load("m.onnx")
        """
    )
    assert done.returncode == 0, done.stderr


def test_needs_numpy_only():
    done = run(
        "import nnom, sys", "print([m for m in ('keras', 'torch', 'onnx') if m in sys.modules])"
    )
    assert done.stdout == "[]\n", done.stderr


SLOW = """
    import nnom, numpy as np
    model = {model!r}
    m = nnom.convert(model, "random")
    x = np.zeros((300_000, 28, 28), np.uint8)
    print("ready", flush=True)
    m.predict(x)
"""


def start(code, **options):
    code = textwrap.dedent(code).format(model=str(DEMO / "model.keras"))
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, **options
    )


def test_ctrl_c():
    process = start(SLOW, stderr=subprocess.PIPE)
    assert process.stdout.readline() == "ready\n"
    threading.Event().wait(2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors and process.returncode != 0


def test_progress_is_for_terminals():
    terminal, end = pty.openpty()
    process = start(SLOW, stderr=end, env={**os.environ, "TERM": "xterm"})
    os.close(end)
    assert process.stdout.readline() == "ready\n"
    shown = b""
    while b"%" not in shown:
        shown += os.read(terminal, 1000)
    process.kill()
    process.communicate()
    assert b"running  [" in shown


def test_nothing_is_drawn_elsewhere():
    code = SLOW.replace("300_000", "8_000")
    process = start(code, stderr=subprocess.PIPE)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0 and errors == ""


def test_other_threads_run_meanwhile():
    import nnom

    m = nnom.convert(str(DEMO / "model.keras"), "random")
    x = np.zeros((20_000, 28, 28), np.uint8)
    worker = threading.Thread(target=m.predict, args=(x,))
    worker.start()
    steps = 0
    while worker.is_alive():
        threading.Event().wait(0.001)
        steps += 1
    assert steps > 20


def test_a_function_of_a_layer_is_there_until_the_end():
    code = (
        "import numpy as np, nnom\n"
        f"m = nnom.convert({str(ROOT / 'tests/fixtures/lambda/arguments.keras')!r},"
        " np.random.rand(10, 4), lambdas={'soft_clip': lambda x: x / (1 + x * x)})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, (done.returncode, done.stderr)
