"""Convert the weights of one of the study's networks from a file of Keras to a weights file.

Examples:
    deblurlab convert rednet30wgan_gen_cifar10.h5 model=rednet30_wgan
    deblurlab convert msdeblurwgan_gen_reds.h5 model=msdeblur_wgan model.network.blocks=5 out=msdeblur_reds.safetensors
    deblurlab convert rednet30wgan_critic_cifar10.h5 model=rednet30_wgan part=critic out=critic.safetensors
"""

import logging
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from deblurlab.app.command import command
from deblurlab.checks import require

log = logging.getLogger(__name__)


@command("convert", first="input")
def main(cfg: DictConfig) -> None:
    """Read the file, check every layer of it, and write the weights file."""
    try:
        from deblurlab import converting
    except ImportError as error:
        raise ValueError("convert needs h5py: pip install 'deblurlab[keras]'.") from error
    from deblurlab.app.arguments import check_arguments
    from deblurlab.run import weights
    from deblurlab.run.checkpoint_content import require_numbers
    from deblurlab.run.network import built

    file, out = Path(cfg.input), Path(cfg.out)
    require.one_of("part", cfg.part, ("network", "critic"))
    if out.suffix != ".safetensors":
        raise ValueError(f"out={out} must end in .safetensors.")
    check_arguments(cfg.model, "model")
    if cfg.part not in cfg.model:
        raise ValueError("part=critic is for WGANs, such as model=rednet30_wgan; this model has no critic.")
    config: Any = OmegaConf.to_container(cfg.model[cfg.part])
    study = converting.study_of(config)
    config |= study.arguments
    network = built(config)
    converting.fill_from(file, network, study)
    require_numbers(network.state_dict(), file)
    weights.save(network, config, out)
    parameters = sum(value.numel() for value in network.parameters())
    log.info(f"{out}: {type(network).__name__}, {parameters:,} parameters in {len(study.places)} layers of {file}")


if __name__ == "__main__":
    main()
