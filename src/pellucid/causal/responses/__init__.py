"""What people answered, as a checked table: exported, published, or from a study's database. Without torch."""

from pellucid.causal.responses.people import PEOPLE_COLUMNS as PEOPLE_COLUMNS
from pellucid.causal.responses.published import published_two_choice as published_two_choice
from pellucid.causal.responses.table import Responses as Responses
from pellucid.causal.responses.table import read_responses as read_responses
