"""Natural tuning: what units answer to photographs that are turned."""

from pellucid.curves.natural.check import NaturalCheck as NaturalCheck
from pellucid.curves.natural.check import natural_check as natural_check
from pellucid.curves.natural.check import population_check as population_check
from pellucid.curves.natural.family import NaturalFamily as NaturalFamily
from pellucid.curves.natural.family import natural_family as natural_family
from pellucid.curves.natural.figure import joint_figure as joint_figure
from pellucid.curves.natural.joint import JointTuning as JointTuning
from pellucid.curves.natural.joint import joint_tuning as joint_tuning
from pellucid.curves.natural.joint import joint_tunings as joint_tunings
from pellucid.curves.natural.orientations import NaturalOrientations as NaturalOrientations
from pellucid.curves.natural.orientations import natural_orientations as natural_orientations
from pellucid.curves.natural.place import Place as Place
from pellucid.curves.natural.place import best_places as best_places
from pellucid.curves.natural.place import harvested_places as harvested_places
from pellucid.curves.natural.rotation import rotated as rotated
