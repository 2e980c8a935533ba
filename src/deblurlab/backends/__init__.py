"""The hardware on which networks train and run: one device, several GPUs or CPU processes, or a TPU through XLA.

A backend is a folder (or a file, like ``torch_devices.py``) with a subclass of :class:`Backend`. Only the backend names
its library. Networks, data modules, tasks and callbacks do not depend on the device:

- ``app/build.py`` calls :func:`choose` for the backend of ``trainer.accelerator``, passes the backend's arguments to
  the Trainer, and lets the backend convert the network to the form that is fastest there (``prepare``);
- a data module whose batches depend on the number of devices gets that number through its ``split_over`` (see
  :class:`deblurlab.interfaces.SplitsBatches`).

To add a backend, such as torch-tpu, edit two files outside its own folder: the list :data:`BACKENDS` below, and a new
``conf/trainer/NAME.yaml`` that names its accelerator.
``tests/backends/test_new_backend.py`` adds one in this way. Its library goes into ``pyproject.toml`` as an extra, and
into ``DEVICES`` in ``tests/test_layers.py``, so that no other folder imports it.
"""

from deblurlab.backends.backend import Backend, DeviceSettings, Training
from deblurlab.backends.torch_devices import TorchDevices
from deblurlab.backends.xla import XLA
from deblurlab.backends.xla.installation import quiet

__all__ = ["BACKENDS", "Backend", "DeviceSettings", "Training", "choose"]

# In order of preference: trainer.accelerator=auto uses the first one that finds its hardware.
BACKENDS: list[Backend] = [XLA(), TorchDevices()]


def choose(accelerator: str) -> Backend:
    """The backend for ``trainer.accelerator``: of those that serve it, the first one that finds its hardware.

    If none of them does, the first is returned; its methods raise errors that say what is missing.

    Raises:
        ValueError: If no backend serves ``accelerator``.
    """
    quiet()  # Lightning imports torch_xla if there is a TPU, whatever the backend
    serving = [backend for backend in BACKENDS if accelerator in backend.accelerators]
    if not serving:
        known = ", ".join(sorted(set[str]().union(*(backend.accelerators for backend in BACKENDS))))
        raise ValueError(f"trainer.accelerator={accelerator}: there is no such accelerator; choose one of {known}.")
    return next((backend for backend in serving if backend.finds(accelerator)), serving[0])
