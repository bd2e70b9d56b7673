"""A worker that computes nothing: it draws what it was asked in plain colours and remembers it."""

import base64
import io
import threading
from collections.abc import Mapping
from typing import Any

from drawn_pages import LATE, png
from PIL import Image

from pellucid.errors import AtlasError
from studies import CLASSES

NAMES = tuple(f"n{1000 + i}_{word}.JPEG" for i, word in enumerate(("grey_whale", "tench", "lemon", "fireboat", "alp")))


class FakeWorker:
    """Follows `pellucid.web.live.Worker`. A painting takes as many looks at it as `looks`; `busy` refuses new ones."""

    def __init__(self, looks: int = 3, steps: int = 64):
        self.looks, self.steps = looks, steps
        self.busy = False
        self.broken = ""
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.seen: dict[str, int] = {}
        self.cancelled: set[str] = set()
        self.lock = threading.Lock()

    def about(self) -> Mapping[str, Any]:
        paint = [{"atlas": LATE, "layer": LATE, "rows": 6, "columns": 8}]
        patches = ["ball-01", "noise"]
        return {
            "format": 1,
            "network": "drawn_network",
            "paint": paint,
            "patches": patches,
            "images": len(NAMES),
            "query": True,
        }

    def paint(self, atlas: str, strokes: Any, *, steps: int, size: int, seed: int) -> str | None:
        if self.busy:
            return None
        self.asked.append(("paint", {"atlas": atlas, "strokes": strokes, "steps": steps, "size": size, "seed": seed}))
        name = f"job-{len(self.asked)}"
        self.steps = steps
        self.seen[name] = 0
        return name

    def job(self, name: str) -> Mapping[str, Any] | None:
        if name not in self.seen:
            return None
        with self.lock:
            if name not in self.cancelled:
                self.seen[name] = min(self.looks, self.seen[name] + 1)
        return self._state(name)

    def _state(self, name: str) -> Mapping[str, Any]:
        done = self.steps * self.seen[name] // self.looks
        state = "cancelled" if name in self.cancelled else "done" if self.seen[name] >= self.looks else "running"
        if self.broken:
            state = "failed"
        top = [[label, 0.6 / 2**rank] for rank, label in enumerate(CLASSES[:5])] if state == "done" else []
        return {
            "state": state,
            "done": done,
            "total": self.steps,
            "picture": self.seen[name] > 0,
            "top": top,
            "detail": self.broken,
        }

    def picture(self, name: str) -> bytes | None:
        return png(Image.new("RGB", (64, 64), (200, 60 * self.seen[name], 40))) if self.seen.get(name) else None

    def cancel(self, name: str) -> Mapping[str, Any] | None:
        if name not in self.seen:
            return None
        self.cancelled.add(name)
        return self._state(name)

    def patch(self, image: int, patch: str, *, size: float, corner: int) -> Mapping[str, Any] | None:
        if self.busy:
            return None
        self.asked.append(("patch", {"image": image, "patch": patch, "size": size, "corner": corner}))
        before = [[name, 8.0 - i, 0.5 / 2**i] for i, name in enumerate((CLASSES[2], CLASSES[1], *CLASSES[5:9]))]
        after = [[name, 9.0 - i, 0.6 / 2**i] for i, name in enumerate((CLASSES[1], CLASSES[2], *CLASSES[5:9]))]
        picture = base64.b64encode(png(Image.new("RGB", (64, 64), (20, 180, 40)))).decode()
        return {"before": before, "after": after, "picture": picture}

    def find(self, text: str, limit: int) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = [
            {"index": i, "name": name} for i, name in enumerate(NAMES) if text.replace(" ", "_").lower() in name.lower()
        ]
        return found[:limit]

    def image(self, index: int) -> bytes | None:
        if not 0 <= index < len(NAMES):
            return None
        buffer = io.BytesIO()
        Image.new("RGB", (80, 60), (40 * index, 200 - 30 * index, 120)).save(buffer, "JPEG")
        return buffer.getvalue()

    def query(self, atlas: str, cells: Any, limit: int) -> list[Mapping[str, Any]]:
        self.asked.append(("query", {"atlas": atlas, "cells": cells, "limit": limit}))
        if self.broken:
            raise AtlasError(self.broken)
        order = sorted(range(len(NAMES)), key=lambda i: (i + len(cells)) % len(NAMES))
        hits: list[Mapping[str, Any]] = [
            {"index": i, "name": NAMES[i], "score": 0.9 - rank / 10, "box": [0.25, 0.5, 0.75, 1.0]}
            for rank, i in enumerate(order)
        ]
        return hits[:limit]
