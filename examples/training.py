"""What the examples' training scripts share. Imported before keras, as it chooses the backend."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf


def parse(options):
    """The arguments that the parser `options` describes, and --threads; from here on TensorFlow is deterministic."""
    options.add_argument("--threads", type=int, default=2)
    options = options.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    return options


def train(build, file, batches, steps, epochs, seed, warmup, **adam):
    """Trains the classifier build() on batches(epoch), `steps` of them; the rate rises for `warmup` epochs, then falls.
    Saves it without optimizer state."""
    keras.utils.clear_session()  # so that layers are named alike, whatever was trained before
    keras.utils.set_random_seed(seed)
    model = build()
    schedule = keras.optimizers.schedules.CosineDecay(
        1e-4, epochs * steps, warmup_target=4e-3, warmup_steps=int(warmup * steps)
    )
    model.compile(optimizer=keras.optimizers.Adam(schedule, **adam), loss=keras.losses.SparseCategoricalCrossentropy())
    for epoch in range(epochs):
        history = model.fit(batches(epoch), steps_per_epoch=steps, shuffle=False, verbose=0).history
        print(f"{model.name}, epoch {epoch + 1}: loss {history['loss'][0]:.4f}", flush=True)
    # A model that has never been compiled is saved without optimizer state.
    weights = model.get_weights()
    keras.utils.clear_session()
    fresh = build()
    fresh.set_weights(weights)
    fresh.save(file)
