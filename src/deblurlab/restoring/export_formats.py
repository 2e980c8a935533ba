"""Networks in formats of other runtimes. Each function returns what runs the written file."""

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from deblurlab.backends.xla.stablehlo import write_stablehlo
from deblurlab.files.whole_file import whole_file
from deblurlab.restoring.restorer import Restorer

Format = Literal["onnx", "torch_export", "stablehlo"]
Run = Callable[[Tensor], Tensor]


def _traced(restorer: Restorer) -> torch.export.ExportedProgram:
    """The network as a graph of (1, 3, H, W), H and W any multiples of its ``size_multiple``."""
    multiple = restorer.size_multiple
    down, across = torch.export.Dim("height_units", min=1), torch.export.Dim("width_units", min=1)
    sides: dict[int, Any] = {2: multiple * down, 3: multiple * across}
    return torch.export.export(restorer, (torch.rand(1, 3, 6 * multiple, 8 * multiple),), dynamic_shapes=(sides,))


def torch_export(restorer: Restorer, file: Path) -> Run:
    """Write ``torch.export``'s archive (.pt2)."""
    program = _traced(restorer)
    with whole_file(file) as partial, partial.open("wb") as stream:
        torch.export.save(program, stream)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given buffer is not writable")  # of torch's own reader
        module = torch.export.load(file).module()

    def run(images: Tensor) -> Tensor:
        restored: Tensor = module(images)
        return restored

    return run


def onnx(restorer: Restorer, file: Path) -> Run:
    """Write an ONNX file; input ``blurred``, output ``restored``.

    Raises:
        ValueError: if ONNX is not installed.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  # what torch.onnx writes with
    except ImportError as error:
        raise ValueError("format=onnx needs ONNX: pip install 'deblurlab[export]'.") from error
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of operators of torchvision
    program = _traced(restorer)
    with whole_file(file) as partial, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own exporter about itself
        torch.onnx.export(
            program,
            (),
            str(partial),
            dynamo=True,
            input_names=["blurred"],
            output_names=["restored"],
            external_data=False,
            verbose=False,
        )
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run(None, {"blurred": images.numpy()})[0])


def stablehlo(restorer: Restorer, folder: Path, *, size: tuple[int, int]) -> Run:
    """Write StableHLO with the weights beside it, for one (height, width): torch_xla knows no dynamic ones here.

    Raises:
        ValueError: if torch_xla is missing, or the network refuses the size.
    """
    return write_stablehlo(restorer, (torch.rand(1, 3, *size),), folder)


def difference(run: Run, restorer: Restorer, size: tuple[int, int]) -> float:
    """The largest difference between an exported network and the network, on uniform noise of (height, width)."""
    images = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return float((run(images) - restorer(images)).abs().max())
