"""What a record of a configuration holds beside what was written in YAML."""

from deblurlab.run.defaults import with_defaults


def test_the_defaults_of_our_classes_are_filled_in_at_every_level() -> None:
    config = {
        "seed": 3,
        "model": {
            "_target_": "deblurlab.tasks.Autoencoder",
            "network": {"_target_": "deblurlab.nets.UNet16", "residual": True},
            "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True},
        },
        "list": [{"_target_": "deblurlab.nets.REDNet30"}],
    }
    assert with_defaults(config) == {
        "seed": 3,
        "model": {
            "_target_": "deblurlab.tasks.Autoencoder",
            "scheduler": None,
            "step_scheduler": None,
            "all_scales": False,
            "network": {"_target_": "deblurlab.nets.UNet16", "widths": [16, 32, 64, 128], "residual": True},
            "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True},
        },
        "list": [{"_target_": "deblurlab.nets.REDNet30", "tanh": False}],
    }
    assert with_defaults(with_defaults(config)) == with_defaults(config)
    assert "scheduler" not in config["model"]  # type: ignore[operator]


def test_a_class_that_is_not_there_or_not_ours_is_left_as_it_is() -> None:
    for target in ("deblurlab.nets.Gone", "deblurlab.none.Such", "os.path.join", "deblurlab.nets", 3, None):
        assert with_defaults({"_target_": target, "key": [1, 2]}) == {"_target_": target, "key": [1, 2]}
