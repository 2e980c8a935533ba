"""The study's networks in Keras, with drawn weights: their files, and what they make of an image.

Run by a Python that has TensorFlow:

    python -m tests.converting.keras_networks FOLDER          # files and outputs for test_keras_networks.py
    python -m tests.converting.keras_networks FOLDER layouts  # writes layouts.json beside this file, too

tf_keras (Keras 2) writes ``save_weights("x.h5")`` as TensorFlow did in the study's time, Keras 3
``model.save("x.h5")``.
"""

import json
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tests.converting.drawn import SIDE, image, weight


class Networks:
    """Builds the networks with one of the two versions of Keras, whose modules have the same names."""

    def __init__(self, keras: Any) -> None:
        self.keras, self.layers = keras, keras.layers

    def resnet16(self) -> Any:
        def block(x: Any, number: int, widths: list[int], kernel: int, strides: list[int], layer: Any) -> Any:
            end = 0 if layer is self.layers.Conv2D else -1  # the shortcut has the width and stride of this step
            skip = layer(widths[end], 1, strides=strides[end], padding="same", name=f"res_conv{number}")(x)
            for step, (width, stride) in enumerate(zip(widths, strides, strict=True)):
                x = layer(width, kernel, strides=stride, padding="same", name=f"conv{number}_{step}")(x)
                x = self.layers.ReLU()(self.layers.BatchNormalization(name=f"bn{number}_{step}")(x))
            return self.layers.Add()([x, skip])

        x = first = self.layers.Input((SIDE, SIDE, 3))
        for number, width in enumerate((64, 128, 256, 512), 1):
            x = block(x, number, [width, width], 3, [1 if number == 1 else 2, 1], self.layers.Conv2D)
        for number, width in enumerate((256, 128, 64), 5):
            x = block(x, number, [width, width], 3, [1, 2], self.layers.Conv2DTranspose)
        return self.keras.Model(first, block(x, 8, [3], 1, [1], self.layers.Conv2DTranspose))

    def unet16(self) -> Any:
        def convs(x: Any, number: int, widths: list[int]) -> Any:
            for step, width in enumerate(widths):
                kernel = 1 if step == 2 else 3
                x = self.layers.Conv2D(width, kernel, activation="relu", padding="same", name=f"conv{number}_{step}")(x)
            return x

        x = first = self.layers.Input((SIDE, SIDE, 3))
        skips = []
        for number, width in enumerate((16, 32, 64, 128), 1):
            x = convs(self.layers.MaxPooling2D(2)(x) if skips else x, number, [width, width])
            skips.append(x)
        for number, width in enumerate((64, 32, 16), 5):
            x = self.layers.Conv2DTranspose(width, 2, strides=2, activation="relu", name=f"upsamp{number}")(x)
            x = self.layers.Concatenate()([skips[7 - number], x])
            x = convs(x, number, [width, width, 3] if number == 7 else [width, width])
        return self.keras.Model(first, x)

    def rednet30(self, *, wgan: bool = False) -> Any:
        activation, last = ("relu", "tanh") if wgan else ("elu", "elu")
        x = first = self.layers.Input((SIDE, SIDE, 3))
        encoded = []
        for half in ("encode", "decode"):
            for i in range(15):
                x = self.layers.Conv2D(64, 3, padding="same", name=f"{half}_conv{i}")(x)
                if half == "decode" and i % 2:
                    x = self.layers.Add()([x, encoded[14 - i]])
                x = self.layers.Activation(activation)(x)
                x = self.layers.BatchNormalization(name=f"{half}_bn{i}")(x)
                encoded.append(x)
        x = self.layers.Conv2DTranspose(3, 1, padding="same", name="output_conv")(x)
        return self.keras.Model(first, self.layers.Activation(last)(self.layers.Add()([x, first])))

    def rednet30_wgan(self) -> Any:
        return self.rednet30(wgan=True)

    def msdeblur_wgan(self, blocks: int = 2) -> Any:
        def conv(width: int, name: str, **kwargs: Any) -> Any:
            return self.layers.Conv2D(width, 5, padding="same", name=name, **kwargs)

        x = first = self.layers.Input((SIDE, SIDE, 3))
        outputs: list[Any] = []
        for scale, output in ((3, "out_layer_3"), (2, "out_layer2"), (1, "out_layer1")):
            side = SIDE >> (scale - 1)
            if scale > 1:
                reduce = self.layers.Lambda(lambda t, side=side: tf.image.resize(t, (side, side)), (side, side, 3))
                x = reduce(first)
            else:
                x = first
            if outputs:  # these two have no names: Keras calls them conv2d_transpose and conv2d_transpose_1, or later
                up = self.layers.Conv2DTranspose(61, 5, strides=2, padding="same")(outputs[-1])
                x = self.layers.Concatenate()([x, up])
            x = conv(64, f"conv{scale}")(x)
            for i in range(blocks):
                block = x
                x = self.layers.BatchNormalization(name=f"res_bn{scale}_{i}_1")(conv(64, f"res_conv{scale}_{i}_1")(x))
                x = conv(64, f"res_conv{scale}_{i}_2")(self.layers.ReLU()(x))
                x = self.layers.Add()([self.layers.BatchNormalization(name=f"res_bn{scale}_{i}_2")(x), block])
            outputs.append(conv(3, output, activation="tanh")(x))
        return self.keras.Model(first, outputs[::-1])

    def critic(self) -> Any:
        x = first = self.layers.Input((SIDE, SIDE, 3))
        for number, (width, stride) in enumerate(((64, 2), (128, 2), (256, 2), (512, 1)), 1):
            x = self.layers.Conv2D(width, 4, strides=stride, padding="same", name=f"conv{number}")(x)
            x = self.layers.LayerNormalization(name=f"ln{number}")(x)
            x = self.layers.LeakyReLU(0.3)(x)
        return self.keras.Model(first, self.layers.Conv2D(1, 4, padding="same", name="conv5")(x))


SIGNED = ("rednet30_wgan", "msdeblur_wgan", "critic")  # take images in [-1, 1]
NAMES = ("resnet16", "unet16", "rednet30", *SIGNED)


def fill(model: Any) -> list[tuple[str, list[tuple[str, tuple[int, ...]]]]]:
    """Give a model drawn weights, in the order in which Keras writes them; returns its layers with their weights."""
    layout, index = [], 0
    for layer in model.layers:
        # as Keras 2 wrote the path; Keras 3 leaves out the ":0"
        names = [one.name.split("/")[-1].split(":")[0] for one in layer.weights]
        shapes = [tuple(map(int, one.shape)) for one in layer.weights]
        layer.set_weights([weight(index + i, *one) for i, one in enumerate(zip(names, shapes, strict=True))])
        index += len(names)
        layout.append((layer.name, list(zip([f"{layer.name}/{name}:0" for name in names], shapes, strict=True))))
    return layout


def main() -> None:
    folder, layouts = Path(sys.argv[1]), {}
    for library in filter(find_spec, ("tf_keras", "keras")):
        keras = import_module(library)
        for name in NAMES:
            model = getattr(Networks(keras), name)()
            layout = fill(model)
            made = model.predict(2 * image() - 1 if name in SIGNED else image(), verbose=0)
            outputs = made if isinstance(made, list) else [made]
            np.savez(folder / f"{library}_{name}.npz", *outputs)
            if library == "tf_keras":
                model.save_weights(folder / f"{library}_{name}.h5")
                flat = [float(f"{value:.6f}") for output in outputs for value in output.ravel()]
                layouts[name] = {"layers": layout, "output": flat}
                Networks(keras).msdeblur_wgan(1)  # so that Keras counts its unnamed layers on
            else:
                model.save(folder / f"{library}_{name}.h5")
                if name == "unet16":
                    model.save_weights(folder / "keras3.weights.h5")
    if sys.argv[2:] == ["layouts"]:
        lines = (f'  "{name}": {json.dumps(layout)}' for name, layout in layouts.items())
        Path(__file__).with_name("layouts.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
