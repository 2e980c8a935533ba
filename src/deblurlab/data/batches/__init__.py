"""The images of each batch of an epoch, and the loaders that make the batches.

An epoch is a function of (seed, epoch number): its order, flips and blur are drawn before anything is read, by pure
functions. So an epoch can be repeated, entered at any batch and shared between hosts without any communication.

- ``draws.py``: the draws of an epoch of images in memory; ``drawn_loader.py`` makes their batches.
- ``epoch_plan.py``: the order of patches that are read from files; ``patch_loader.py`` reads them ahead in threads, and
  ``frame_reader.py`` replaces broken frames.
- ``resumable.py``: the base of both loaders, which can stop after any batch and continue there.
- ``host.py``: the part of a batch that each of several processes makes.
- ``crops.py``, ``flips.py``: crop and flip the images of a batch, on the training device.
"""
