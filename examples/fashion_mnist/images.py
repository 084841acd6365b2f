"""Write images.hpp: a few of the test images as C++, for main.cpp.

    python3 images.py > images.hpp
"""

from pathlib import Path

CHOSEN = 0, 4, 6, 40
HERE = Path(__file__).resolve().parent


def read_npy(name):
    """The bytes of an array of uint8."""
    file = (HERE / name).read_bytes()
    return file[10 + int.from_bytes(file[8:10], "little") :]


def main():
    images, labels = read_npy("test_images.npy"), read_npy("test_labels.npy")
    print("// Images of Fashion-MNIST (copyright 2017 Zalando SE, MIT licence), written by images.py.")
    print("// clang-format off\n#pragma once\n\n#include <stdint.h>\n")
    print("struct Picture {\n  uint8_t label;        // the right class\n  uint8_t pixels[784];  // 28 x 28, grey\n};\n")
    print("constexpr Picture kPictures[] = {")
    for index in CHOSEN:
        print(f"    {{{labels[index]}, {{  // number {index} of test_images.npy")
        for row in range(28):
            start = index * 784 + row * 28
            print("        " + " ".join(f"{pixel}," for pixel in images[start : start + 28]))
        print("    }},")
    print("};")


if __name__ == "__main__":
    main()
