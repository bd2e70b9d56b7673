"""The finder: which units of which layers are curve detectors, beside what chance alone would find."""

from pellucid.curves.finder.found import Confirmation as Confirmation
from pellucid.curves.finder.found import Discoveries as Discoveries
from pellucid.curves.finder.found import Found as Found
from pellucid.curves.finder.found import Judged as Judged
from pellucid.curves.finder.measuring import LayerMeasures as LayerMeasures
from pellucid.curves.finder.measuring import measure as measure
from pellucid.curves.finder.record import found_record as found_record
from pellucid.curves.finder.search import FinderConfig as FinderConfig
from pellucid.curves.finder.search import find_curves as find_curves
from pellucid.curves.finder.survey import survey as survey
