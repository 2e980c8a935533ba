"""The Lightning data modules, which configurations name through :mod:`deblurlab.data`.

Each takes keyword arguments, the keys of ``data`` on the command line. It feeds batches to Lightning's Trainer,
``trainer.fit(task, datamodule=data)``, or to your own loop::

    data = Sample(batch_size=16, sigma_range=(1.0, 3.0))
    for epoch in range(10):
        for pair in data.batches("train", epoch=epoch, device="cuda"):
            loss = (network(pair.blurred) - pair.sharp).square().mean()

- ``in_memory.py`` is abstract: sharp images in memory, blurred on the training device. ``cifar10.py`` and ``sample.py``
  provide the images.
- ``streamed.py`` is abstract: pairs read from files as they are needed. ``video_frames.py``,
  ``published_pairs.py`` and ``folder.py`` find the files.
- ``plain_loop.py``: the method ``batches`` of all of them.
- ``trainer_facts.py``: the epoch and the processes of a trainer.
"""
