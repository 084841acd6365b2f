# `make` builds build/nnom; `make demo` and `make test` do all the set-up they need first.

BUILD = build
DEMO = examples/fashion_mnist

.PHONY: all setup demo bench test test-full lint format fuzz clean

all: $(BUILD)/CMakeCache.txt
	cmake --build $(BUILD)

# Installs what is missing; does nothing where all is there.
setup:
	@scripts/setup.sh

$(BUILD)/CMakeCache.txt: | setup
	cmake --preset default

demo: setup $(BUILD)/CMakeCache.txt
	cmake --build $(BUILD) --target nnom qemu_cycles
	$(BUILD)/nnom evaluate $(DEMO)/model.keras --on cortex-m4 --with-float \
	  --calibrate $(DEMO)/calibration.npy --scale 1/255 \
	  --data $(DEMO)/test_images.npy --labels $(DEMO)/test_labels.npy

# Every model on every emulated core, beside what was recorded last: a quarter of an hour on two
# processors. BENCH="--models kws --cores cortex-m4 --print" measures less, and writes nothing.
bench: setup $(BUILD)/CMakeCache.txt
	cmake --build $(BUILD) --target nnom_bench
	$(BUILD)/bench/nnom_bench $(BENCH)

test: setup all
	ctest --preset default -j 2 -LE slow

# The slow sweeps too, everything under the sanitizers, and the linters.
test-full: test lint
	ctest --preset default -j 2 -L slow
	cmake --preset sanitize
	cmake --build --preset sanitize
	ctest --preset sanitize -j 2

lint: setup
	scripts/lint.sh

format: setup
	git ls-files '*.cpp' '*.hpp' | xargs clang-format -i

fuzz: setup
	cmake --preset fuzz
	cmake --build --preset fuzz

clean:
	rm -rf $(BUILD)
