"""Where networks are trained and run: on one device, several GPUs or CPU processes, or all cores of a TPU through XLA.

A backend is a folder (or a file, as ``torch_devices.py``) with a subclass of :class:`Backend`. It alone knows its
library's name. Networks, data modules, tasks and callbacks ask nobody on which device they are:

- ``app/build.py`` asks :func:`choose` for the backend of ``trainer.accelerator``, hands the Trainer what the backend
  says, and has the backend give the network the form that is fastest there (``prepare``);
- a data module whose batches depend on the number of devices is told that number through its ``split_over`` (see
  :class:`deblurlab.interfaces.SplitsBatches`).

A further backend, such as torch-tpu, edits two files outside its own folder: the list :data:`BACKENDS` below, and a new
``conf/trainer/NAME.yaml`` that names its accelerator.
``tests/backends/test_new_backend.py`` adds one in this way. Its library goes into ``pyproject.toml`` as an extra, and
into ``DEVICES`` in ``tests/test_layers.py``, so that no other folder imports it.
"""

from deblurlab.backends.backend import Backend, DeviceSettings, Training
from deblurlab.backends.torch_devices import TorchDevices
from deblurlab.backends.xla import XLA
from deblurlab.backends.xla.installation import quiet

__all__ = ["BACKENDS", "Backend", "DeviceSettings", "Training", "choose"]

# In the order of preference: trainer.accelerator=auto takes the first that finds its hardware.
BACKENDS: list[Backend] = [XLA(), TorchDevices()]


def choose(accelerator: str) -> Backend:
    """The backend for ``trainer.accelerator``: of those that serve it the first whose hardware is here.

    If none of them finds its hardware, the first is returned; its methods say what is missing.

    Raises:
        ValueError: If no backend serves ``accelerator``.
    """
    quiet()  # Lightning imports torch_xla where a TPU is found, whatever the backend
    serving = [backend for backend in BACKENDS if accelerator in backend.accelerators]
    if not serving:
        known = ", ".join(sorted(set[str]().union(*(backend.accelerators for backend in BACKENDS))))
        raise ValueError(f"trainer.accelerator={accelerator}: there is no such accelerator; choose one of {known}.")
    return next((backend for backend in serving if backend.finds(accelerator)), serving[0])
