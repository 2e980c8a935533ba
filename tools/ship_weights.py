"""Write the weights that a run ends with to the folder of the weights that come with deblurlab, in half precision.

    python tools/ship_weights.py RUN NAME [--window PIXELS]

RUN is what `weights=` takes. Half precision halves the file. It changes a weight by 0.05 % at most, and a restored
image by far less than the rounding to 8 bits; the network is still computed in float32.
"""

import argparse

import torch

from deblurlab.run import weights, weights_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("name")
    parser.add_argument("--window", type=int, help="over which a NAFNet takes its means once it is trained")
    options = parser.parse_args()
    trained = weights.load(options.run)
    state = {name: value.half() if value.dtype == torch.float32 else value for name, value in trained.state.items()}
    if bad := [name for name, value in state.items() if not value.isfinite().all()]:
        parser.error(f"{', '.join(bad)} of {options.run} has numbers beyond what half precision holds")
    if options.window is not None:
        trained.network["window"] = options.window
    file = weights.FOLDER / f"{options.name}.safetensors"
    weights_file.write(state, trained.network, file)
    print(f"{file}: {file.stat().st_size / 1e6:.2f} MB, {sum(map(torch.numel, state.values())):,} numbers")


if __name__ == "__main__":
    main()
