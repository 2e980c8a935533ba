"""The study's networks in Keras: the names of their layers, and the modules of ours that hold the same weights."""

from collections.abc import Collection, Mapping
from itertools import product
from typing import Any, NamedTuple

# The axes of a kernel in the order of PyTorch. Keras' kernel of a convolution is (height, width, inputs, outputs), that
# of a transposed one (height, width, outputs, inputs); PyTorch's are (outputs, inputs, height, width) and, transposed,
# (inputs, outputs, height, width). So the same order is right for both.
_AXES = (3, 2, 0, 1)


class Place(NamedTuple):
    """The destination of a layer's weights in our network.

    Attributes:
        module: The name of the module, such as ``encoder.0.conv``.
        axes: The axes of the kernel in PyTorch's order.
        last: The number of first input channels that are the last ones in our network.
    """

    module: str
    axes: tuple[int, ...] = _AXES
    last: int = 0


Places = Mapping[str, Place]


class Study(NamedTuple):
    """A network of the study.

    Attributes:
        overrides: The overrides that choose it on the command line of ``convert``.
        places: The destination of each layer's weights, by the name of the layer.
        arguments: Arguments of our class with which it computes the same as the study's network.
    """

    overrides: str
    places: Places
    arguments: Mapping[str, str] = {}


# Keras' name of layers that the study has not named. Keras numbers all such layers of a process, so their numbers are
# arbitrary, and only their order is known.
UNNAMED = "conv2d_transpose"


def study_of(network: Mapping[str, Any]) -> Study:
    """The study's network that corresponds to one of ours.

    Args:
        network: The configuration of our network, ``_target_`` and its arguments.

    Raises:
        ValueError: If the study has no such network.
    """
    blocks = network.get("blocks")  # for other networks than MSDeblur, this may be a list
    studies = _studies(blocks if isinstance(blocks, int) else 0)
    name = str(network["_target_"]).rpartition(".")[2]
    if name not in studies:
        raise ValueError(f"the study has no {name}: convert reads its {', '.join(studies)}.")
    return studies[name]


def recognised(layers: Collection[str]) -> Study | None:
    """The network of the study with layers of these names; None if there is none."""
    blocks = sum(name.startswith("res_conv1_") and name.endswith("_1") for name in layers)
    return next((study for study in _studies(blocks).values() if study.places.keys() == set(layers)), None)


def _studies(blocks: int) -> dict[str, Study]:
    """The networks by the name of our class; ``blocks`` is the number of MSDeblur's residual blocks."""
    return {
        "ResNet16": Study("model=resnet16", _resnet16(), {"padding": "keras"}),
        "UNet16": Study("model=unet16", _unet16()),
        "REDNet30": Study("model=rednet30 or model=rednet30_wgan", _rednet30()),
        "MSDeblur": Study(
            f"model=msdeblur_wgan model.network.blocks={blocks}",
            _msdeblur(blocks),
            {"padding": "keras", "quarter": "bilinear"},
        ),
        "PatchGAN": Study("part=critic and the model of a WGAN", _critic()),
    }


def _resnet16() -> Places:
    blocks = {1 + block: f"encoder.{block}" for block in range(4)} | {
        5 + block: f"decoder.{block}" for block in range(3)
    }
    modules = {"conv8_0": "decoder.3.conv", "bn8_0": "decoder.3.norm", "res_conv8": "decoder.3.shortcut"}
    for number, block in blocks.items():
        modules[f"res_conv{number}"] = f"{block}.shortcut"
        for step in range(2):
            modules[f"conv{number}_{step}"] = f"{block}.conv{step + 1}"
            modules[f"bn{number}_{step}"] = f"{block}.norm{step + 1}"
    return _placed(modules)


def _unet16() -> Places:
    modules = {"conv7_2": "output"}
    for level, step in product(range(4), range(2)):
        modules[f"conv{1 + level}_{step}"] = f"encoder.{level}.{2 * step}"
    for level, step in product(range(3), range(2)):
        modules[f"upsamp{5 + level}"] = f"upsample.{level}"
        modules[f"conv{5 + level}_{step}"] = f"decoder.{level}.{2 * step}"
    return _placed(modules)


def _rednet30() -> Places:
    modules = {}
    for half, block in product(("encode", "decode"), range(15)):
        modules[f"{half}_conv{block}"] = f"{half}r.{block}.conv"
        modules[f"{half}_bn{block}"] = f"{half}r.{block}.norm"
    # A transposed 1x1 convolution equals a convolution with inputs and outputs of the kernel exchanged.
    return {**_placed(modules), "output_conv": Place("output", (2, 3, 0, 1))}


def _msdeblur(blocks: int) -> Places:
    modules = {UNNAMED: "upsample.0", f"{UNNAMED}_1": "upsample.1"}
    for scale, output in ((3, "out_layer_3"), (2, "out_layer2"), (1, "out_layer1")):
        branch = f"branches.{3 - scale}.convs"
        modules |= {f"conv{scale}": f"{branch}.0", output: f"{branch}.{blocks + 1}"}
        for block, step in product(range(blocks), (1, 2)):
            modules[f"res_conv{scale}_{block}_{step}"] = f"{branch}.{block + 1}.conv{step}"
            modules[f"res_bn{scale}_{block}_{step}"] = f"{branch}.{block + 1}.norm{step}"
    # In the concatenation of features, the study's network has the blurred image first, and ours has it last.
    finer = {f"conv{scale}": Place(modules[f"conv{scale}"], last=3) for scale in (2, 1)}
    return {**_placed(modules), **finer}


def _critic() -> Places:
    modules = {"conv5": "output.1"}
    for block in range(4):
        modules |= {f"conv{block + 1}": f"convs.{block}.1", f"ln{block + 1}": f"norms.{block}"}
    return _placed(modules)


def _placed(modules: Mapping[str, str]) -> Places:
    return {layer: Place(module) for layer, module in modules.items()}
