"""How a hand moves a camera during an exposure."""

import numpy as np

from deblurlab.data.arrays import Floats

# How many places of a path are known, at times that are evenly spread over the exposure.
TIMES = 128

_FREQUENCIES = np.arange(0.25, 20, 0.25)  # in hertz; stabilizers and standards end at about 20, too
_SLOW = 4.0  # in hertz: where the arm, with the camera's mass, begins to damp
_TREMOR, _TREMOR_WIDTH = 9.0, 2.0  # in hertz: the physiological tremor of the hand, at 5 to 12


def tremor(seconds: float, *, nearness: float, rng: np.random.Generator) -> Floats:
    """The turns and shifts of a hand-held camera, as a sum of waves of random phase. Their scale is arbitrary.

    The angular velocity has as much power at each frequency up to 4 Hz, falls off above, and has a bump where hands
    tremble. So a path is nearly straight in a short exposure and winds in a long one, as it does in photographs. The
    numbers are a choice that follows what is measured: vibrations of about 2 Hz from pressing the shutter and of about
    4 Hz from the forearm (Japanese Journal of Ergonomics 31(6), 1995, p. 399), and tremor of 5 to 12 Hz in hands that
    hold a telephone (Scientific Reports, October 2022, on 28 subjects). All three axes tremble alike on average, and
    in each exposure one of them more. Shake is mostly turns, not shifts (Whyte et al., "Non-uniform Deblurring for
    Shaken Images", 2012).

    Args:
        seconds: The exposure time.
        nearness: How much the shifts count beside the turns: the shift over the distance of the scene, for a camera
            that turns by as many radians. 0 is a far scene.
        rng: Where the random numbers come from.

    Returns:
        (TIMES, 6): turns about the axes across (pitch), down (yaw) and forward (roll) in radians, and shifts across,
        down and forward over the scene's distance. The mean of each is 0.
    """
    bump = rng.uniform(0, 0.5) * np.exp(-np.square((_FREQUENCIES - _TREMOR) / _TREMOR_WIDTH) / 2)
    velocity = 1 / (1 + np.square(_FREQUENCIES / _SLOW)) + bump
    amplitude = np.sqrt(velocity) / _FREQUENCIES
    phase = 2 * np.pi * _FREQUENCIES * (np.arange(TIMES)[:, None] / (TIMES - 1)) * seconds
    waves = np.concatenate((np.cos(phase) * amplitude, np.sin(phase) * amplitude), axis=1)
    path: Floats = waves @ rng.standard_normal((2 * len(_FREQUENCIES), 6))
    path *= np.exp(rng.normal(0, 0.6, 6))
    path[:, 3:] *= nearness
    path -= path.mean(axis=0)
    return path


def straight(length: float, *, rng: np.random.Generator) -> Floats:
    """The path of something that moves in one direction, turns and comes nearer a little, and may slow down.

    Args:
        length: How far it goes, in pixels.
        rng: Where the random numbers come from.

    Returns:
        (TIMES, 4): shifts across and down in pixels, the turn in radians and the growth. The mean of each is 0.
    """
    time = np.linspace(-0.5, 0.5, TIMES)
    time = time + rng.uniform(-0.5, 0.5) * np.square(time)
    angle = rng.uniform(0, 2 * np.pi)
    spin, growth = length * rng.normal(0, 0.002, 2)
    path: Floats = (
        time[:, None] / np.ptp(time) * np.array((length * np.cos(angle), length * np.sin(angle), spin, growth))
    )
    path -= path.mean(axis=0)
    return path
