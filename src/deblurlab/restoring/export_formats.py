"""Exports trained networks to the formats of other runtimes.

Each export function also loads its file and returns a function that runs it, so that :func:`difference` can compare it
with the network.
"""

import io
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
# Runs a written network: (1, 3, H, W) float32 in [0, 1] on the CPU to the same shape.
Run = Callable[[Tensor], Tensor]


def _traced(restorer: Restorer) -> torch.export.ExportedProgram:
    """The network as a graph for inputs (1, 3, H, W), where H and W are any multiples of its ``size_multiple``.

    Raises:
        ValueError: If there is no such graph, for example as the network branches on a value, or if PyTorch has made
            one that only takes the size of the example.
    """
    logging.getLogger("torch.fx.experimental.symbolic_shapes").setLevel(logging.ERROR)  # it warns of its own guards
    multiple = restorer.size_multiple
    down, across = torch.export.Dim("height_units", min=1), torch.export.Dim("width_units", min=1)
    sides: dict[int, Any] = {2: multiple * down, 3: multiple * across}
    example = torch.rand(1, 3, 6 * multiple, 8 * multiple)
    try:
        program = torch.export.export(restorer, (example,), dynamic_shapes=(sides,))
        program.module()(torch.rand(1, 3, 7 * multiple, 5 * multiple))  # checks what was assumed of the size
    except Exception as error:  # torch raises errors of many types here
        raise _not_exported(restorer, "be traced", error) from error
    return program


def _not_exported(restorer: Restorer, what: str, error: Exception) -> ValueError:
    name, reason = type(restorer.network).__name__, next(iter(str(error).strip().splitlines()), "").rstrip(". ")
    reason = reason.removesuffix(". Please check the warnings above for possible errors")  # which are not shown
    return ValueError(
        f"{name} cannot {what} for all heights and widths ({type(error).__name__}: {reason}). A network of your own "
        "must not branch on values; format=stablehlo exports for one size."
    )


def torch_export(restorer: Restorer, file: Path) -> Run:
    """Write a network as an archive of ``torch.export`` (.pt2), for any height and width that the network takes.

    Args:
        restorer: The network, on the CPU.
        file: The file to write.

    Raises:
        ValueError: If PyTorch cannot export the network, or cannot read what it has exported. No file is written then.
    """
    logging.getLogger("torch.export").setLevel(logging.ERROR)  # it logs the traceback of an error, and raises another
    program = _traced(restorer)
    archive = io.BytesIO()  # if torch wrote to a full disk itself, it would end the process
    torch.export.save(program, archive)
    archive.seek(0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given buffer is not writable")  # torch's own reader warns
        try:
            module = torch.export.load(archive).module()
        except RuntimeError as error:  # so it is with FFTformer in torch 2.9, which also logs dozens of lines
            raise _not_exported(restorer, "be read again by torch.export", error) from error
    with whole_file(file) as partial:
        partial.write_bytes(archive.getbuffer())

    def run(images: Tensor) -> Tensor:
        restored: Tensor = module(images)
        return restored

    return run


def onnx(restorer: Restorer, file: Path) -> Run:
    """Write a network as an ONNX file, for any height and width that the network takes.

    Its input is called ``blurred`` and its output ``restored``.

    Args:
        restorer: The network, on the CPU.
        file: The file to write.

    Raises:
        ValueError: If ONNX is not installed, or PyTorch cannot export the network.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  # torch.onnx needs it to write
    except ImportError as error:
        raise ValueError("format=onnx needs ONNX: pip install 'deblurlab[export]'.") from error
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns that torchvision's operators are missing
    program = _traced(restorer)
    with whole_file(file) as partial, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter warns of its own code
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
    """Write a network as StableHLO with its weights beside it, for one height and width only.

    torch_xla cannot write this format with dynamic sizes.

    Args:
        restorer: The network, on the CPU.
        folder: The folder to write.
        size: Height and width in pixels, multiples of the network's ``size_multiple``.

    Raises:
        ValueError: If torch_xla is missing, or the network refuses the size.
    """
    return write_stablehlo(restorer, (torch.rand(1, 3, *size),), folder)


def difference(run: Run, restorer: Restorer, size: tuple[int, int]) -> float:
    """The largest difference between a written network and the network itself, in units of [0, 1].

    Args:
        run: Runs the written network.
        restorer: The network, on the CPU.
        size: Height and width of the test image, uniform noise from a fixed seed.
    """
    images = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return float((run(images) - restorer(images)).abs().max())
