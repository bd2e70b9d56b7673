"""Slow, plain twins of the formulas of icons and of their check, in float64."""

import numpy as np


def lucid_value(h: np.ndarray, v: np.ndarray, activations: np.ndarray, ridge: float, power: float) -> float:
    """Lucid's whitened objective: v' = v S with S the inverse of the uncentred covariance."""
    channels = len(h)
    covariance = np.zeros((channels, channels))
    for one in activations:
        covariance += np.outer(one, one) / len(activations)
    covariance += ridge * np.trace(covariance) / channels * np.eye(channels)
    white = v @ np.linalg.inv(covariance)
    dot = sum(h[c] * white[c] for c in range(channels)) / channels
    return dot * max(0.1, dot / (1e-4 + np.sqrt(sum(x * x for x in h)))) ** power


def whitened_value(h: np.ndarray, v: np.ndarray, activations: np.ndarray, ridge: float, power: float) -> float:
    """Dot product with the unit vector times the cosine's power, after both sides are whitened."""
    covariance = activations.T @ activations / len(activations)
    covariance = covariance + ridge * np.trace(covariance) / len(h) * np.eye(len(h))
    values, vectors = np.linalg.eigh(covariance)
    root = vectors @ np.diag(values**-0.5) @ vectors.T
    return cosine_value(root @ h, root @ v, power)


def cosine_value(h: np.ndarray, v: np.ndarray, power: float) -> float:
    """Dot product with the unit vector times a power of the true cosine."""
    along = float(h @ v) / float(np.linalg.norm(v))
    return along * max(0.1, along / float(np.linalg.norm(h))) ** power


def apart_value(h: np.ndarray, v: np.ndarray, m: np.ndarray, power: float, apart: float) -> float:
    """The same times a power of the cosine after a common vector is subtracted."""
    special = float((h - m) @ (v - m)) / float(np.linalg.norm(h - m) * np.linalg.norm(v - m))
    return cosine_value(h, v, power) * max(0.1, special) ** apart


def near_value(h: np.ndarray, v: np.ndarray) -> float:
    """1 less the squared distance, in units of the vector's length."""
    return 1 - float(((h - v) ** 2).sum() / (v**2).sum())


def rank_of_own(seen: np.ndarray, cells: np.ndarray, own: int) -> int:
    """How many other cells are nearer by cosine."""
    cosines = [seen @ cell / np.linalg.norm(seen) / np.linalg.norm(cell) for cell in cells]
    return sum(cosines[other] > cosines[own] for other in range(len(cells)) if other != own)
