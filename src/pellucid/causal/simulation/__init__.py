"""People who are none: observers that take part over HTTP as the page does, and a log of what they clicked.

Needs httpx, of the extra `experiment`.
"""

from pellucid.causal.simulation.browser import BrowserAnswer as BrowserAnswer
from pellucid.causal.simulation.browser import BrowserVisit as BrowserVisit
from pellucid.causal.simulation.browser import answer_in_browser as answer_in_browser
from pellucid.causal.simulation.browser import observer_of as observer_of
from pellucid.causal.simulation.browser import simulate_in_browser as simulate_in_browser
from pellucid.causal.simulation.clicks import Click as Click
from pellucid.causal.simulation.clicks import SimulatedVisit as SimulatedVisit
from pellucid.causal.simulation.clicks import differences as differences
from pellucid.causal.simulation.clicks import write_clicks as write_clicks
from pellucid.causal.simulation.key import AnswerKey as AnswerKey
from pellucid.causal.simulation.key import Seen as Seen
from pellucid.causal.simulation.people import Always as Always
from pellucid.causal.simulation.people import AtRandom as AtRandom
from pellucid.causal.simulation.people import Biased as Biased
from pellucid.causal.simulation.people import Oracle as Oracle
from pellucid.causal.simulation.people import Recorded as Recorded
from pellucid.causal.simulation.people import SimulatedPeople as SimulatedPeople
from pellucid.causal.simulation.people import people_named as people_named
from pellucid.causal.simulation.running import simulate as simulate
