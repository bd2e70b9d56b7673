"""What the columns of exported answers mean: one row for each trial that was answered."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of the table of answers: its name, its type in Parquet, and its meaning with unit and values."""

    name: str
    type: str
    meaning: str


CODEBOOK = (
    Column("experiment", "string", "name of the experiment"),
    Column("participant", "string", "opaque name of the person, not the platform's"),
    Column("schedule", "string", "name of the schedule that the person was given"),
    Column("condition", "string", "references shown: optimized, natural, mixed, natural_blur or none"),
    Column("kind", "string", "main, catch or practice"),
    Column("round", "int32", "practice round from 1; 0 in main and catch trials"),
    Column("trial", "int32", "number of the trial within its round or block, from 1, as it was shown"),
    Column("stimulus", "string", "name of the stimulus in stimuli.json"),
    Column("layer", "string", "layer of the unit"),
    Column("unit", "string", "address of the unit, layer:unit"),
    Column("image_set", "int32", "number of the unit's image set"),
    Column("relative_difference", "double", "(larger - smaller) / base activation; empty where there is no base"),
    Column("side", "string", "side of the larger query: left or right"),
    Column("choice", "string", "side that was chosen: left or right"),
    Column("correct", "bool", "whether the larger query was chosen"),
    Column("confidence", "int32", "1 to 3, 3 the most certain, whatever the side"),
    Column("rt_s", "double", "seconds from showing the trial to the choice, by the browser's clock"),
    Column("server_s", "double", "seconds from sending the trial to receiving the answer, by the server's clock"),
    Column("focus_losses", "int32", "how often the window lost the focus during the trial"),
    Column("answered_at", "string", "when the server kept the answer, ISO 8601 in UTC"),
)
