#!/usr/bin/env python3
"""Seeds of tflite_import_fuzz: a few of the conformance tests' models for each operator.

    extract_tflite.py  (beside fuzz/corpus/tflite and tests/fixtures/tflite; needs numpy)
"""

import pathlib

import numpy as np

here = pathlib.Path(__file__).parent
for file in sorted((here / '../../tests/fixtures/tflite').glob('*.npz')):
    arrays = np.load(file)
    models = {name: arrays[name] for name in arrays.files if name.endswith('/model')}
    small = sorted(models.items(), key=lambda item: (item[1].size, item[0]))
    for name, model in small[:1] + small[len(small) // 2:][:1]:
        (here / 'tflite' / f'{file.stem}-{name.split("/")[0]}.tflite').write_bytes(model.tobytes())
