"""Write digits.hpp: the first of each digit in test.npz as C++, for the application.

    python3 digits.py > digits.hpp        (needs numpy)
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).resolve().parent / "test.npz"


def main():
    test = np.load(FILE)
    print("// Handwritten digits of MNIST, one of each, written by digits.py.")
    print("// clang-format off\n#pragma once\n\n#include <stdint.h>\n")
    print("constexpr uint8_t kDigits[10][784] = {  // 28 x 28, grey")
    for digit in range(10):
        index = int(np.flatnonzero(test["y"] == digit)[0])
        print(f"    {{  // number {index} of test.npz")
        for row in test["x"][index]:
            print("        " + " ".join(f"{pixel}," for pixel in row))
        print("    },")
    print("};")


if __name__ == "__main__":
    main()
