from .detector import Detector as Detector
from .detector import detect_accuracy as detect_accuracy
from .detector import train_detector as train_detector
from .fooling import fooling_circuit as fooling_circuit
from .silent import SilentUnit as SilentUnit
from .silent import silent_unit as silent_unit
