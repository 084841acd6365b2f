/// \file
/// Marks for the emulator's cycle counter (qemu/cycles.cpp), which knows them by name. They do
/// nothing themselves.
#pragma once

extern "C" {

/// What runs between these two is counted, function by function. The first such stretch is
/// reported.
void nnom_measure_begin();
void nnom_measure_end();

/// Ends one layer and begins the next: the first call begins layer 0.
void nnom_measure_layer();

/// Nothing more will be measured; the emulator runs at full speed from here.
void nnom_measure_finish();
}
