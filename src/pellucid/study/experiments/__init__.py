"""Experiments on disk: stimuli and their key, the design, what may be told to people, and what observers answered.

`experiments/NAME` of a study holds `stimuli.json` (`Stimuli`: which picture is which, never sent to a browser),
`pictures/ID.png` (names tell nothing), `design.json` (`Design`: who is shown what, when and on which side),
`settings.toml` (`Settings`: title, consent, completion, exclusion: for people to edit), `answers.sqlite` (what people
answered, where no other database is named) and `observers/NAME.json` (`Observed`: what a machine answered).
"""

from pellucid.study.experiments.codebook import CODEBOOK as CODEBOOK
from pellucid.study.experiments.codebook import Column as Column
from pellucid.study.experiments.design import Design as Design
from pellucid.study.experiments.design import Schedule as Schedule
from pellucid.study.experiments.design import Shown as Shown
from pellucid.study.experiments.folders import experiment_folder as experiment_folder
from pellucid.study.experiments.folders import experiment_name as experiment_name
from pellucid.study.experiments.folders import experiments as experiments
from pellucid.study.experiments.folders import find_experiment as find_experiment
from pellucid.study.experiments.observed import Answer as Answer
from pellucid.study.experiments.observed import Observed as Observed
from pellucid.study.experiments.settings import Settings as Settings
from pellucid.study.experiments.stimuli import CONDITIONS as CONDITIONS
from pellucid.study.experiments.stimuli import PictureFile as PictureFile
from pellucid.study.experiments.stimuli import Query as Query
from pellucid.study.experiments.stimuli import Stimuli as Stimuli
from pellucid.study.experiments.stimuli import Stimulus as Stimulus
