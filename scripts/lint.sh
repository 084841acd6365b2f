#!/bin/sh
# Checks the formatting of all C++ and runs clang-tidy on the compiler.
set -eu
cd "$(dirname "$0")/.."
git ls-files '*.cpp' '*.hpp' | xargs clang-format --dry-run --Werror
[ -f build/compile_commands.json ] || cmake --preset default > /dev/null
git ls-files 'compiler/*.cpp' | grep -v simulate/kernels.cpp | xargs -P 2 -n 4 clang-tidy -p build --quiet
echo "lint: clean"
