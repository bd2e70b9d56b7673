"""Labelling: what raters see of a task, and the one place where the server writes, their answers.

Under `/labels/LAYER:UNIT` stand the task, its pictures, and what a rater has said. None of it tells an activation: that
is joined to an answer here, when it is kept.
"""

import threading
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from pellucid.errors import PellucidError, StudyError
from pellucid.study import Study
from pellucid.study.label_answers import (
    AnswerRecord,
    OtherAnswerError,
    keep_answer,
    rater_name,
    raters,
    read_answers,
    standing,
)
from pellucid.study.label_record import TASK, LabelKey, LabelTask, label_folder, picture_name
from pellucid.study.selection import split_units
from pellucid.web.page import study_files
from pellucid.web.posted import read_posted, refuse_cross_site
from pellucid.web.sending import send_file

_READ = ["GET", "HEAD"]
_FRESH = {"Cache-Control": "no-store"}


def labelling_routes(root: Path) -> APIRouter:
    """The addresses of labelling tasks of the study in a folder."""
    router = APIRouter(prefix="/labels/{unit}")
    # Where files cannot be locked, this keeps the requests of one server apart.
    writing = threading.Lock()

    def task(unit: str) -> JSONResponse:
        return JSONResponse(_public(*_task(root, unit)), headers=_FRESH)

    def rater(unit: str, rater: str) -> JSONResponse:
        folder, record = _task(root, unit)
        return JSONResponse(_state(folder, record, _rater(rater)), headers=_FRESH)

    def picture(request: Request, unit: str, image: str) -> Response:
        folder, record = _task(root, unit)
        name = picture_name(image) if image in record.images else record.reference if image == "reference" else ""
        path = (folder / name).relative_to(root).as_posix()
        return send_file(request, study_files(root, (path,) if name else ()), path)

    async def answer(request: Request, unit: str) -> JSONResponse:
        refuse_cross_site(request)
        posted = await read_posted(request)
        return await run_in_threadpool(keep, unit, posted)

    def keep(unit: str, posted: dict[str, Any]) -> JSONResponse:
        folder, record = _task(root, unit)
        rater = _rater(posted["rater"])
        known = LabelKey.read(folder).by_image().get(posted["image"])
        if known is None or posted["image"] not in record.images:
            raise HTTPException(404, "there is no such image in the task")
        if posted["label"] is not None and posted["label"] not in record.names:
            raise HTTPException(422, f"the label is none of {', '.join(record.names)}")
        try:
            said = AnswerRecord(
                posted["key"], posted["image"], posted["label"], known.activation, posted["client_time"]
            )
        except StudyError as error:
            raise HTTPException(422, str(error)) from None
        try:
            with writing:
                kept = keep_answer(folder, rater, said)
        except OtherAnswerError as error:
            raise HTTPException(409, str(error)) from None
        return JSONResponse({"rater": rater, "answered": _answered(kept, record)}, headers=_FRESH)

    router.add_api_route("", task, methods=_READ)
    router.add_api_route("/raters/{rater}", rater, methods=_READ)
    router.add_api_route("/pictures/{image}", picture, methods=_READ)
    router.add_api_route("/answers", answer, methods=["POST"])
    return router


def _task(root: Path, unit: str) -> tuple[Path, LabelTask]:
    """The folder and the record of the task that an address names."""
    study = Study.open(root)
    gone = HTTPException(404, "there is no such labelling task here")
    try:
        layer, number = split_units(unit)
        folder = label_folder(study, layer, int(number))
        there = (folder / TASK).is_file()
    except (PellucidError, ValueError, OSError):
        raise gone from None
    task = LabelTask.read(folder) if there else None
    if task is None or (task.layer, str(task.unit)) != (layer, number):  # one address for one task
        raise gone
    return folder, task


def _public(folder: Path, task: LabelTask) -> dict[str, Any]:
    """What a browser is told of a task."""
    return {
        "format": 1,
        "layer": task.layer,
        "unit": task.unit,
        "labels": [{"name": label.name, "rubric": label.rubric} for label in task.labels],
        "count": len(task.images),
        "size": task.size,
        "reference": bool(task.reference),
        "raters": [{"name": one, "answered": _answered(read_answers(folder, one), task)} for one in raters(folder)],
    }


def _state(folder: Path, task: LabelTask, rater: str) -> dict[str, Any]:
    """The order of the images for a rater, and what they have said, in the order in which they said it."""
    there = set(task.images)
    said = [(one.image, one.label) for one in standing(read_answers(folder, rater)).values() if one.image in there]
    return {"rater": rater, "order": task.order(rater), "answers": said}


def _answered(answers: list[AnswerRecord], task: LabelTask) -> int:
    there = set(task.images)
    return sum(image in there for image in standing(answers))


def _rater(text: str) -> str:
    try:
        return rater_name(text)
    except StudyError as error:
        raise HTTPException(422, str(error)) from None
