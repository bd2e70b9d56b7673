"""Concept patches: does a picture pasted into a photograph lead a network to another class (Carter et al. 2019)?"""

from pellucid.atlas.patching.compositing import CORNERS as CORNERS
from pellucid.atlas.patching.compositing import pasted as pasted
from pellucid.atlas.patching.compositing import patch_size as patch_size
from pellucid.atlas.patching.compositing import shrunk as shrunk
from pellucid.atlas.patching.controls import CONTROLS as CONTROLS
from pellucid.atlas.patching.controls import drawn_control as drawn_control
from pellucid.atlas.patching.page import patch_page as patch_page
from pellucid.atlas.patching.photographs import Photographs as Photographs
from pellucid.atlas.patching.photographs import choose_photographs as choose_photographs
from pellucid.atlas.patching.report import report as report
from pellucid.atlas.patching.running import run_trials as run_trials
from pellucid.atlas.patching.trials import PatchConfig as PatchConfig
from pellucid.atlas.patching.trials import Trials as Trials
