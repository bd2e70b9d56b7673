"""What a unit is shown: curves, angles, lines, circles, gratings and combs, drawn from formulas."""

from pellucid.curves.stimuli.angle import Angle as Angle
from pellucid.curves.stimuli.bank import Bank as Bank
from pellucid.curves.stimuli.bank import Grid as Grid
from pellucid.curves.stimuli.centres import centre_of as centre_of
from pellucid.curves.stimuli.circle import Blank as Blank
from pellucid.curves.stimuli.circle import Circle as Circle
from pellucid.curves.stimuli.drawing import draw as draw
from pellucid.curves.stimuli.drawing import icons as icons
from pellucid.curves.stimuli.grating import Grating as Grating
from pellucid.curves.stimuli.s_curve import SCurve as SCurve
from pellucid.curves.stimuli.standard import standard_bank as standard_bank
from pellucid.curves.stimuli.stimulus import Stimulus as Stimulus
from pellucid.curves.stimuli.strokes import Comb as Comb
from pellucid.curves.stimuli.strokes import Curve as Curve
from pellucid.curves.stimuli.strokes import Line as Line
from pellucid.curves.stimuli.styles import STYLES as STYLES
from pellucid.curves.stimuli.styles import Style as Style
from pellucid.curves.stimuli.textures import Noise as Noise
from pellucid.curves.stimuli.textures import Photograph as Photograph
from pellucid.curves.stimuli.textures import Texture as Texture
