#!/bin/sh
# Builds the Python package's wheel, installs it into an environment of its own, and tests it there.
#
#     scripts/python_test.sh BUILD [PYTEST_OPTION...]
#
# BUILD is a folder in which the library is built; the wheel is linked with that. The packages of
# python/tests/requirements.txt come from PyPI once; where they can't, it says so and exits with 77.
# NNOM_PYTHON_LIVE=1 installs those of requirements-live.txt too (some 1 GB), and
# NNOM_PYTHON_SITE=DIR uses those in the site-packages DIR instead. What is not there is not tested,
# and pytest says so.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -gt 0 ] || { echo "usage: $0 BUILD [PYTEST_OPTION...]" >&2; exit 2; }
build=$(cd "$1" && pwd)
shift
work=$build/python_test
venv=$work/venv
wanted=$root/python/tests/requirements.txt
live=$root/python/tests/requirements-live.txt

install() {
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}
need() {
  cmp -s "$1" "$venv/${1##*/}" && return
  if ! install -r "$1" > "$work/install.log" 2>&1; then
    tail -n 3 "$work/install.log"
    echo "skipped: ${1##*/} can't be installed; is PyPI there?"
    return 1
  fi
  cp "$1" "$venv/"
}

mkdir -p "$work"
if ! [ -x "$venv/bin/python" ] && ! python3 -m venv "$venv" > "$work/install.log" 2>&1; then
  echo "skipped: python3 -m venv doesn't work; on Debian: apt-get install python3-venv python3-dev"
  exit 77
fi
need "$wanted" || exit 77
[ "${NNOM_PYTHON_LIVE:-0}" = 0 ] || need "$live" || true
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
rm -f "$site/live.pth"
[ -z "${NNOM_PYTHON_SITE:-}" ] || echo "$NNOM_PYTHON_SITE" > "$site/live.pth"

rm -rf "$work/wheel"
install_log=$work/wheel.log
if ! "$venv/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps \
  --wheel-dir "$work/wheel" -C build-dir="$work/build" -C cmake.define.NNOM_PREBUILT="$build" \
  "$root" > "$install_log" 2>&1; then
  cat "$install_log"
  exit 1
fi
install --force-reinstall --no-deps "$work"/wheel/*.whl
cd "$work"
exec "$venv/bin/python" -m pytest -p no:cacheprovider -q -rs "$@" "$root/python/tests"
