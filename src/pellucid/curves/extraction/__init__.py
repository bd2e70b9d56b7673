"""Curve extraction: lines that a family of curve detectors sees, against Canny's edges and against the truth."""

from pellucid.curves.extraction.attribution import chosen_units as chosen_units
from pellucid.curves.extraction.attribution import read_out_attribution as read_out_attribution
from pellucid.curves.extraction.attribution import rectified_maps as rectified_maps
from pellucid.curves.extraction.canny import CannySetting as CannySetting
from pellucid.curves.extraction.canny import canny_edges as canny_edges
from pellucid.curves.extraction.canny import canny_settings as canny_settings
from pellucid.curves.extraction.comparison import Comparison as Comparison
from pellucid.curves.extraction.comparison import MeanScore as MeanScore
from pellucid.curves.extraction.comparison import compare_with_canny as compare_with_canny
from pellucid.curves.extraction.extraction import Extraction as Extraction
from pellucid.curves.extraction.extraction import extract_curves as extract_curves
from pellucid.curves.extraction.figure import extraction_figure as extraction_figure
from pellucid.curves.extraction.figure import panels_figure as panels_figure
from pellucid.curves.extraction.scenes import Scene as Scene
from pellucid.curves.extraction.scenes import curve_scene as curve_scene
from pellucid.curves.extraction.scenes import in_texture as in_texture
from pellucid.curves.extraction.scenes import s_scene as s_scene
from pellucid.curves.extraction.scenes import two_curve_scene as two_curve_scene
from pellucid.curves.extraction.scores import EdgeScore as EdgeScore
from pellucid.curves.extraction.scores import edge_score as edge_score
from pellucid.curves.extraction.scores import edge_scores as edge_scores
from pellucid.curves.extraction.thinning import linked as linked
from pellucid.curves.extraction.thinning import ridges as ridges
