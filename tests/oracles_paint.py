"""Slow, plain twins of what paints and queries compute."""

import numpy as np


def mixed(means: list[list[float]], weights: list[float]) -> list[float]:
    """A weighted sum of vectors, number by number."""
    return [sum(weight * mean[c] for weight, mean in zip(weights, means, strict=True)) for c in range(len(means[0]))]


def contrasted(target: np.ndarray, mean: np.ndarray, contrast: float) -> np.ndarray:
    """Each painted vector less a part of the unit mean, of length one again: target (C, h, w)."""
    result = np.zeros_like(target, dtype=np.float64)
    unit = mean / np.sqrt(sum(number**2 for number in mean))
    for row in range(target.shape[1]):
        for column in range(target.shape[2]):
            if any(target[:, row, column]):
                left = target[:, row, column] - contrast * unit
                result[:, row, column] = left / np.sqrt(sum(number**2 for number in left))
    return result


def image_scores(activations: np.ndarray, images: np.ndarray, vectors: np.ndarray) -> dict[int, float]:
    """The best cosine that any activation of an image has with any of the vectors."""
    best: dict[int, float] = {}
    for activation, image in zip(activations.astype(np.float64), images.tolist(), strict=True):
        for vector in vectors.astype(np.float64):
            cosine = activation @ vector / np.sqrt((activation @ activation) * (vector @ vector))
            best[image] = max(best.get(image, -2.0), float(cosine))
    return best
