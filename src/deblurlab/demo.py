"""Serve a web page that deblurs photographs.

Examples:
    deblurlab demo                                                             # http://localhost:7860
    deblurlab demo weights=outputs/cifar10_unet16/2026-11-22_23-19-00 port=8000
"""

import logging

from omegaconf import DictConfig

from deblurlab.app.command import command
from deblurlab.run.run_folder import weights_name

log = logging.getLogger(__name__)

# Names of this machine: on these, requests that name another host are refused, as pages of other sites could make them.
_LOCAL = ("localhost", "127.0.0.1")


@command("demo")
def main(cfg: DictConfig) -> None:
    """Serve the page until interrupted."""
    try:
        import uvicorn

        from deblurlab.serving import server
    except ImportError as error:
        raise ValueError("the page needs a web server: pip install 'deblurlab[demo]'.") from error
    from deblurlab.app import devices
    from deblurlab.restoring import load_restorer
    from deblurlab.run import weights
    from deblurlab.serving.port import require_free

    device = devices.device(cfg)
    if not (isinstance(cfg.port, int) and 0 < cfg.port < 65536):
        raise ValueError(f"port must be from 1 to 65535, got {cfg.port}.")
    require_free(cfg.host, cfg.port)
    chosen = {name: name for name in reversed(weights.shipped())}
    if cfg.weights in chosen:
        chosen = {cfg.weights: cfg.weights} | chosen
    elif cfg.weights:
        own = weights_name(cfg.weights)
        chosen = {f"{own} (yours)" if own in chosen else own: cfg.weights} | chosen
    restorers = {name: load_restorer(source, device=device, trust=cfg.trust) for name, source in chosen.items()}
    for restorer in restorers.values():
        devices.prepare(cfg, restorer)
    limits = server.Limits(
        bytes=cfg.megabytes * 2**20,
        pixels=int(cfg.megapixels * 1e6),
        waiting=cfg.queue,
        upload_seconds=cfg.upload_seconds,
    )
    hosts = _LOCAL if cfg.host in _LOCAL else ("*",)
    page = server.application(restorers, limits=limits, hosts=hosts)
    address = "localhost" if cfg.host in _LOCAL else f"[{cfg.host}]" if ":" in cfg.host else cfg.host
    log.info(f"http://{address}:{cfg.port} (Ctrl+C ends it)")
    uvicorn.run(page, host=cfg.host, port=cfg.port, log_level="warning")


if __name__ == "__main__":
    main()
