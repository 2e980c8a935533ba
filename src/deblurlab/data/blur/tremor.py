"""Random paths: of a camera in a hand, and of a moving object."""

import numpy as np

from deblurlab.data.arrays import Floats

# The number of points of a path, at times that are evenly spread over the exposure.
TIMES = 128

_FREQUENCIES = np.arange(0.25, 20, 0.25)  # in hertz; stabilizers and standards end at about 20, too
_SLOW = 4.0  # in hertz: from here on the arm, with the camera's mass, damps the motion
_TREMOR, _TREMOR_WIDTH = 9.0, 2.0  # in hertz: the physiological tremor of the hand, at 5 to 12


def tremor(seconds: float, *, nearness: float, rng: np.random.Generator) -> Floats:
    """The rotations and shifts of a hand-held camera, as a sum of waves of random phase. Their scale is arbitrary.

    The power of the angular velocity is constant up to 4 Hz, falls off above, and has a bump at the frequency of the
    tremor of hands. So a path is nearly straight in a short exposure and winds in a long one, as in photographs. The
    numbers are chosen after measurements: vibrations of about 2 Hz from pressing the shutter and of about 4 Hz from the
    forearm (Japanese Journal of Ergonomics 31(6), 1995, p. 399), and tremor of 5 to 12 Hz in hands that hold a
    telephone (Scientific Reports, October 2022, on 28 subjects). The three axes are equal on average, but differ in
    each exposure. Shake is mostly rotations, not shifts (Whyte et al., "Non-uniform Deblurring for Shaken Images",
    2012).

    Args:
        seconds: The exposure time.
        nearness: The weight of the shifts: the ratio of the shift, divided by the distance of the scene, to the
            rotation in radians. 0 is a far scene.
        rng: The random number generator.

    Returns:
        (TIMES, 6): rotations about the axes across (pitch), down (yaw) and forward (roll) in radians, and shifts
        across, down and forward divided by the scene's distance. The mean of each is 0.
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
    """The path of an object that moves in one direction, rotates and comes nearer a little, and may slow down.

    Args:
        length: The length of the path, in pixels.
        rng: The random number generator.

    Returns:
        (TIMES, 4): shifts across and down in pixels, the rotation in radians and the growth. The mean of each is 0.
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
