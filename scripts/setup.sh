#!/bin/sh
# Installs what is missing to build, test and run NNoM on Debian or Ubuntu; where all is there it
# does nothing and needs no network.
#
#     scripts/setup.sh             everything
#     scripts/setup.sh build       only what building the nnom command needs
#     scripts/setup.sh --list      the packages, and nothing else
#     scripts/setup.sh --missing   those of them that are not installed, on Debian
#
# Purposes: build, python (the Python package, beside build), test, firmware (cross compiler and
# emulator), develop (formatting, checks).
set -eu

build="g++ cmake ninja-build pkg-config libhdf5-dev libzip-dev libflatbuffers-dev flatbuffers-compiler
  libprotobuf-dev protobuf-compiler nlohmann-json3-dev libcli11-dev libfmt-dev libstb-dev libsndfile1-dev"
test="libgtest-dev libgmock-dev dataset-fashion-mnist picolibc-arm-none-eabi
  libonnx-testdata chromium"
python="python3-dev python3-venv"
firmware="gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm
  gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc"
develop="clang-14 libclang-rt-14-dev clang-format clang-tidy"

say() { echo "setup: $*" >&2; }

list=no
only_missing=no
wanted=
for argument in "$@"; do
  case $argument in
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $test" ;;
    python) wanted="$wanted $python" ;;
    firmware) wanted="$wanted $firmware" ;;
    develop) wanted="$wanted $develop" ;;
    --list) list=yes ;;
    --missing) only_missing=yes ;;
    *) say "unknown purpose '$argument'; there are: build python test firmware develop"; exit 2 ;;
  esac
done
[ -n "$wanted" ] || wanted="$build $python $test $firmware $develop"
wanted=$(echo $wanted)

if [ $list = yes ]; then
  echo "$wanted"
  exit 0
fi
if [ $only_missing = yes ] && ! command -v dpkg-query > /dev/null; then
  exit 0
fi
if ! command -v dpkg-query > /dev/null || ! command -v apt-get > /dev/null; then
  say "this system has no apt-get; install what Debian calls: $wanted"
  exit 1
fi

installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' $wanted 2> /dev/null || true)"
missing=
for package in $wanted; do
  case $installed in
    *" installed:$package "*) ;;
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0
if [ $only_missing = yes ]; then
  echo $missing
  exit 0
fi

as_root=
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo > /dev/null; then
    say "run this as root, or install:$missing"
    exit 1
  fi
  as_root=sudo
fi
say "installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() {
  if ! $as_root env DEBIAN_FRONTEND=noninteractive "$@" > "$log" 2>&1 < /dev/null; then
    tail -n 20 "$log" >&2
    say "'$*' failed"
    exit 1
  fi
}
apt="apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300"
run $apt update
run $apt install -y --no-install-recommends $missing
