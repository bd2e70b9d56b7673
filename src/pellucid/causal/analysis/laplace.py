"""Laplace's approximation of a logistic model with crossed random intercepts."""

from typing import Any

import numpy as np
from scipy import linalg, sparse, special

from pellucid.causal.analysis.crossed import Floats, Trials

PRIOR_SD = 10.0
"""Of a condition's logit: keeps a condition without any wrong answer finite, and tells nothing else."""


class Problem:
    """The joint posterior mode of conditions and standardized intercepts, for given standard deviations."""

    def __init__(self, trials: Trials, varying: bool = False) -> None:
        codes = [trials.condition, trials.person, trials.unit]
        if varying:
            both = trials.unit * len(trials.conditions) + trials.condition
            codes.append(np.unique(both, return_inverse=True)[1])
        self.right = trials.right
        self.sizes = (len(trials.conditions), *(int(one.max()) + 1 for one in codes[1:]))
        columns = np.stack(codes) + np.cumsum([0, *self.sizes[:-1]])[:, None]
        rows = np.tile(np.arange(len(self.right)), len(codes))
        ones = np.ones(columns.size)
        self.design = sparse.csr_array((ones, (rows, columns.ravel())), shape=(len(self.right), sum(self.sizes)))
        self.prior = np.repeat([PRIOR_SD**-2, *np.ones(len(codes) - 1)], self.sizes)
        self.mode = np.zeros(sum(self.sizes))

    def scaled(self, sds: Floats) -> sparse.csr_array:
        """The design matrix (N, K) for standardized intercepts: their columns times the standard deviations."""
        of_column = np.repeat([1.0, *sds], self.sizes)
        design: Any = self.design
        return sparse.csr_array((design.data * of_column[design.indices], design.indices, design.indptr), design.shape)

    def log_likelihood(self, sds: Floats) -> float:
        """Newton's steps to the mode, then Laplace's approximation at it."""
        design = self.scaled(sds)
        across = design.T.tocsr()
        mode = self.mode
        height = self._height(design, mode)
        for _ in range(100):
            p = special.expit(design @ mode)
            curvature = self._curvature(design, across, p)
            step = linalg.cho_solve(linalg.cho_factor(curvature), across @ (self.right - p) - self.prior * mode)
            size = 1.0
            while (higher := self._height(design, mode + size * step)) < height - 1e-12 and size > 1e-6:
                size /= 2
            mode, gained, height = mode + size * step, higher - height, higher
            if gained < 1e-11 and np.abs(step).max() < 1e-7:
                break
        self.mode = mode
        p = special.expit(design @ mode)
        factor = np.linalg.cholesky(self._curvature(design, across, p))
        return height - float(np.log(np.diagonal(factor)).sum())

    def _height(self, design: sparse.csr_array, mode: Floats) -> float:
        logit = design @ mode
        likelihood = self.right @ logit - np.logaddexp(0, logit).sum()
        return float(likelihood - 0.5 * (self.prior * mode**2).sum())

    def _curvature(self, design: Any, across: sparse.csr_array, p: Floats) -> Floats:
        weighted = sparse.csr_array(
            (design.data * np.repeat(p * (1 - p), np.diff(design.indptr)), design.indices, design.indptr), design.shape
        )
        crossed: Any = across @ weighted
        return crossed.toarray() + np.diag(self.prior)

    def conditions_at(self, sds: Floats) -> tuple[Floats, Floats]:
        """The conditions' logits at the mode, and their block of the inverse curvature."""
        self.log_likelihood(sds)
        design = self.scaled(sds)
        curvature = self._curvature(design, design.T.tocsr(), special.expit(design @ self.mode))
        count = self.sizes[0]
        inverse: Any = np.linalg.inv(curvature)
        return self.mode[:count].copy(), inverse[:count, :count]

    def doubt(self, sds: Floats) -> tuple[Floats, Floats]:
        """How the covariance changes with the standard deviations (K, C, C), and their covariance (K, K)."""
        unit = np.eye(len(sds))
        step = np.maximum(0.02 * sds, 1e-3)
        inside = sds > 2e-3  # one at its bound, 0, is taken as known
        slopes, spread = np.zeros((len(sds), self.sizes[0], self.sizes[0])), np.zeros_like(unit)
        for k in np.flatnonzero(inside):
            moved = unit[k] * step[k]
            slopes[k] = (self.conditions_at(sds + moved)[1] - self.conditions_at(sds - moved)[1]) / (2 * step[k])
        free = np.flatnonzero(inside)
        hessian = np.zeros((len(free), len(free)))
        here = self.log_likelihood(sds)
        for row, i in enumerate(free):
            for column, j in enumerate(free):
                di, dj = unit[i] * step[i], unit[j] * step[j]
                if i == j:
                    bend = self.log_likelihood(sds + di) - 2 * here + self.log_likelihood(sds - di)
                    hessian[row, column] = -bend / step[i] ** 2
                elif row < column:
                    bend = self.log_likelihood(sds + di + dj) - self.log_likelihood(sds + di - dj)
                    bend += self.log_likelihood(sds - di - dj) - self.log_likelihood(sds - di + dj)
                    hessian[row, column] = hessian[column, row] = -bend / (4 * step[i] * step[j])
        if len(free) and np.linalg.eigvalsh(hessian).min() > 0:
            spread[np.ix_(free, free)] = np.linalg.inv(hessian)
        return slopes, spread
